"""The trace of a running project against what a consumer reads: every key of every table, message by message."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from obsync_tui.model.project import Trace
from obsync_tui.model.table import TableName
from tests.faults.conftest import Bank
from tests.faults.controlled import Controlled
from tests.servers import BinlogService, KafkaBroker, MySQLServer, Record, consume_all

Way = tuple[str, str, int]


@pytest.mark.parametrize("source", ["mysql80", "binlog_service"])
def test_every_message_is_traced(
    request: pytest.FixtureRequest, source: str, kafka: KafkaBroker, bank: Bank, tmp_path: Path
) -> None:
    server: MySQLServer | BinlogService = request.getfixturevalue(source)
    workload = bank(server, seed=52, rows=200)
    with closing(Controlled(tmp_path, workload, kafka.bootstrap, trace=Trace(64 << 20))) as held:
        held.begin()
        held.until_delivered(workload.executed())
        workload.steps(60)
        held.until_delivered(workload.executed())
        by_key: dict[tuple[str, bytes], list[Record]] = defaultdict(list)
        for record in consume_all(kafka.bootstrap, workload.topics):
            by_key[record.topic, record.key or b""].append(record)
        assert len(by_key) > 100
        changes = 0
        # The keys with the longest histories.
        asked = sorted(by_key.items(), key=lambda one: -len(one[1]))[:40]
        for (topic, key), records in asked:
            table = TableName(workload.database, topic.removeprefix(f"{workload.database}_"))
            if not key:
                continue
            lines = held.run.trace.find(table, tuple(key.decode().split("\x01")))
            expected: list[Way] = []
            for record in sorted(records, key=lambda r: (r.partition, r.offset)):
                message = json.loads(record.value or b"")
                gtid = message["allMetaData"].get("transId") or ""
                expected.append((message["recordType"], gtid, record.partition))
            found = [(line.record, line.gtid, line.partition or 0) for line in lines]
            assert sorted(found) == sorted(expected), (table, key)
            assert all(line.topic == topic and not line.left_out for line in lines)
            assert all(line.delivered_s is not None and line.delivered_s <= time.time() for line in lines)
            changes += sum(line.kind != "ROW" for line in lines)
        assert changes > 40
        held.stop()

"""The checker itself: it finds a message that is missing, doubled, out of place or altered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from obsync_tui.model.metrics import Phase
from tests.faults import checker
from tests.faults.conftest import Bank, Install
from tests.servers import KafkaBroker, MySQLServer, Record, consume_all

Alter = Callable[[list[Record]], list[Record]]


def _swap(records: list[Record]) -> list[Record]:
    """Exchange two neighbours of one key."""
    ordered = sorted(records, key=lambda one: (one.partition, one.key or b"", one.offset))
    for first, second in zip(ordered[-2::-1], ordered[:0:-1], strict=True):
        if (first.partition, first.key) == (second.partition, second.key):
            rest = [record for record in records if record not in (first, second)]
            return [*rest, first._replace(offset=second.offset), second._replace(offset=first.offset)]
    raise AssertionError("no key has two messages")


def _first_change(records: list[Record]) -> int:
    return next(i for i, record in enumerate(records) if b'"recordType":"ROW"' not in (record.value or b""))


ALTERED: dict[str, Alter] = {
    "missing change": lambda records: [r for i, r in enumerate(records) if i != _first_change(records)],
    "missing row": lambda records: [r for r in records if r.offset or r.partition],
    "doubled": lambda records: [*records, records[-1]._replace(offset=records[-1].offset + 1000)],
    "out of place": _swap,
    "another partition": lambda records: [*records[:-1], records[-1]._replace(partition=99)],
    "altered": lambda records: [
        *records[:-1],
        records[-1]._replace(value=(records[-1].value or b"").replace(b'"balance":', b'"balance":1')),
    ],
}


def test_whatever_is_wrong_is_found(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = bank(mysql57, seed=5, rows=60)
    home = install(mysql57.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    cut = workload.executed()
    workload.steps(150)
    run.until_delivered(workload.executed())
    run.stop()
    assert checker.check(workload, kafka, cut).transactions > 280
    for name, alter in ALTERED.items():

        def altered(bootstrap: str, topics: Sequence[str], alter: Alter = alter) -> list[Record]:
            records = consume_all(bootstrap, topics)
            return alter(records) if topics[0].endswith("_account") else records

        monkeypatch.setattr(checker, "consume_all", altered)
        with pytest.raises(AssertionError, match="problems"):
            checker.check(workload, kafka, cut)
            pytest.fail(f"{name} was not found")

"""Components paused, started, restarted and run again under load: every change still arrives once and in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from obsync_tui.engine.pipeline import attempt
from obsync_tui.engine.pipeline.gates import paused_components
from obsync_tui.model.component import Component, ComponentState
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Store
from obsync_tui.model.table import TableName
from tests.faults.checker import check
from tests.faults.conftest import Bank
from tests.faults.controlled import Controlled
from tests.faults.workload import TABLES, Workload
from tests.servers import KafkaBroker, MySQLServer, Record, consume_all

STORE, CONNECTOR, FULL = Component.STORE, Component.CONNECTOR, Component.FULL_IMPORT
Control = Callable[..., Controlled]


@pytest.fixture
def control(tmp_path: Path, kafka: KafkaBroker) -> Iterator[Control]:
    """control(workload, **changes): a project on a bank; its run ends with the test."""
    with ExitStack() as stack:

        def make(workload: Workload, **changes: object) -> Controlled:
            controlled = Controlled(tmp_path, workload, kafka.bootstrap, **changes)
            return stack.enter_context(closing(controlled))

        yield make


def settled(held: Controlled) -> int:
    """The rows delivered once nothing is under way: a paused component delivers no more."""
    before = -1
    while (rows := held.run.status().rows) != before:
        before = rows
        time.sleep(0.5)
    return rows


def test_store_and_connector_pause_and_go_on(
    mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank, control: Control
) -> None:
    workload = bank(mysql57, seed=41)
    held = control(workload)
    workload.start()
    held.begin()
    held.until_phase(Phase.INCREMENTAL)
    cut = workload.now()
    for component, other in ((STORE, CONNECTOR), (CONNECTOR, STORE), (STORE, CONNECTOR)):
        before = held.run.status().rows
        held.until(lambda status, before=before: status.rows > before + 200)  # type: ignore[misc]
        held.run.pause(component)
        held.run.pause(component)
        assert held.until_state(component, ComponentState.PAUSED).waits_for == "paused"
        rows = held.run.status().rows
        assert held.component(other).state is ComponentState.RUNNING
        assert held.component(other).waits_for == f"{component} is paused"
        time.sleep(1.0)
        status = held.run.status()
        assert (status.rows, status.phase, status.restarts, status.failure) == (
            rows,
            Phase.INCREMENTAL,
            0,
            None,
        )
        assert status.warnings == () and not status.idle
        assert status.delivery_lag_s is not None and status.delivery_lag_s > 0.8
        held.run.start(component)
        held.until(lambda status, rows=rows: status.rows > rows)  # type: ignore[misc]
        assert held.component(component).state is ComponentState.RUNNING
    held.run.restart(STORE)
    workload.stop()
    held.until_delivered(workload.executed())
    assert held.component(FULL).state is ComponentState.COMPLETED and held.component(FULL).progress == 1.0
    with pytest.raises(ConfigError, match="full-import has completed"):
        held.run.pause(FULL)
    held.stop()
    assert held.component(STORE).state is ComponentState.STOPPED
    checked = check(workload, kafka, cut)
    assert checked.changes > 1000
    assert held.events().count("store is paused") == 2 and held.events().count("store is started") == 2


def test_a_pause_outlasts_the_owner_record_and_the_run(
    mysql57: MySQLServer,
    kafka: KafkaBroker,
    bank: Bank,
    control: Control,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt, "REWRITE_S", 1.0)
    workload = bank(mysql57, seed=42)
    held = control(workload)
    workload.start()
    held.begin()
    held.until_phase(Phase.INCREMENTAL)
    cut = workload.now()
    held.run.pause(CONNECTOR)
    held.until_state(CONNECTOR, ComponentState.PAUSED)
    assert held.stop() < 2
    assert paused_components(held.state, held.project.id) == {CONNECTOR}
    held.begin()
    held.until_state(CONNECTOR, ComponentState.PAUSED)
    held.until_phase(Phase.INCREMENTAL)
    rows = held.run.status().rows
    time.sleep(3)
    owners = [
        record
        for record in consume_all(kafka.bootstrap, [f"__obsync.{held.project.id}"])
        if record.key == b"owner"
    ]
    assert time.time() - msgspec.json.decode(owners[-1].value or b"")["written_s"] < 3
    assert held.run.status().rows == rows
    held.run.start(CONNECTOR)
    assert paused_components(held.state, held.project.id) == frozenset()
    workload.stop()
    held.until_delivered(workload.executed())
    held.stop()
    assert check(workload, kafka, cut).changes > 100


def test_full_import_pauses_behind_what_it_reads(
    mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank, control: Control
) -> None:
    workload = bank(mysql57, seed=43, rows=5000)
    held = control(workload, full=Full(range_rows=400, rows_per_s=4000))
    held.run.pause(FULL)
    workload.start()
    held.begin()
    held.until(lambda status: status.phase is Phase.FULL)
    assert held.until_state(FULL, ComponentState.PAUSED).progress is None
    held.run.start(FULL)
    held.until(lambda status: status.full.rows > 2000)
    held.run.pause(FULL)
    status = held.until_state(FULL, ComponentState.PAUSED)
    rows = settled(held)
    assert rows < 12_000 and held.run.status().phase is Phase.FULL
    assert status.progress is not None and 0 < status.progress < 1
    assert held.component(STORE).waits_for == "full-import is reading"
    time.sleep(1)
    assert held.run.status().rows == rows
    held.run.start(FULL)
    held.until(lambda status: status.rows > rows)
    held.run.restart(FULL)
    held.run.pause(STORE)
    held.until(lambda status: status.phase is Phase.INCREMENTAL)
    cut = workload.now()
    held.until_state(STORE, ComponentState.PAUSED)
    held.run.start(STORE)
    workload.stop()
    held.until_delivered(workload.executed())
    held.stop()
    checked = check(workload, kafka, cut)
    assert checked.rows > 5000 and checked.changes > 100


@pytest.mark.parametrize("when", [Phase.FULL, Phase.INCREMENTAL])
def test_full_import_runs_again(
    mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank, control: Control, when: Phase
) -> None:
    workload = bank(mysql57, seed=44, rows=1500)
    held = control(workload, full=Full(range_rows=300, rows_per_s=2000))
    workload.start()
    held.begin()
    held.until(lambda status: status.phase is when and status.rows > 1000)
    with pytest.raises(ConfigError, match=r"not a table of this project: x\.y"):
        held.run.rerun_full([TableName("x", "y")])
    again = TableName(workload.database, "account")
    held.run.rerun_full([again])
    held.until(lambda _: f"{again} is read again" in held.events())
    quick = held.run.apply(msgspec.structs.replace(held.project, full=Full(range_rows=300)))
    assert [change.key for change in quick.live] == ["full.rows_per_s"] and not quick.restart
    held.until_phase(Phase.INCREMENTAL)
    workload.stop()
    held.until_delivered(workload.executed())
    first = {table: messages(kafka, workload, table) for table in TABLES}
    for table, sent in first.items():
        ends, there = final_rows(sent), source_rows(workload, table)
        # A row that was told of and deleted before it is read again is not told of any more.
        told = {key: ver for key, ver in ends.items() if key in there} if table == "account" else ends
        assert told == there, table
    assert 2500 < row_count(first["spread"]) < 3500, "only the named table is read twice"
    if when is Phase.INCREMENTAL:
        held.run.rerun_full()
        held.until(lambda _: sum("full synchronization is done" in one for one in held.events()) == 3)
        workload.steps(50)
        held.until_delivered(workload.executed())
        for table in TABLES:
            sent, there = messages(kafka, workload, table), source_rows(workload, table)
            assert {key: ver for key, ver in final_rows(sent).items() if key in there} == there
            assert row_count(sent) - row_count(first[table]) > 400
    held.stop()
    assert held.run.status().restarts == 0


def messages(kafka: KafkaBroker, workload: Workload, table: str) -> list[Record]:
    records = consume_all(kafka.bootstrap, [f"{workload.database}_{table}"])
    return sorted(records, key=lambda one: (one.partition, one.offset))


def row_count(sent: list[Record]) -> int:
    return sum(b'"recordType":"ROW"' in (one.value or b"") for one in sent)


def final_rows(sent: list[Record]) -> dict[bytes, int]:
    """What a consumer that keeps the newest message of each key ends with: the row's version by key."""
    ends: dict[bytes, int] = {}
    for record in sent:
        assert record.key is not None and record.value is not None
        after = msgspec.json.decode(record.value)["postStruct"]
        if after is None:
            ends.pop(record.key)
        else:
            ends[record.key] = int(after["ver"])
    return ends


def source_rows(workload: Workload, table: str) -> dict[bytes, int]:
    keys = "CONCAT_WS(CHAR(1), region, code)" if table == "ledger" else "name" if table == "wallet" else "id"
    with workload.server.connect(database=workload.database) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {keys}, ver FROM {table}")
        return {str(key).encode() if not isinstance(key, bytes) else key: ver for key, ver in cursor}


def test_rate_limits_change_at_once_and_other_settings_by_a_restart(
    mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank, control: Control
) -> None:
    workload = bank(mysql57, seed=45)
    held = control(workload)
    held.begin()
    held.until_phase(Phase.INCREMENTAL)
    held.until_delivered(workload.executed())
    cut = workload.now()
    limited = msgspec.structs.replace(held.project, store=Store(heartbeat_s=0.5, silence_s=3, rows_per_s=200))
    applied = held.run.apply(limited)
    assert [change.key for change in applied.live] == ["store.rows_per_s"] and not applied.restart
    workload.steps(100)
    for writer in workload.writers:
        writer.big("x" * 250)
    rows, began_s = held.run.status().rows, time.monotonic()
    held.until(lambda _: held.component(CONNECTOR).waits_for == "rate limit")
    held.until(lambda status: status.rows > rows + 400)
    took_s = time.monotonic() - began_s
    assert took_s > 1
    backlog = workload.executed()
    other = msgspec.structs.replace(held.project, store=Store(heartbeat_s=1.0, silence_s=3))
    applied = held.run.apply(other)
    assert [change.key for change in applied.live] == ["store.rows_per_s"]
    assert [change.key for change in applied.restart] == ["store.heartbeat_s"]
    held.until_delivered(backlog)
    assert "restarting at the checkpoint for store.heartbeat_s" in held.events()
    assert held.run.status().restarts == 0
    refused = held.run.apply(msgspec.structs.replace(other, name="renamed", source="other"))
    assert [change.key for change in refused.never] == ["from"] and not refused.done
    assert held.run.status().project == "orders"
    held.stop()
    assert check(workload, kafka, cut).changes > 500

"""The Store contract: the binlog Store on MySQL 5.7, 8.0 and Binlog Service, the view-log Store on OceanBase's engine."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from obsync_tui.engine.errors import LogGap, SchemaChanged, Stopped
from obsync_tui.engine.store.store import Begin, Commit, LogBatch, RowGroup, SchemaVersion, Store
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import DmlKind
from obsync_tui.model.table import TableVersion
from tests.contract.sources import BinlogSource, ServiceSource, Source, ViewLogSource, rows_of

SERVERS = {"5.7": "mysql57", "8.0": "mysql80", "service": "binlog_service", "view-log": "oceanbase"}
KINDS = {"service": ServiceSource, "view-log": ViewLogSource}
# Stores that follow DDL; view logs make the source refuse most of it.
following_ddl = pytest.mark.parametrize("source", ["5.7", "8.0", "service"], indirect=True)
Following = tuple[Source, Callable[[], list[LogBatch]], Store, threading.Thread]


@pytest.fixture(params=list(SERVERS))
def source(request: pytest.FixtureRequest) -> Source:
    server = request.getfixturevalue(SERVERS[request.param])
    return KINDS.get(request.param, BinlogSource)(server)


def _until(
    source: Source, position: str, end: str, tables: tuple[TableVersion, ...] | None = None
) -> list[LogBatch]:
    """Batches from a position until the end is executed."""
    store = source.store()
    found: list[LogBatch] = []
    batches = store.batches(LogPosition(position), tables if tables is not None else source.tables())
    for batch in batches:
        found.append(batch)
        if source.behind(batch.executed, end):
            break
    store.stop()
    batches.close()  # type: ignore[attr-defined]
    return found


def test_changes_come_in_commit_order_with_positions(source: Source) -> None:
    start = source.executed()
    source.run(
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')", "UPDATE t SET v = 'c' WHERE id = 1", transaction=True
    )
    source.run("DELETE FROM t WHERE id = 2")
    end = source.executed()
    batches = _until(source, start, end)
    assert rows_of(batches) == [("t", DmlKind.INSERT, 2), ("t", DmlKind.UPDATE, 1), ("t", DmlKind.DELETE, 1)]
    marks = [item for b in batches for item in b.items if isinstance(item, Begin | Commit)]
    assert [type(mark) for mark in marks] == [Begin, Commit, Begin, Commit]
    assert marks[0].gtid == marks[1].gtid != marks[2].gtid
    assert batches[-1].whole and source.at_end(batches[-1].executed, end)


def test_resuming_at_every_commit_gives_exactly_the_rest(source: Source) -> None:
    positions = [source.executed()]
    for i in range(6):
        source.run(f"INSERT INTO t VALUES ({i}, 'x')")
        positions.append(source.executed())
    for done, position in enumerate(positions[:-1]):
        assert len(rows_of(_until(source, position, positions[-1]))) == 6 - done


def test_changes_out_of_scope_move_only_the_position(source: Source) -> None:
    start = source.executed()
    for i in range(5):
        source.run(f"INSERT INTO skipped VALUES ({i})")
    end = source.executed()
    batches = _until(source, start, end)
    assert [item for b in batches for item in b.items] == []
    assert source.at_end(batches[-1].executed, end)


def test_a_large_transaction_comes_in_bounded_pieces(source: Source) -> None:
    source.run("CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(1000))")
    source.take()
    start = source.executed()
    values = ",".join(f"(NULL,'{'x' * 900}')" for _ in range(500))
    source.run(*[f"INSERT INTO big (id, v) VALUES {values}" for _ in range(20)], transaction=True)
    batches = _until(source, start, source.executed())
    assert max(batch.size_bytes for batch in batches) < 2_000_000
    assert sum(batch.size_bytes for batch in batches) > 9_000_000
    assert sum(1 for b in batches for item in b.items if isinstance(item, Commit)) == 1
    # Every piece names its transaction, so that the position inside it can be kept.
    assert all(
        isinstance(b.items[0], Begin) for b in batches if any(isinstance(i, RowGroup) for i in b.items)
    )
    assert all(GtidSet.parse(batch.executed) == GtidSet.parse(start) for batch in batches if not batch.whole)


def test_a_position_of_another_history_is_a_gap(source: Source) -> None:
    with pytest.raises(LogGap, match="never had"):
        next(iter(source.store().batches(LogPosition(source.alien()), source.tables())))


def test_a_purged_position_is_a_gap(source: Source) -> None:
    start = source.executed()
    source.run("INSERT INTO t VALUES (100, 'x')")
    source.purge()
    with pytest.raises(LogGap, match="purged"):
        next(iter(source.store().batches(LogPosition(start), source.tables())))


@pytest.fixture
def following(source: Source) -> Iterator[Following]:
    """A Store that follows the log on a thread of its own."""
    store, found, ended = source.store(), [], []
    position, tables = LogPosition(source.executed()), source.tables()

    def follow() -> None:
        try:
            for batch in store.batches(position, tables):
                found.append(batch)
        except Stopped:
            ended.append(True)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield source, lambda: found, store, thread
    store.stop()
    thread.join(5)
    assert ended == [True]


def test_stop_ends_within_a_second(following: Following) -> None:
    source, found, store, thread = following
    source.run("INSERT INTO t VALUES (1, 'a')")
    deadline = monotonic() + 10
    while not rows_of(found()) and monotonic() < deadline:
        thread.join(0.05)
    assert rows_of(found()) == [("t", DmlKind.INSERT, 1)]
    store.stop()
    thread.join(1)
    assert not thread.is_alive()


@following_ddl
def test_a_column_added_under_way_is_a_schema_version_before_its_rows(following: Following) -> None:
    source, found, _, thread = following
    source.run("INSERT INTO t VALUES (1, 'a')")
    # DDL waits until the log is read, which a busy machine does slowly.
    deadline = monotonic() + 60
    while len(rows_of(found())) < 1 and monotonic() < deadline:
        thread.join(0.05)
    source.run("ALTER TABLE t ADD COLUMN w INT")
    while not any(isinstance(i, SchemaVersion) for b in found() for i in b.items) and monotonic() < deadline:
        thread.join(0.05)
    source.run("INSERT INTO t VALUES (2, 'b', 3)")
    while len(rows_of(found())) < 2 and monotonic() < deadline:
        thread.join(0.05)
    items = [i for b in found() for i in b.items if isinstance(i, RowGroup | SchemaVersion)]
    assert [type(i) for i in items] == [RowGroup, SchemaVersion, RowGroup]
    assert [len(i.table.columns) for i in items] == [2, 3, 3]


@following_ddl
def test_two_statements_in_the_backlog_stop_with_the_reason(source: Source) -> None:
    start, tables = source.executed(), source.tables()
    source.run("ALTER TABLE t ADD COLUMN w INT")
    source.run("INSERT INTO t VALUES (1, 'a', 2)")
    source.run("ALTER TABLE t DROP COLUMN v")
    with pytest.raises(SchemaChanged, match=r"another DDL statement.*DROP COLUMN v"):
        _until(source, start, source.executed(), tables)


@following_ddl
def test_one_statement_in_the_backlog_is_followed(source: Source) -> None:
    start, tables = source.executed(), source.tables()
    source.run("INSERT INTO t VALUES (1, 'a')")
    source.run("ALTER TABLE t ADD COLUMN w INT")
    source.run("INSERT INTO t VALUES (2, 'b', 3)")
    batches = _until(source, start, source.executed(), tables)
    groups = [i for b in batches for i in b.items if isinstance(i, RowGroup)]
    assert [len(group.table.columns) for group in groups] == [2, 3]

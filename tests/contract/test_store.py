"""The Store contract: the binlog Store on MySQL 5.7 and 8.0."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from time import monotonic
from uuid import uuid4

import pytest

from obsync_tui.engine.errors import LogGap, Stopped
from obsync_tui.engine.mysql.catalog import read_tables
from obsync_tui.engine.store.binlog.stream import BinlogStore
from obsync_tui.engine.store.store import Begin, Commit, LogBatch, RowGroup, SchemaVersion
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import DmlKind, Objects, Store, new_project_id
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableVersion
from tests.servers import MySQLServer


class Source:
    """A database of its own on a server, with the Store's view of it."""

    def __init__(self, server: MySQLServer) -> None:
        self.server = server
        self.database = f"s{uuid4().hex[:8]}"
        self.objects = Objects(include=(f"{self.database}.*",), exclude=(f"{self.database}.skip*",))
        self.run(f"CREATE DATABASE {self.database}")
        self.run(
            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", "CREATE TABLE skipped (id INT PRIMARY KEY)"
        )

    def run(self, *statements: str, transaction: bool = False) -> None:
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            if self.database and not statements[0].startswith("CREATE DATABASE"):
                cursor.execute(f"USE {self.database}")
            if transaction:
                cursor.execute("BEGIN")
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def executed(self) -> str:
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@global.gtid_executed")
            row = cursor.fetchone()
            assert row is not None
            return str(row[0])

    def tables(self) -> tuple[TableVersion, ...]:
        with closing(self.server.connect()) as connection:
            return read_tables(connection, ObjectRules(self.objects))

    def store(self) -> BinlogStore:
        source = MySQLSource(name="s", host="127.0.0.1", user="root", port=self.server.port)
        return BinlogStore(new_project_id(), source, Secret(""), self.objects, Store())


@pytest.fixture(params=["5.7", "8.0"])
def source(request: pytest.FixtureRequest) -> Source:
    return Source(request.getfixturevalue("mysql57" if request.param == "5.7" else "mysql80"))


def _until(
    source: Source, position: str, end: str, tables: tuple[TableVersion, ...] | None = None
) -> list[LogBatch]:
    """Batches from a position until the end is executed."""
    store = source.store()
    found: list[LogBatch] = []
    target = GtidSet.parse(end)
    batches = store.batches(LogPosition(position), tables if tables is not None else source.tables())
    for batch in batches:
        found.append(batch)
        if target.issubset(GtidSet.parse(batch.executed)):
            break
    store.stop()
    batches.close()  # type: ignore[attr-defined]
    return found


def _rows(batches: list[LogBatch]) -> list[tuple[str, DmlKind, int]]:
    """Table, kind and number of bodies of each group, in order."""
    return [
        (item.table.name.table, item.kind, len(item.bodies))
        for batch in batches
        for item in batch.items
        if isinstance(item, RowGroup)
    ]


def test_changes_come_in_commit_order_with_positions(source: Source) -> None:
    start = source.executed()
    source.run(
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')", "UPDATE t SET v = 'c' WHERE id = 1", transaction=True
    )
    source.run("DELETE FROM t WHERE id = 2")
    batches = _until(source, start, source.executed())
    assert _rows(batches) == [("t", DmlKind.INSERT, 1), ("t", DmlKind.UPDATE, 1), ("t", DmlKind.DELETE, 1)]
    marks = [item for b in batches for item in b.items if isinstance(item, Begin | Commit)]
    assert [type(mark) for mark in marks] == [Begin, Commit, Begin, Commit]
    assert marks[0].gtid == marks[1].gtid != marks[2].gtid
    assert batches[-1].whole and batches[-1].executed == source.executed()


def test_resuming_at_every_commit_gives_exactly_the_rest(source: Source) -> None:
    positions = [source.executed()]
    for i in range(6):
        source.run(f"INSERT INTO t VALUES ({i}, 'x')")
        positions.append(source.executed())
    for done, position in enumerate(positions[:-1]):
        assert len(_rows(_until(source, position, positions[-1]))) == 6 - done


def test_changes_out_of_scope_move_only_the_position(source: Source) -> None:
    start = source.executed()
    for i in range(5):
        source.run(f"INSERT INTO skipped VALUES ({i})")
    batches = _until(source, start, source.executed())
    assert [item for b in batches for item in b.items] == []
    assert batches[-1].executed == source.executed()


def test_a_large_transaction_comes_in_bounded_pieces(source: Source) -> None:
    source.run("CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(1000))")
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
    assert all(batch.executed == start for batch in batches if not batch.whole)


def test_a_position_of_another_history_is_a_gap(source: Source) -> None:
    store = source.store()
    alien = f"{source.executed()},{uuid4()}:1-5"
    with pytest.raises(LogGap, match="never had"):
        next(iter(store.batches(LogPosition(alien), source.tables())))


def test_a_purged_position_is_a_gap(source: Source) -> None:
    source.run("INSERT INTO t VALUES (100, 'x')")
    with closing(source.server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("FLUSH BINARY LOGS")
        cursor.execute("SHOW MASTER STATUS")
        row = cursor.fetchone()
        assert row is not None
        cursor.execute(f"PURGE BINARY LOGS TO '{row[0]}'")
    with pytest.raises(LogGap, match="purged"):
        next(iter(source.store().batches(LogPosition(""), source.tables())))


@pytest.fixture
def following(
    source: Source,
) -> Iterator[tuple[Source, Callable[[], list[LogBatch]], BinlogStore, threading.Thread]]:
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


def test_stop_ends_within_a_second(
    following: tuple[Source, Callable[[], list[LogBatch]], BinlogStore, threading.Thread],
) -> None:
    source, found, store, thread = following
    source.run("INSERT INTO t VALUES (1, 'a')")
    deadline = monotonic() + 10
    while not _rows(found()) and monotonic() < deadline:
        thread.join(0.05)
    assert _rows(found()) == [("t", DmlKind.INSERT, 1)]
    store.stop()
    thread.join(1)
    assert not thread.is_alive()


def test_a_column_added_under_way_is_a_schema_version_before_its_rows(
    following: tuple[Source, Callable[[], list[LogBatch]], BinlogStore, threading.Thread],
) -> None:
    source, found, _, thread = following
    source.run("INSERT INTO t VALUES (1, 'a')")
    deadline = monotonic() + 10
    while len(_rows(found())) < 1 and monotonic() < deadline:
        thread.join(0.05)
    source.run("ALTER TABLE t ADD COLUMN w INT")
    while not any(isinstance(i, SchemaVersion) for b in found() for i in b.items) and monotonic() < deadline:
        thread.join(0.05)
    source.run("INSERT INTO t VALUES (2, 'b', 3)")
    while len(_rows(found())) < 2 and monotonic() < deadline:
        thread.join(0.05)
    items = [i for b in found() for i in b.items if isinstance(i, RowGroup | SchemaVersion)]
    assert [type(i) for i in items] == [RowGroup, SchemaVersion, RowGroup]
    assert [len(i.table.columns) for i in items] == [2, 3, 3]


def test_two_statements_in_the_backlog_stop_with_the_reason(source: Source) -> None:
    from obsync_tui.engine.errors import SchemaChanged

    start, tables = source.executed(), source.tables()
    source.run("ALTER TABLE t ADD COLUMN w INT")
    source.run("INSERT INTO t VALUES (1, 'a', 2)")
    source.run("ALTER TABLE t DROP COLUMN v")
    with pytest.raises(SchemaChanged, match=r"another DDL statement.*DROP COLUMN v"):
        _until(source, start, source.executed(), tables)


def test_one_statement_in_the_backlog_is_followed(source: Source) -> None:
    start, tables = source.executed(), source.tables()
    source.run("INSERT INTO t VALUES (1, 'a')")
    source.run("ALTER TABLE t ADD COLUMN w INT")
    source.run("INSERT INTO t VALUES (2, 'b', 3)")
    batches = _until(source, start, source.executed(), tables)
    groups = [i for b in batches for i in b.items if isinstance(i, RowGroup)]
    assert [len(group.table.columns) for group in groups] == [2, 3]

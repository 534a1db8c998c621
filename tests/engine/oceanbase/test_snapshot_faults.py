"""Writers, restarts, lost connections, DDL, an engine that dies, a cut that is too old: nothing twice, nothing missing."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pymysql
import pytest

from obsync_tui.engine.errors import SchemaChanged, SnapshotLost
from obsync_tui.engine.full.reader import ChunkRequest, Cut
from obsync_tui.engine.mysql.reading import shut
from obsync_tui.model.project import Full
from obsync_tui.model.table import TableName
from tests.engine.full.driving import select
from tests.engine.full.test_reading import NUMBERS
from tests.engine.oceanbase.driving import OceanBaseRun, agrees, expected, rows_as_of, snapshots
from tests.servers import OceanBaseServer

# A cut is gone on with when the last DDL was a second before it.
DDL_IS_PAST_S = 1.2


class Writers:
    """Four connections that insert, update, delete, move and upsert rows of t and of keyless all the time."""

    def __init__(self, server: OceanBaseServer, database: str) -> None:
        self.count = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(server, database, seed)) for seed in range(4)
        ]

    def _write(self, server: OceanBaseServer, database: str, seed: int) -> None:
        rng = random.Random(seed)
        with server.connect(database=database) as connection, connection.cursor() as cursor:
            while not self._stop.is_set():
                n = rng.randrange(30_000)
                try:
                    connection.begin()
                    cursor.execute(f"UPDATE t SET v = v + 1 WHERE id IN ('a{n}', 'B{n}', 'c{n + 1}')")
                    cursor.execute(f"DELETE FROM t WHERE id = 'B{n + 3}'")
                    cursor.execute(f"UPDATE t SET id = 'D{n}' WHERE id = 'a{n + 2}'")
                    cursor.execute(f"REPLACE INTO t VALUES ('A{n}', 1000, ''), ('e{n}', 2000, '')")
                    cursor.execute(
                        f"INSERT INTO t VALUES ('f{n}', 1, 'x') ON DUPLICATE KEY UPDATE v = v + 1, pad = 'y'"
                    )
                    cursor.execute(f"INSERT INTO keyless VALUES ({n}, 'new')")
                    cursor.execute(f"UPDATE keyless SET b = 'changed' WHERE a = {n % 500}")
                    cursor.execute(f"DELETE FROM keyless WHERE a = {500 + n % 500} LIMIT 1")
                    connection.commit()
                    self.count += 1
                except pymysql.err.MySQLError as error:
                    # Two writers waited for each other, one waited too long, or the key is taken.
                    assert error.args[0] in (1062, 1205, 1213, 6002, 6003, 6005), error
                    connection.rollback()
                time.sleep(0.005)

    def more(self, count: int) -> None:
        """Wait for so many further transactions."""
        wanted, deadline_s = self.count + count, time.monotonic() + 60
        while self.count < wanted:
            assert time.monotonic() < deadline_s
            time.sleep(0.01)

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def make(server: OceanBaseServer, database: str, partitioning: str = "") -> TableName:
    server.execute(
        f"CREATE TABLE {database}.t (id VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT, pad VARCHAR(400))"
        f" {partitioning}",
        f"INSERT INTO {database}.t SELECT CONCAT(ELT(1+n MOD 3, 'a', 'B', 'c'), n), n, REPEAT('p', 300) FROM ({NUMBERS % 30}) s",
        f"CREATE TABLE {database}.keyless (a INT, b VARCHAR(400), KEY (a)) PARTITION BY HASH (a) PARTITIONS 3",
        f"INSERT INTO {database}.keyless SELECT n MOD 4000, REPEAT('k', 300) FROM ({NUMBERS % 12}) s",
    )
    return TableName(database, "t")


class Interrupted(Exception):
    pass


def interrupt_after(rows: int, run: OceanBaseRun, table: TableName) -> Callable[[int], None]:
    """Raise when so many more rows of the table are committed."""
    before = len(run.rows[table])

    def callback(_: int) -> None:
        time.sleep(0.01)
        if len(run.rows[table]) >= before + rows:
            raise Interrupted

    return callback


@pytest.mark.parametrize(
    "partitioning", ["", "PARTITION BY KEY (id) PARTITIONS 3"], ids=["plain", "partitioned"]
)
@pytest.mark.usefixtures("numbers")
def test_restarts_go_on_under_the_same_cut(
    oceanbase: OceanBaseServer, database: str, partitioning: str
) -> None:
    table = make(oceanbase, database, partitioning)
    time.sleep(DDL_IS_PAST_S)
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=3, range_rows=1_500), seed=4, slots=1)
    run.aborts = 0.1
    with Writers(oceanbase, database) as writers:
        for _ in range(4):
            with pytest.raises(Interrupted):
                run.drive(interrupt_after(3_000, run, table))
            writers.more(10)
            run.again()
        run.drive()
    assert run.progress.next_cut_id == 2
    assert agrees(run, table) > 25_000
    assert agrees(run, TableName(database, "keyless")) > 10_000


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("numbers")
def test_after_ddl_restarts_go_on_under_another_cut(
    oceanbase: OceanBaseServer, database: str, seed: int
) -> None:
    table = make(oceanbase, database)
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=3, range_rows=1_000), seed=seed, slots=1)
    with Writers(oceanbase, database) as writers:
        for restart in range(3):
            with pytest.raises(Interrupted):
                run.drive(interrupt_after(3_000, run, table))
            writers.more(30)
            oceanbase.execute(f"CREATE TABLE {database}.other{restart} (id INT PRIMARY KEY)")
            run.again()
        run.drive()
    assert run.progress.next_cut_id == 5
    assert len(run.record(table).regions) > 1
    agrees(run, table)
    # Without a key what was sent under an earlier cut is sent again, and the stream starts at the first cut.
    keyless = TableName(database, "keyless")
    record = run.record(keyless)
    whole = expected(run, keyless)
    assert record.rows == sum(whole.values())
    assert whole - Counter(run.rows[keyless]) == Counter()


@pytest.mark.usefixtures("numbers")
def test_lost_connections_are_replaced(oceanbase: OceanBaseServer, database: str) -> None:
    table = make(oceanbase, database)
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=3, range_rows=2_000), seed=2, slots=1)
    killed: list[int] = []

    def kill(number: int) -> None:
        time.sleep(0.02)
        if number in (3, 6, 9):
            assert run.importer._snapshot
            for reader in run.importer._snapshot.readers:
                connection = reader._connection  # type: ignore[attr-defined]
                if connection is not None:
                    shut(connection)
                    killed.append(number)

    with Writers(oceanbase, database):
        run.drive(kill)
    assert len(killed) > 3
    assert run.importer.warnings() == ()
    assert run.progress.next_cut_id == 2
    agrees(run, table)
    agrees(run, TableName(database, "keyless"))


def test_an_engine_that_dies_and_comes_back_is_read_on(new_oceanbase: Callable[..., OceanBaseServer]) -> None:
    server = new_oceanbase()
    server.execute("CREATE DATABASE numbers", "CREATE TABLE numbers.seq (n INT PRIMARY KEY)")
    server.execute("INSERT INTO numbers.seq VALUES " + ",".join(f"({n})" for n in range(1000)))
    table = make(server, "test", "PARTITION BY KEY (id) PARTITIONS 3")
    run = OceanBaseRun(server, "test.*", Full(connections=2, range_rows=1_500), seed=3, slots=1)

    def crash(number: int) -> None:
        if number == 5:
            server.kill()
            server.start()
            server.execute("UPDATE test.t SET v = -1", "DELETE FROM test.keyless WHERE a < 1000")

    run.drive(crash)
    assert run.progress.next_cut_id == 2
    assert agrees(run, table) == 30_000
    assert agrees(run, TableName("test", "keyless")) == 12_000


# When the engine forgets is for its merges to decide, for minutes on a busy machine; a cut that is gone at the restart of
# a project is in tests/faults/test_engine.py.
@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_what_undo_retention_loses_goes_on_under_another_cut(
    new_oceanbase: Callable[..., OceanBaseServer],
) -> None:
    server = new_oceanbase()
    server.execute(
        "CREATE DATABASE numbers",
        "CREATE TABLE numbers.seq (n INT PRIMARY KEY)",
        "INSERT INTO numbers.seq VALUES " + ",".join(f"({n})" for n in range(1000)),
        "CREATE TABLE test.t (id INT PRIMARY KEY, v INT)",
        f"INSERT INTO test.t SELECT n, 1 FROM ({NUMBERS % 20}) s",
        "ALTER SYSTEM SET undo_retention = 1",
        "ALTER SYSTEM SET minor_compact_trigger = 0",
    )
    table = TableName("test", "t")
    run = OceanBaseRun(server, "test.t", Full(connections=1, range_rows=1_000), slots=1)

    def forget(number: int) -> None:
        if number != 5:
            return
        # A merge forgets what is older than the retention when it begins, and takes its time: another one asked for
        # meanwhile only makes it longer.
        deadline_s, freeze_s = time.monotonic() + 240, 0.0
        while kept(server, run.cut(1)):
            if time.monotonic() > freeze_s:
                server.execute("UPDATE test.t SET v = v + 1", "ALTER SYSTEM MINOR FREEZE")
                time.sleep(2)
                server.execute("UPDATE test.t SET v = v + 1", "ALTER SYSTEM MAJOR FREEZE")
                freeze_s = time.monotonic() + 50
            assert time.monotonic() < deadline_s
            time.sleep(1)

    with pytest.raises(SnapshotLost, match="no longer keeps the rows as of the cut"):
        run.drive(forget)
    server.execute("ALTER SYSTEM SET undo_retention = 1800", "UPDATE test.t SET v = -1")
    before = len(run.rows[table])
    drive_to_the_end(run, server)
    first, *others = run.record(table).regions
    assert first.cut == 1 and others and all(region.cut > 1 for region in others)
    assert 1_000 <= before < 20_000
    rows = [(int(row[0] or 0), int(row[1] or 0)) for row in run.rows[table]]
    assert sorted(rows) == [(n, 1 if n < before else -1) for n in range(20_000)]


def drive_to_the_end(run: OceanBaseRun, server: OceanBaseServer) -> None:
    """Read under another cut, and under further ones while a merge under way still goes by the short retention."""
    for _ in range(10):
        keeps_again(server)
        run.again()
        with suppress(SnapshotLost):
            return run.drive()
    raise AssertionError("no cut is kept")


def keeps_again(server: OceanBaseServer) -> None:
    """Wait until the raised retention is in force: a point stays readable for seconds."""
    deadline_s = time.monotonic() + 60
    while time.monotonic() < deadline_s:
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT CURRENT_SCN()")
            row = cursor.fetchone()
        assert row is not None
        time.sleep(5)
        if kept(server, Cut(1, "", scn=int(row[0]))):
            return
    raise AssertionError("undo_retention is not in force after a minute")


def kept(server: OceanBaseServer, cut: Cut) -> bool:
    try:
        server.execute(f"SELECT COUNT(*) FROM test.t AS OF SNAPSHOT {cut.scn}")
    except pymysql.err.MySQLError as error:
        assert error.args[0] in (1412, 4344)
        return False
    return True


DDL = {
    "add column": "ALTER TABLE t ADD COLUMN z INT DEFAULT 5",
    "drop column": "ALTER TABLE t DROP COLUMN b",
    "another column of that name": "ALTER TABLE t DROP COLUMN c; ALTER TABLE t ADD COLUMN c INT DEFAULT 9",
    "swapped names": "ALTER TABLE t RENAME COLUMN a TO x; ALTER TABLE t RENAME COLUMN c TO a; ALTER TABLE t RENAME COLUMN x TO c",
    "another type": "ALTER TABLE t MODIFY a VARCHAR(20)",
    "truncate": "TRUNCATE TABLE t",
    "drop": "DROP TABLE t",
    "another table of that name": "RENAME TABLE t TO old; CREATE TABLE t LIKE old",
    "rename": "RENAME TABLE t TO old",
    "rename and back": "RENAME TABLE t TO old; RENAME TABLE old TO t",
    "drop partition": "ALTER TABLE t DROP PARTITION p1",
    "another partition of that name": "ALTER TABLE t DROP PARTITION p2; ALTER TABLE t ADD PARTITION (PARTITION p2 VALUES LESS THAN (1000000))",
    "truncate partition": "ALTER TABLE t TRUNCATE PARTITION p2",
    "add partition": "ALTER TABLE t ADD PARTITION (PARTITION p3 VALUES LESS THAN (2000000))",
    "index": "CREATE INDEX i ON t (a)",
}  # fmt: skip


@pytest.mark.parametrize("ddl", DDL.values(), ids=DDL)
@pytest.mark.usefixtures("numbers")
def test_ddl_under_way_ends_that_table_alone(oceanbase: OceanBaseServer, database: str, ddl: str) -> None:
    oceanbase.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, b INT, a INT, c INT) PARTITION BY RANGE (id) ("
        "PARTITION p0 VALUES LESS THAN (4000), PARTITION p1 VALUES LESS THAN (8000),"
        " PARTITION p2 VALUES LESS THAN (1000000))",
        f"INSERT INTO {database}.t SELECT n, 1, 2, 3 FROM ({NUMBERS % 12}) s",
        f"CREATE TABLE {database}.u (id INT PRIMARY KEY)",
        f"INSERT INTO {database}.u SELECT n FROM ({NUMBERS % 3}) s",
    )
    run = OceanBaseRun(oceanbase, f"{database}.?", Full(connections=1, range_rows=500), slots=1)

    def alter(number: int) -> None:
        if number == 4:
            oceanbase.execute(f"USE {database}", *ddl.split("; "))

    with pytest.raises(SchemaChanged, match="dropped or changed while it was read") as caught:
        run.drive(alter)
    assert f"{database}.t" in caught.value.where
    assert len(run.rows[TableName(database, "u")]) == 3_000
    read = run.rows[TableName(database, "t")]
    assert 1_500 <= len(read) < 12_000
    assert read == [(b"%d" % n, b"1", b"2", b"3") for n in range(len(read))]


@pytest.mark.usefixtures("numbers")
def test_a_cut_that_is_too_old_is_told_from_ddl(oceanbase: OceanBaseServer, database: str) -> None:
    make(oceanbase, database)
    snapshot = snapshots(oceanbase, f"{database}.t", 1).open(1)
    reader, table = snapshot.readers[0], snapshot.tables[0]
    # Before the table was made: to the engine the same error.
    reader._cut = Cut(1, "", commit_us=snapshot.cut.commit_us, scn=snapshot.cut.scn - 3_600 * 10**9)
    with pytest.raises(SnapshotLost, match="no longer keeps the rows") as caught:
        list(reader.read(ChunkRequest(table, ("id",), None, None, 0), 1 << 20))
    assert caught.value.cure.endswith("ALTER SYSTEM SET undo_retention = 7200;")
    oceanbase.execute(f"TRUNCATE TABLE {database}.t")
    with pytest.raises(SchemaChanged):
        list(reader.read(ChunkRequest(table, ("id",), None, None, 0), 1 << 20))
    snapshot.close()


@pytest.mark.usefixtures("numbers")
def test_the_time_left_is_held_against_undo_retention(oceanbase: OceanBaseServer, database: str) -> None:
    make(oceanbase, database)
    snapshot = snapshots(oceanbase, f"{database}.t", 1).open(1)
    assert snapshot.outlasts(1_700.0) == ""
    warning = snapshot.outlasts(3_600.0)
    assert warning.startswith(
        "Reading will take 60 minutes more, and the source keeps the rows as of this cut for 30."
    )
    assert warning.endswith("ALTER SYSTEM SET undo_retention = 5400;")
    snapshot.close()
    assert rows_as_of(oceanbase, snapshot.tables[0], snapshot.cut)
    assert select(oceanbase, database, "SELECT COUNT(*) FROM t") == [(b"30000",)]

"""Lost connections, restarts, DDL under way, missing rights, purged logs: nothing twice, nothing missing, or a clear stop."""

from __future__ import annotations

import threading
import time

import pymysql
import pytest

from obsync_tui.engine.errors import LogGap, SchemaChanged, SnapshotLost, SourceRefused
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.mysql import cut as cut_module
from obsync_tui.engine.mysql.snapshot import MySQLSnapshots
from obsync_tui.model.project import Full
from obsync_tui.model.table import TableName
from tests.engine.full.driving import Run, replay, select, snapshots
from tests.servers import MySQLServer

NUMBERS = "SELECT a.n*1000+b.n AS n FROM numbers.seq a, numbers.seq b WHERE a.n < %d"


class Changes:
    """Inserts, updates, deletes and moves of rows of t (id VARCHAR, v) all over the key space until it is left."""

    def __init__(self, server: MySQLServer, database: str) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, args=(server, database))
        self.count = 0

    def _write(self, server: MySQLServer, database: str) -> None:
        with server.connect(database=database) as connection, connection.cursor() as cursor:
            while not self._stop.is_set():
                n = self.count * 7919 % 40_000
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE t SET v = v + 1 WHERE id IN ('a{n}', 'B{n}', 'c{n + 1}')")
                cursor.execute(f"DELETE FROM t WHERE id = 'B{n + 3}'")
                # Moves a row to another range; another spelling of a key is still that key.
                cursor.execute(f"UPDATE IGNORE t SET id = 'D{n}' WHERE id = 'a{n + 2}'")
                cursor.execute(f"REPLACE INTO t VALUES ('A{n}', 1000, ''), ('e{n}', 2000, '')")
                cursor.execute("COMMIT")
                self.count += 1

    def __enter__(self) -> Changes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def make(server: MySQLServer, database: str) -> TableName:
    server.execute(
        f"CREATE TABLE {database}.t (id VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT, pad VARCHAR(400))",
        f"INSERT INTO {database}.t SELECT CONCAT(ELT(1+n MOD 3, 'a', 'B', 'c'), n), n, REPEAT('p', 400) FROM ({NUMBERS % 40}) s",
    )
    return TableName(database, "t")


def text_key(row: tuple[object, ...]) -> Key:
    # Folded, for a key keeps its identity under another spelling.
    return (str(row[0]).upper().encode(),)


def final(server: MySQLServer, database: str) -> dict[Key, int]:
    return {
        ((row[0] or b"").upper(),): int(row[1] or 0)
        for row in select(server, database, "SELECT id, v FROM t")
    }


def check(server: MySQLServer, run: Run, table: TableName) -> None:
    run.rows[table] = [((row[0] or b"").upper(), row[1]) for row in run.rows[table]]
    state = replay(server, run, table, text_key)
    assert {key: int(row[1]) for key, row in state.items()} == final(server, table.database)  # type: ignore[call-overload]


def test_one_lost_connection_gives_its_segment_to_the_living(mysql: MySQLServer, database: str) -> None:
    table = make(mysql, database)
    run = Run(mysql, f"{database}.*", Full(connections=3, range_rows=2_000), seed=2, slots=1)
    killed: list[int] = []

    def kill(number: int) -> None:
        time.sleep(0.02)
        if number in (3, 8):
            killed.append(min(set(run.connections()) - set(killed)))
            mysql.execute(f"KILL {killed[-1]}")

    with Changes(mysql, database):
        run.drive(kill)
    assert len(killed) == 2
    (warning,) = run.importer.warnings()
    assert warning.startswith("Snapshot connections are lost, the others go on: ")
    assert run.progress.next_cut_id == 2
    check(mysql, run, table)


@pytest.mark.parametrize("seed", [1, 2])
def test_after_the_loss_of_all_connections_the_rest_has_another_cut(
    mysql: MySQLServer, database: str, seed: int
) -> None:
    table = make(mysql, database)
    run = Run(mysql, f"{database}.*", Full(connections=3, range_rows=1_000), seed=seed, slots=1)

    def kill(number: int) -> None:
        time.sleep(0.02)
        if number == 6:
            for thread_id in run.connections():
                try:
                    mysql.execute(f"KILL {thread_id}")
                except pymysql.err.MySQLError as error:
                    assert error.args[0] == 1094

    with Changes(mysql, database) as changes:
        for _ in range(2):
            with pytest.raises(SnapshotLost, match="all snapshot connections are lost"):
                run.drive(kill)
            before, deadline = changes.count, time.monotonic() + 30
            while changes.count < before + 20 and time.monotonic() < deadline:
                time.sleep(0.01)
            run.again()
        run.drive()
    assert run.progress.next_cut_id == 4
    assert len(run.progress._tables[table].ranges.committed.regions) > 1
    check(mysql, run, table)


def test_a_keyless_table_is_read_again_from_its_first_cut(mysql: MySQLServer, database: str) -> None:
    mysql.execute(
        f"CREATE TABLE {database}.t (a INT, pad TEXT)",
        f"INSERT INTO {database}.t SELECT n, REPEAT('p', 400) FROM ({NUMBERS % 30}) s",
    )
    run = Run(mysql, f"{database}.*", Full(connections=1), slots=1)
    with pytest.raises(ZeroDivisionError):
        run.drive(lambda number: time.sleep(0) if number < 3 or not run.commits else 1 // 0)
    first = run.progress.oldest_cut()
    repeated = len(run.rows[TableName(database, "t")])
    assert repeated
    mysql.execute(f"DELETE FROM {database}.t WHERE a = 7")
    run.again()
    run.drive()
    assert len(run.rows[TableName(database, "t")]) == repeated + 29_999
    cuts = run.progress.cut_filter({}, run.snapshots.ranker())
    assert run.progress.oldest_cut() == first and first and first.cut_id == 1
    assert cuts.newest.cut_id == 2


@pytest.mark.parametrize(
    "ddl",
    [
        "DROP TABLE {}.b",
        "ALTER TABLE {}.b DROP COLUMN v",
        "TRUNCATE {}.b",
        "RENAME TABLE {0}.b TO {0}.z",
        "OPTIMIZE TABLE {}.b",
    ],
)
def test_ddl_under_way_stops_that_table_alone(mysql: MySQLServer, database: str, ddl: str) -> None:
    for name in "abc":
        mysql.execute(
            f"CREATE TABLE {database}.{name} (id INT PRIMARY KEY, v VARCHAR(300))",
            f"INSERT INTO {database}.{name} SELECT n, REPEAT('v', 300) FROM ({NUMBERS % 20}) s",
        )
    run = Run(mysql, f"{database}.*", Full(connections=2, range_rows=1_000), slots=1)
    changing = threading.Thread(target=mysql.execute, args=(ddl.format(database),))

    def change(number: int) -> None:
        # Twenty batches a table; the statement comes in the middle of b.
        time.sleep(0.3 if changing.is_alive() else 0.005)
        if number == 25:
            # It waits for segments being read, not for the whole snapshot.
            changing.start()

    if mysql.version == "5.7" and ddl.startswith("TRUNCATE"):
        # 5.7 shows the old snapshot an empty table: nobody will miss the rest, for the stream has the TRUNCATE.
        run.drive(change)
        changing.join()
        assert 0 < len(run.rows[TableName(database, "b")]) < 20_000
        return
    with pytest.raises(SchemaChanged, match="dropped or changed while it was read") as stopped:
        run.drive(change)
    changing.join()
    assert stopped.value.where.endswith(f"{database}.b")
    assert "Start again" in str(stopped.value)
    counts = {name: len(run.rows[TableName(database, name)]) for name in "abc"}
    assert (counts["a"], counts["c"]) == (20_000, 20_000)
    assert 0 < counts["b"] < 20_000
    if ddl.startswith("OPTIMIZE"):
        run.again()
        run.drive()
        assert sorted(int(row[0] or 0) for row in run.rows[TableName(database, "b")]) == list(range(20_000))


def test_a_changed_table_is_found_after_a_restart(mysql57: MySQLServer) -> None:
    mysql57.execute(
        "CREATE DATABASE restarted",
        "CREATE TABLE restarted.t (id INT PRIMARY KEY, v VARCHAR(300))",
        "INSERT INTO restarted.t VALUES (1, 'a'), (2, 'b')",
    )
    run = Run(mysql57, "restarted.*", Full(connections=1, range_rows=1))
    run.drive()
    run.records = {
        "cuts": b'[{"cut_id":1,"executed":""}]',
        "table:restarted.t": b'{"name":{"database":"restarted","table":"t"},"key":["id"],"regions":[[["MQ=="],1],[null,0]],"rows":1}',
        "table:restarted.gone": b'{"name":{"database":"restarted","table":"gone"},"key":["id"],"regions":[[["MQ=="],1],[null,0]],"rows":1}',
    }
    known = {TableName("restarted", "t"): run.progress._tables[TableName("restarted", "t")].version}
    mysql57.execute("ALTER TABLE restarted.t ADD COLUMN w INT")
    run.again()
    run.importer.open(known)
    assert [str(error.where) for error in run.progress.failed()] == ["restarted.t"]
    assert run.progress.warnings == (
        "restarted.gone is no longer there or no longer in scope: its full synchronization ends with 1 rows",
    )
    run.close()
    mysql57.execute("DROP DATABASE restarted")


def test_without_the_right_the_cure_is_named(mysql: MySQLServer, database: str) -> None:
    mysql.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY)",
        "CREATE USER IF NOT EXISTS reader@'127.0.0.1'",
        f"GRANT SELECT ON {database}.* TO reader@'127.0.0.1'",
    )
    with pytest.raises(SourceRefused) as refused:
        snapshots(mysql, f"{database}.*", user="reader").open(1)
    assert refused.value.cure == "Run: GRANT RELOAD ON *.* TO 'reader'@'127.0.0.1'"


def test_the_lock_is_not_queued_for(
    mysql: MySQLServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mysql.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY)")
    monkeypatch.setattr(cut_module, "LOCK_WAIT_S", 1)
    monkeypatch.setattr(cut_module, "_TRIES", 2)
    monkeypatch.setattr(cut_module, "_PAUSE_S", 0.01)
    with mysql.connect(database=database) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES t WRITE")
        with pytest.raises(SnapshotLost, match="2 tries: a transaction or a lock held it up for 1 s"):
            snapshots(mysql, f"{database}.*").open(1)
        cursor.execute("INSERT INTO t VALUES (1)")
        cursor.execute("UNLOCK TABLES")
    assert snapshots(mysql, f"{database}.*").start_point().tables[0].name == TableName(database, "t")


def test_a_waiting_open_can_be_stopped(mysql57: MySQLServer, monkeypatch: pytest.MonkeyPatch) -> None:
    mysql57.execute(
        "CREATE DATABASE IF NOT EXISTS locked", "CREATE TABLE IF NOT EXISTS locked.t (id INT PRIMARY KEY)"
    )
    opening = snapshots(mysql57, "locked.*")
    ended: list[BaseException] = []

    def run(snapshot: MySQLSnapshots) -> None:
        try:
            snapshot.open(1)
        except Exception as error:
            ended.append(error)

    with mysql57.connect() as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES locked.t WRITE")
        thread = threading.Thread(target=run, args=(opening,))
        thread.start()
        time.sleep(0.5)
        opening.stop()
        thread.join(3)
        assert not thread.is_alive() and ended
    mysql57.execute("DROP DATABASE locked")


def test_a_purged_log_is_seen(mysql: MySQLServer, database: str) -> None:
    mysql.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY)", f"INSERT INTO {database}.t VALUES (1)")
    snapshot = snapshots(mysql, f"{database}.*", 1).open(1)
    try:
        setting = "expire_logs_days = 1" if mysql.version == "5.7" else "binlog_expire_logs_seconds = 86400"
        mysql.execute(f"SET GLOBAL {setting}")
        left = snapshot.log_left(snapshot.cut)
        assert left.left_s and 86_000 < left.left_s <= 86_400 and not left.warning
        aged = type(snapshot.cut)(1, snapshot.cut.executed, snapshot.cut.taken_s - 50_000)
        assert "raise its retention" in snapshot.log_left(aged).warning
        mysql.execute(f"INSERT INTO {database}.t VALUES (2)", "FLUSH BINARY LOGS")
        with mysql.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW MASTER STATUS")
            (status,) = cursor.fetchall()
        mysql.execute(f"PURGE BINARY LOGS TO '{status[0]}'")
        with pytest.raises(LogGap, match="purged the binlog"):
            snapshot.log_left(snapshot.cut)
    finally:
        mysql.execute("SET GLOBAL " + setting.replace("86400", "2592000").replace("days = 1", "days = 0"))
        snapshot.close()


def test_close_ends_readers_that_wait(mysql57: MySQLServer) -> None:
    mysql57.execute(
        "CREATE DATABASE closing",
        "CREATE TABLE closing.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(1000))",
        "INSERT INTO closing.t (v) VALUES (REPEAT('v', 1000))",
        *["INSERT INTO closing.t (v) SELECT v FROM closing.t"] * 13,
    )
    run = Run(mysql57, "closing.*", Full(connections=2), slots=1)
    run.importer.open()
    run.importer.start()
    while not run.batches.full():
        time.sleep(0.01)
    run.close()
    deadline = time.monotonic() + 10
    while run.connections() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not run.connections()
    mysql57.execute("DROP DATABASE closing")

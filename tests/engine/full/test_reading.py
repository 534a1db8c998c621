"""Every row of every kind of key is read exactly once, by ranges, on real servers."""

from __future__ import annotations

import resource
import threading
import time

import pytest

from obsync_tui.engine.full.keys import chunk_key
from obsync_tui.engine.full.ranges import Region, TableRecord
from obsync_tui.engine.full.reader import ChunkRequest
from obsync_tui.engine.mysql.keysql import mysql_place, select_rows, select_split_point
from obsync_tui.model.checkpoint import CUTS_KEY
from obsync_tui.model.project import Full
from obsync_tui.model.table import TableName
from tests.engine.full.driving import Run, SqlServer, plain, select, snapshots
from tests.servers import MySQLServer

NUMBERS = "SELECT a.n*1000+b.n AS n FROM numbers.seq a, numbers.seq b WHERE a.n < %d"
# Name: columns, key, what makes the key from n (0..), thousands of rows.
KEYS = {
    "int": ("id INT", "id", "n*3-70000", 100),
    "unsigned": ("id BIGINT UNSIGNED", "id", "18446744073709551615-n", 20),
    "zerofill": ("id INT(10) UNSIGNED ZEROFILL", "id", "n", 20),
    "composite": ("a SMALLINT, b VARCHAR(20) COLLATE utf8mb4_general_ci, c DATE", "a, b, c",
                  "n MOD 7, CONCAT(IF(n MOD 2, 'x', 'X'), n DIV 14), '2020-01-01' + INTERVAL n DAY", 100),
    "string": ("id VARCHAR(30) COLLATE utf8mb4_general_ci", "id", "CONCAT(ELT(1+n MOD 4, 'é', 'Ab', 'aC', 'ß '), n)", 100),
    "bin": ("id VARCHAR(30) COLLATE utf8mb4_bin", "id", "CONCAT(ELT(1+n MOD 3, 'A', 'b', '😀'), n)", 20),
    "gbk": ("id CHAR(12) CHARACTER SET gbk", "id", "CONCAT(CONVERT(x'A2E3' USING gbk), n)", 20),
    "utf16": ("id VARCHAR(12) CHARACTER SET utf16", "id", "CONCAT('ü\\'', n)", 20),
    "binary": ("id BINARY(6)", "id", "UNHEX(LPAD(HEX(n*65537), 8, '0'))", 20),
    "varbinary": ("id VARBINARY(20)", "id", "UNHEX(SHA1(n))", 20),
    "decimal": ("id DECIMAL(30,10)", "id", "n*1.0000000001 - 5000", 20),
    "date": ("id DATE", "id", "IF(n = 0, '0000-00-00', '1900-01-01' + INTERVAL n DAY)", 20),
    "datetime": ("id DATETIME(3)", "id",
                 "IF(n < 2, ELT(1+n, '0000-00-00', '2020-02-31 00:00:00.5'), '1970-01-01' + INTERVAL n DIV 4 SECOND + INTERVAL n MOD 4*250000 MICROSECOND)", 20),
    "time": ("id TIME(2)", "id", "SEC_TO_TIME((n-10000)*12.25)", 20),
    "timestamp": ("id TIMESTAMP(6)", "id", "IF(n = 0, '0000-00-00', '2020-10-25' + INTERVAL n SECOND + INTERVAL n MICROSECOND)", 20),
    "year": ("y YEAR, id INT", "y, id", "IF(n MOD 3, 1970 + n MOD 20, 0), n", 20),
    "unique": ("id VARCHAR(9) NOT NULL, e ENUM('b', 'a') DEFAULT 'a', PRIMARY KEY (e, id), UNIQUE", "id", "n", 20),
}  # fmt: skip


def make(server: SqlServer, database: str, kind: str, partitioning: str = "") -> int:
    columns, key, expressions, thousands = KEYS[kind]
    with server.connect(database=database) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
        primary = f"{columns} ({key})" if columns.endswith("UNIQUE") else f"{columns}, PRIMARY KEY ({key})"
        cursor.execute(f"CREATE TABLE t ({primary}, n INT NOT NULL, f FLOAT) {partitioning}")
        cursor.execute(
            f"INSERT INTO t ({key}, n, f) SELECT {expressions}, n, n/7 FROM ({NUMBERS % thousands}) s"
        )
    return thousands * 1000


@pytest.mark.parametrize("kind", KEYS)
def test_rows_are_read_once(mysql: MySQLServer, database: str, kind: str) -> None:
    count = make(mysql, database, kind)
    run = Run(mysql, f"{database}.*", Full(connections=3, range_rows=count // 11), seed=1)
    run.drive()
    name = TableName(database, "t")
    version = run.progress._tables[name].version
    assert chunk_key(version) == tuple(KEYS[kind][1].split(", "))
    columns = ", ".join(
        f"UNIX_TIMESTAMP({column.name})" if column.data_type == "timestamp" else column.name
        for column in version.columns[:-1]
    )
    expected = select(mysql, database, f"SELECT {columns}, f*1e0 FROM t ORDER BY n")
    at = version.column_index("n")
    assert len(expected) == count
    assert sorted(run.rows[name], key=lambda row: int(row[at] or b"")) == expected
    record = TableRecord.decode(run.records[f"table:{database}.t"])
    assert record == TableRecord(name, chunk_key(version), (Region(None, 1),), count)


@pytest.mark.parametrize("kind", ["int", "composite", "string", "datetime", "year"])
def test_conditions_read_a_range_of_the_index(mysql: MySQLServer, database: str, kind: str) -> None:
    make(mysql, database, kind)
    mysql.execute(f"ANALYZE TABLE {database}.t")
    snapshot = snapshots(mysql, f"{database}.*", 1).open(1)
    table, key = snapshot.tables[0], chunk_key(snapshot.tables[0])
    whole = ChunkRequest(table, key, None, None, 0)
    after, upto = snapshot.readers[0].split_point(whole, 100), snapshot.readers[0].split_point(whole, 300)
    request = ChunkRequest(table, key, after, upto, 0)
    with plain(mysql, database) as connection, connection.cursor() as cursor:
        place = mysql_place(request)
        rows = select_rows(request, place)
        for sql in (rows, select_split_point(request, 50, place)):
            cursor.execute("EXPLAIN " + sql)
            (row,) = cursor.fetchall()
            assert (row[4], row[6]) == (b"range", b"PRIMARY")
            assert b"filesort" not in row[-1]
            assert int(row[9]) < 400
            cursor.execute(sql)
            assert len(cursor.fetchall()) == (200 if sql == rows else 1)
    snapshot.close()


def test_aborted_transactions_are_read_again(mysql: MySQLServer, database: str) -> None:
    make(mysql, database, "int")
    mysql.execute(
        f"CREATE TABLE {database}.keyless (a INT, b TEXT)",
        f"INSERT INTO {database}.keyless SELECT n, REPEAT('x', n MOD 100) FROM ({NUMBERS % 30}) s",
        f"CREATE TABLE {database}.empty (a INT PRIMARY KEY)",
    )
    run = Run(mysql, f"{database}.*", Full(connections=3, range_rows=9_000), seed=5)
    run.aborts = 0.2
    run.drive()
    assert run.importer.status().tables_done == 3
    assert sorted(int(row[-2] or 0) for row in run.rows[TableName(database, "t")]) == list(range(100_000))
    assert sorted(int(row[0] or 0) for row in run.rows[TableName(database, "keyless")]) == list(range(30_000))
    assert set(run.records) == {CUTS_KEY} | {f"table:{database}.{name}" for name in ("t", "keyless", "empty")}


def test_a_snapshot_is_one_point_of_time(mysql: MySQLServer, database: str) -> None:
    """Each transaction adds 1 to a row and writes a journal: at any point both agree."""
    mysql.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v INT)",
        f"INSERT INTO {database}.t SELECT n, 0 FROM ({NUMBERS % 5}) s",
        f"CREATE TABLE {database}.journal (n INT PRIMARY KEY AUTO_INCREMENT, id INT)",
    )
    writer = Writer(mysql, database)
    run = Run(mysql, f"{database}.*", Full(connections=2, range_rows=700))
    with writer:
        while writer.count < 50:
            time.sleep(0.01)
        run.drive(lambda _: time.sleep(0.02))
    seen: dict[bytes, int] = {}
    for row in run.rows[TableName(database, "journal")]:
        seen[row[1] or b""] = seen.get(row[1] or b"", 0) + 1
    assert 50 <= sum(seen.values()) < writer.count
    assert {key: int(v or 0) for key, v in run.rows[TableName(database, "t")] if v != b"0"} == seen


class Writer:
    """Commits small transactions until it is left."""

    def __init__(self, server: SqlServer, database: str) -> None:
        self.count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, args=(server, database))

    def _write(self, server: SqlServer, database: str) -> None:
        with server.connect(database=database) as connection, connection.cursor() as cursor:
            while not self._stop.is_set():
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE t SET v = v + 1 WHERE id = {self.count * 37 % 5000}")
                cursor.execute(f"INSERT INTO journal (id) VALUES ({self.count * 37 % 5000})")
                cursor.execute("COMMIT")
                self.count += 1

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_slow_consumer_does_not_grow_memory(mysql57: MySQLServer) -> None:
    mysql57.execute(
        "CREATE DATABASE IF NOT EXISTS slow",
        "CREATE TABLE slow.t (id INT PRIMARY KEY, v VARCHAR(4000))",
        "INSERT INTO slow.t SELECT n, REPEAT('v', 4000) FROM (SELECT a.n*1000+b.n AS n FROM (SELECT 0 n) a,"
        " (SELECT @r := @r + 1 AS n FROM information_schema.COLUMNS c, (SELECT @r := 0) r LIMIT 2500) b) s",
        *["INSERT INTO slow.t SELECT id + (SELECT 2500 * POW(2, %d)), v FROM slow.t" % i for i in range(4)],
    )
    run = Run(mysql57, "slow.*", Full(connections=4), slots=2)
    run.rows = {TableName("slow", "t"): Forgets()}  # type: ignore[assignment]
    before = resident()
    most = 0

    def watch(number: int) -> None:
        nonlocal most
        time.sleep(0.01)
        most = max(most, resident())

    run.drive(watch)
    assert run.importer.status().rows == 40_000
    assert most - before < 40 << 20
    mysql57.execute("DROP DATABASE slow")


class Forgets:
    def append(self, _: object) -> None: ...


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

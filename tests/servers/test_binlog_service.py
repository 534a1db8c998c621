"""Binlog Service for tests writes what its reference says, seen by readers that share nothing with it."""

from __future__ import annotations

import re
import threading
import time
from contextlib import closing

import pymysql
import pytest

from tests.servers import MySQLServer
from tests.servers.rawdump import (
    DELETE_ROWS,
    FORMAT,
    GTID,
    PARTIAL_UPDATE_ROWS,
    PREVIOUS_GTIDS,
    QUERY,
    ROTATE,
    ROWS,
    TABLE_MAP,
    UPDATE_ROWS,
    WRITE_ROWS,
    XID,
    RawDump,
    RawEvent,
)
from tests.servers.servicelog import Database, kinds, read_changes


def test_a_transaction_is_gtid_begin_and_a_table_map_for_each_row(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10))")
    database.mark()
    with closing(database.server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_SCN()")
        before = cursor.fetchone()[0] // 1000
        database.run(
            "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
            "UPDATE t SET v = 'c' WHERE id = 1",
            "REPLACE INTO t VALUES (2, 'd')",
            transaction=True,
        )
        cursor.execute("SELECT CURRENT_SCN()")
        after = cursor.fetchone()[0] // 1000
    events = database.events()
    rows = [WRITE_ROWS, WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS, WRITE_ROWS]
    assert kinds(events) == [GTID, QUERY, *[kind for row in rows for kind in (TABLE_MAP, row)], XID]
    assert all(event.intact for event in events)
    assert before <= events[0].commit_us <= after
    assert {event.timestamp_s for event in events} == {events[0].commit_us // 1_000_000}
    assert events[1].statement == ("", "BEGIN")
    for event in events:
        if event.kind in ROWS:
            # The statement's end, two bytes of extra data, all columns present.
            images = 2 if event.kind == UPDATE_ROWS else 1
            assert event.body[6:11] == b"\x01\x00\x02\x00\x02"
            assert event.body[11 : 11 + images] == b"\xff" * images


def test_a_file_begins_as_mysql_5_7_does(database: Database) -> None:
    with RawDump(database.server.connect) as dump:
        events = [event for event, _ in zip(dump, range(3), strict=False)]
    assert kinds(events) == [ROTATE, FORMAT, PREVIOUS_GTIDS]
    assert (events[0].timestamp_s, events[0].flags, events[0].position) == (0, 0x20, 0)
    assert events[1].body[:8] == b"\x04\x005.7.38"
    assert len(events[1].body) - 57 - 1 == 38
    assert events[1].body[-1] == 1


_COLUMNS = {
    "ti TINYINT": "-128",
    "tu TINYINT UNSIGNED": "255",
    "si SMALLINT": "-32768",
    "mi MEDIUMINT": "-8388608",
    "mu MEDIUMINT UNSIGNED": "16777215",
    "iu INT UNSIGNED": "4294967295",
    "bi BIGINT": "-9223372036854775808",
    "bu BIGINT UNSIGNED": "18446744073709551615",
    "d1 DECIMAL(20,5)": "-123456789012345.67891",
    "d2 DECIMAL(5,5)": "0.00012",
    "d3 DECIMAL(65,30)": "-99999999999999999999999999999999999.000000000000000000000000000001",
    "d4 DECIMAL(9,0)": "100000000",
    "f FLOAT": "16777216",
    "g DOUBLE": "1.7976931348623157e308",
    "b1 BIT(1)": "b'1'",
    "b2 BIT(10)": "b'1000000001'",
    "b3 BIT(64)": "18446744073709551615",
    "y YEAR": "1999",
    "dt DATE": "'1000-01-31'",
    "t0 TIME": "'-838:59:59'",
    "t3 TIME(3)": "'-00:00:00.001'",
    "t6 TIME(6)": "'12:34:56.123456'",
    "e0 DATETIME": "'9999-12-31 23:59:59'",
    "e4 DATETIME(4)": "'2020-02-29 01:02:03.0405'",
    "e6 DATETIME(6)": "'1000-01-01 00:00:00.000001'",
    "s0 TIMESTAMP NULL": "'1970-01-01 00:00:01'",
    "s2 TIMESTAMP(2) NULL": "'2038-01-19 03:14:07.99'",
    "s6 TIMESTAMP(6) NULL": "'2024-02-29 12:00:00.000001'",
    "c1 CHAR(10)": "'ab  '",
    "c2 CHAR(255)": "'é€𝄞'",
    "c3 CHAR(3) CHARACTER SET gbk": "'啊'",
    "v1 VARCHAR(63)": "'a\\'b'",
    "v2 VARCHAR(64)": "''",
    "v3 VARCHAR(300) CHARACTER SET latin1": "'é€'",
    "v4 VARCHAR(20) CHARACTER SET gbk": "'中文'",
    "n1 BINARY(4)": "x'00ff00ff'",
    "n2 VARBINARY(300)": "x'00010200'",
    "x1 TINYTEXT": "'tiny'",
    "x2 TEXT": "REPEAT('x', 300)",
    "x3 MEDIUMBLOB": "x'00ff'",
    "x4 LONGTEXT": "'long'",
    "x5 BLOB": "''",
    "x6 MEDIUMTEXT CHARACTER SET gbk": "'中'",
    "n5 ENUM('a','b','c')": "'c'",
    "n6 SET('a','b','c','d','e','f','g','h','i')": "'a,i'",
    "j JSON": '\'{"b": [1, -1, 70000, 18446744073709551615, 1.5, "é", null, true, {}], "aa": {"x": "y"}, "": -3000000000}\'',
}


def _images(events: list[RawEvent]) -> list[tuple[int, bytes]]:
    """Kinds and bodies, without the ids of tables and what names the database."""
    found = []
    for event in events:
        if event.kind == TABLE_MAP:
            found.append((event.kind, event.body[8 + 1 + event.body[8] + 1 :]))
        elif event.kind in ROWS:
            found.append((event.kind, event.body[6:]))
    return found


def test_values_are_byte_for_byte_those_of_mysql(database: Database, mysql57: MySQLServer) -> None:
    # A multiple of eight: MySQL fills the bitmap of NULLs up with ones, and what OceanBase does is not known.
    assert (len(_COLUMNS) + 2) % 8 == 0
    columns = ", ".join(["id INT PRIMARY KEY", *_COLUMNS, "st BIGINT GENERATED ALWAYS AS (id + 1) STORED"])
    names = ", ".join(["id", *(column.split()[0] for column in _COLUMNS)])
    nothing = ", ".join(["2", *["NULL"] * len(_COLUMNS)])
    values = ", ".join(["1", *_COLUMNS.values()])
    statements = (
        f"CREATE TABLE t ({columns}) DEFAULT CHARSET = utf8mb4",
        "SET time_zone = '+00:00'",
        f"INSERT INTO t ({names}) VALUES ({values})",
        f"INSERT INTO t ({names}) VALUES ({nothing})",
        "UPDATE t SET ti = 1, j = NULL WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        "DELETE FROM t WHERE id = 2",
    )
    database.run(*statements)
    with closing(mysql57.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@global.gtid_executed")
        start = cursor.fetchone()[0]
        cursor.execute(f"CREATE DATABASE {database.name}")
        cursor.execute(f"USE {database.name}")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SELECT @@server_uuid, @@global.gtid_executed")
        uuid, executed = cursor.fetchone()
    # Transactions that other tests named are in the set, too.
    own = re.search(rf"{uuid}:([\d:-]+)", executed)
    assert own is not None
    with RawDump(mysql57.connect, start) as dump:
        theirs = _images(dump.until(f"{uuid}:{re.split('[:-]', own[1])[-1]}"))
    ours = _images(database.events())
    assert [kind for kind, _ in ours] == [kind for kind, _ in theirs]
    assert ours == theirs


def test_the_sum_of_all_changes_is_the_tables(database: Database) -> None:
    database.run(
        "CREATE TABLE p (a INT, b VARCHAR(20), v DECIMAL(10,2), PRIMARY KEY (a, b)) PARTITION BY KEY (a) PARTITIONS 3",
        "CREATE TABLE q (id INT PRIMARY KEY, v DATETIME(3))",
        "CREATE TABLE keyless (x INT, y TEXT)",
    )
    database.mark()

    def write(number: int) -> None:
        for i in range(30):
            key = number * 1000 + i
            database.run(
                f"INSERT INTO p VALUES ({key}, 'k', 1.5), ({key}, 'l', 2)",
                f"INSERT INTO q VALUES ({key}, NOW(3)) ON DUPLICATE KEY UPDATE v = NOW(3)",
                f"INSERT INTO keyless VALUES ({i}, 'y'), ({i}, 'y')",
                f"UPDATE p SET v = v + 1 WHERE a > {key - 3} AND a <= {key}",
                f"UPDATE p SET b = 'm' WHERE a = {key} AND b = 'l'",
                f"REPLACE INTO q VALUES ({key - 1}, NULL)",
                f"DELETE FROM keyless WHERE x = {i} AND y = 'y' LIMIT 1",
                transaction=True,
            )

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found: dict[str, list[tuple[object, ...]]] = {"p": [], "q": [], "keyless": []}
    for table, before, after in read_changes(database.server, database.start, database.server.drain()):
        if before:
            found[table].remove(before)
        if after:
            found[table].append(after)
    with closing(database.server.connect(database=database.name)) as connection, connection.cursor() as c:
        for table, rows in found.items():
            c.execute(f"SELECT * FROM {table}")
            assert sorted(rows) == sorted(c.fetchall()), table


def test_logs_are_emptied_while_rows_come_and_none_is_lost(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)")
    database.mark()

    def write() -> None:
        rows = ", ".join(["(NULL, 1)"] * 500)
        database.run(*[f"INSERT INTO t VALUES {rows}"] * 50)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    end = database.last()
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        with closing(database.server.engine.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {database.name}.mlog$_t")
            if cursor.fetchone()[0] < 50_000:
                break
        time.sleep(0.2)
    else:
        raise AssertionError("the view log was never emptied")
    with RawDump(database.server.connect, database.start) as dump:
        began_s = time.monotonic()
        events = dump.until(end)
        print(f"{50_000 / (time.monotonic() - began_s):.0f} rows/s")
    assert sum(event.kind == WRITE_ROWS for event in events) == 50_000


def test_ddl_stands_between_the_rows_before_and_after_it(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)")
    database.run("ALTER TABLE t MODIFY v BIGINT", "INSERT INTO t VALUES (2, 2)")
    database.run("ALTER TABLE t ADD COLUMN w INT", "INSERT INTO t VALUES (3, 3, 3)", "TRUNCATE TABLE t")
    database.run("RENAME TABLE t TO u", "INSERT INTO u VALUES (4, 4, 4)", "DROP TABLE u")
    events = database.events()
    seen = [
        event.statement[1].partition("(")[0].split()[:2] if event.kind == QUERY else event.body[10]
        for event in events
        if event.kind in ROWS or (event.kind == QUERY and event.statement[1] != "BEGIN")
    ]
    assert seen == [
        ["CREATE", "TABLE"],
        2,
        ["ALTER", "TABLE"],
        2,
        ["ALTER", "TABLE"],
        3,
        ["TRUNCATE", "TABLE"],
        ["RENAME", "TABLE"],
        3,
        ["DROP", "TABLE"],
    ]
    created = next(event for event in events if event.kind == QUERY)
    assert created.statement[0] == ""
    assert "REPLICA_NUM = 1 BLOCK_SIZE = 16384" in created.statement[1]
    # GTID, QUERY; no XID follows.
    assert kinds(events)[:3] == [GTID, QUERY, GTID]


def test_a_statement_that_fails_or_does_nothing_is_not_in_the_log(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY)")
    database.mark()
    with pytest.raises(pymysql.err.OperationalError, match=r"already exists|1050"):
        database.run("CREATE TABLE t (id INT)")
    database.run("CREATE TABLE IF NOT EXISTS t (id INT)", "INSERT INTO t VALUES (1)")
    assert kinds(database.events()) == [GTID, QUERY, TABLE_MAP, WRITE_ROWS, XID]


def test_ddl_waits_for_a_transaction_that_had_an_error(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY)")
    database.mark()
    with closing(database.server.connect(database=database.name)) as connection, connection.cursor() as c:
        c.execute("BEGIN")
        c.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(pymysql.err.IntegrityError):
            c.execute("INSERT INTO t VALUES (1)")
        altering = threading.Thread(target=database.run, args=("ALTER TABLE t ADD COLUMN w INT",))
        altering.start()
        altering.join(1)
        assert altering.is_alive()
        c.execute("INSERT INTO t VALUES (2)")
        c.execute("COMMIT")
    altering.join(60)
    assert not altering.is_alive()
    events = database.events()
    assert [e.kind for e in events if e.kind in ROWS] == [WRITE_ROWS, WRITE_ROWS]
    assert events[-1].kind == QUERY


def test_a_long_value_that_was_not_changed_is_null_in_both_images(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY, n INT, l LONGTEXT)")
    database.mark()
    database.run(
        "INSERT INTO t VALUES (1, 1, REPEAT('x', 9000)), (2, 2, REPEAT('y', 8000))",
        "UPDATE t SET n = n + 1",
        "UPDATE t SET l = 'short' WHERE id = 1",
        "REPLACE INTO t VALUES (2, 2, REPEAT('z', 9000))",
        "DELETE FROM t WHERE id = 2",
    )
    found = [
        [image and image[2] and len(image[2]) for image in (before, after)]
        for _, before, after in read_changes(database.server, database.start, database.server.drain())
    ]
    assert found == [
        [None, 9000],
        [None, 8000],
        [None, None],
        [8000, 8000],
        [None, 5],
        [8000, None],
        [None, 9000],
        [None, None],
    ]


def test_json_updates_come_in_part_when_asked(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY, j JSON)")
    database.mark()
    database.server.update_json_in_part()
    database.run(
        """INSERT INTO t VALUES (1, '{"a": 1, "b": "x", "c": null}')""",
        """UPDATE t SET j = JSON_REMOVE(JSON_SET(j, '$.a', 2, '$.d', 'n'), '$.c')""",
    )
    (event,) = [e for e in database.events() if e.kind == PARTIAL_UPDATE_ROWS]
    # Option PARTIAL_JSON for the one document, no NULL, the key, then REMOVE, REPLACE and INSERT with their paths.
    removed, replaced, added = (
        b'\x02\x05$."c"',
        b'\x00\x05$."a"\x03\x05\x02\x00',
        b'\x01\x05$."d"\x03\x0c\x01n',
    )
    diff = removed + replaced + added
    image = b"\x01\x01" + b"\x00" + b"\x01\x00\x00\x00" + len(diff).to_bytes(4, "little") + diff
    assert event.body.endswith(image)


def test_tables_that_cannot_be_followed_are_named(database: Database) -> None:
    database.run("CREATE TABLE g (id INT PRIMARY KEY, p POINT)")
    assert list(database.server.refused) == [f"{database.name}.g"]
    database.run("DROP TABLE g")
    assert database.server.refused == {}

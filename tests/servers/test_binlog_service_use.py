"""Binlog Service for tests in use: SQL through its proxy, dumps that resume, and what goes wrong on command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import pymysql
import pytest

from tests.servers import BinlogService
from tests.servers.rawdump import (
    FORMAT,
    GTID,
    HEARTBEAT,
    QUERY,
    ROTATE,
    ROWS,
    TABLE_MAP,
    WRITE_ROWS,
    XID,
    RawDump,
)
from tests.servers.servicelog import Database, ask, identities, kinds


def test_the_service_answers_what_odp_forwards_and_the_engine_all_else(database: Database) -> None:
    server = database.server
    executed = server.drain()
    ((file, position, *_, gtids),) = ask(server, "show master status;")
    assert (file, gtids) == (ask(server, "SHOW BINARY LOGS")[-1][0], executed)
    assert int(position) > 4
    uuid = executed.partition(":")[0]
    assert ask(server, "SELECT @@server_uuid") == [(uuid,)]
    assert ask(server, "SHOW GLOBAL VARIABLES LIKE 'gtid_mode'") == [("gtid_mode", "ON")]
    assert ask(server, "SELECT @@gtid_executed") == [(executed,)]
    # Only the exact forms are forwarded.
    assert ask(server, "SELECT @@global.gtid_executed") == [("",)]
    assert ("gtid_mode", "OFF") in ask(server, "SHOW VARIABLES LIKE 'gtid%'")
    assert ask(server, "SELECT @@global.binlog_row_image, @@version")[0][0] == "FULL"
    assert "OceanBase" in ask(server, "SELECT @@version")[0][0]
    with pytest.raises(pymysql.err.MySQLError) as raised:
        ask(server, "SHOW BINLOG EVENTS IN 'mysql-bin.999999'")
    assert raised.value.args[0] == 1220
    events = ask(server, f"SHOW BINLOG EVENTS IN '{ask(server, 'SHOW BINARY LOGS')[0][0]}' LIMIT 2")
    assert [row[1] for row in events] == ["4", "123"]


def test_users_are_the_engines_whatever_names_odp_adds(database: Database) -> None:
    user = f"u{uuid4().hex[:8]}"
    database.run(f"CREATE USER {user} IDENTIFIED BY 'pass w'", f"GRANT SELECT ON *.* TO {user}")
    for name in (user, f"{user}@sys", f"{user}@sys#obcluster", f"obcluster:sys:{user}"):
        with closing(database.server.connect(name, "pass w")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    with pytest.raises(pymysql.err.OperationalError) as raised:
        database.server.connect(f"{user}@sys", "wrong")
    assert raised.value.args[0] == 1045


def _kill(server: BinlogService) -> None:
    server.kill()
    server.start()


CHANGES = {
    "restart": BinlogService.restart,
    "kill": _kill,
    "restart of the instance": BinlogService.restart_instance,
    "fail-over": BinlogService.fail_over,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_dump_resumes_by_gtid_on_another_instance(
    database: Database, change: Callable[[BinlogService], object]
) -> None:
    server = database.server
    database.run("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    database.mark()
    for i in range(5):
        database.run(f"INSERT INTO t VALUES ({i}, 0), ({i + 100}, 0)")
    before = database.events()
    file = ask(server, "SHOW MASTER STATUS")[0][0]
    change(server)
    database.run("UPDATE t SET v = 1 WHERE id = 1")
    after = database.events()
    assert ask(server, "SHOW MASTER STATUS")[0][0] > file
    assert identities(after)[:5] == identities(before)
    assert len(identities(after)) == 6
    # The row that was written afterwards has another table id than those before the change.
    assert after[-2].table_id not in {event.table_id for event in before if event.kind in ROWS}
    middle = before[[event.kind for event in before].index(XID) + 1].gtid
    with RawDump(server.connect, f"{middle.partition(':')[0]}:1-{middle.rpartition(':')[2]}") as dump:
        rest = dump.until(database.last())
    assert len(identities(rest)) == 4
    if change is BinlogService.fail_over:
        assert {e.server_id for e in before}.isdisjoint({e.server_id for e in after})


def test_what_was_purged_is_1236_and_an_empty_set_begins_at_the_oldest_file(database: Database) -> None:
    server = database.server
    database.run("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    server.purge()
    purged = server.drain()
    database.run("INSERT INTO t VALUES (2)")
    assert ask(server, "SELECT @@gtid_purged") == [(purged,)]
    with pytest.raises(pymysql.err.OperationalError, match="may have been cleaned up") as raised:
        list(RawDump(server.connect, database.start))
    assert raised.value.args[0] == 1236
    with RawDump(server.connect) as dump:
        assert len(identities(dump.until(database.last()))) == 1


def test_a_dump_by_file_ends_when_asked(database: Database) -> None:
    database.run("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    server = database.server
    server.drain()
    file, position = ask(server, "SHOW MASTER STATUS")[0][:2]
    database.run("INSERT INTO t VALUES (2)")
    server.drain()
    events = list(RawDump(server.connect, file=file, position=int(position), flags=1))
    found = [event.kind for event in events if event.kind != HEARTBEAT]
    assert found == [ROTATE, FORMAT, GTID, QUERY, TABLE_MAP, WRITE_ROWS, XID]


def test_a_reader_must_know_of_checksums(database: Database) -> None:
    with pytest.raises(pymysql.err.OperationalError, match="checksum"):
        list(RawDump(database.server.connect, checksum=None))
    database.run("CREATE TABLE t (id INT PRIMARY KEY)")
    with RawDump(database.server.connect, database.start, checksum="NONE") as dump:
        assert dump.until(database.last())[-1].statement[1].startswith("CREATE TABLE t")


@pytest.fixture
def reading(database: Database) -> Iterator[tuple[Database, RawDump]]:
    """A table, and a dump that has arrived at the log's end."""
    database.run("CREATE TABLE t (id INT PRIMARY KEY)")
    with RawDump(database.server.connect, database.start, silence_s=4) as dump:
        dump.until(database.last())
        yield database, dump


def test_heartbeats_come_when_idle_and_between_rows(reading: tuple[Database, RawDump]) -> None:
    database, dump = reading
    idle = [event for event, _ in zip(dump, range(4), strict=False)]
    assert kinds(idle) == [HEARTBEAT] * 4
    assert len({(event.timestamp_s, event.position) for event in idle}) == 1
    assert idle[0].timestamp_s > 0
    assert idle[0].position > 4
    database.run("INSERT INTO t VALUES " + ", ".join(f"({i})" for i in range(1000)))
    inside: list[int] = []
    for event in dump:
        if event.kind == XID:
            break
        if inside or event.kind == GTID:
            inside.append(event.kind)
    assert HEARTBEAT in inside


def test_a_stalled_service_is_silent_until_it_is_healed(reading: tuple[Database, RawDump]) -> None:
    database, dump = reading
    database.server.stall()
    database.run("INSERT INTO t VALUES (1)")
    with pytest.raises(pymysql.err.OperationalError, match="timed out"):
        for event in dump:
            assert event.kind == HEARTBEAT
    database.server.heal()
    assert len(identities(database.events())) == 2


def test_a_frozen_converter_sends_heartbeats_of_the_past(reading: tuple[Database, RawDump]) -> None:
    database, dump = reading
    database.server.freeze()
    database.run("INSERT INTO t VALUES (1)")
    beats = [event for event, _ in zip(dump, range(8), strict=False)]
    assert kinds(beats) == [HEARTBEAT] * 8
    assert len({event.timestamp_s for event in beats}) == 1
    database.server.heal()
    assert dump.until(database.last())[-1].kind == XID


def test_a_dump_is_cut_in_the_middle_of_an_event(reading: tuple[Database, RawDump]) -> None:
    database, dump = reading
    database.server.cut_in_event()
    database.run("INSERT INTO t VALUES (1)")
    seen: list[int] = []
    with pytest.raises(pymysql.err.OperationalError, match="Lost connection"):
        seen += [event.kind for event in dump if event.kind != HEARTBEAT]
    assert len(identities(database.events())) == 2


def test_a_checksum_is_wrong_once(reading: tuple[Database, RawDump]) -> None:
    database, dump = reading
    database.server.corrupt()
    database.run("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
    events = dump.until(database.last())
    assert [event.kind for event in events if not event.intact] == [WRITE_ROWS]


def test_dumps_are_refused_until_healed(reading: tuple[Database, RawDump]) -> None:
    database, dump = reading
    database.server.refuse()
    for refused in (dump, RawDump(database.server.connect, database.start)):
        with pytest.raises(pymysql.err.OperationalError) as raised:
            list(refused)
        assert raised.value.args[0] == 1236
    database.server.heal()
    assert database.events()


def test_odp_without_its_service_still_serves_sql(reading: tuple[Database, RawDump]) -> None:
    database, _ = reading
    database.server.lose()
    with pytest.raises(pymysql.err.MySQLError, match="connect binlog service failed") as raised:
        ask(database.server, "SHOW MASTER STATUS")
    assert raised.value.args[0] == -10102
    with pytest.raises(pymysql.err.OperationalError):
        list(RawDump(database.server.connect))
    assert ask(database.server, "SELECT 1") == [(1,)]

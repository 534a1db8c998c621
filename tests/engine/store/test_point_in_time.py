"""A position by time is the exact one: in a second shared by several transactions, at files' ends, after a purge."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import closing
from typing import NamedTuple
from uuid import uuid4

import pytest
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import GtidEvent

from obsync_tui.engine.errors import ConfigError, LogGap
from obsync_tui.engine.mysql.server import clock_us
from obsync_tui.engine.store.binlog.pointintime import LogPoint, find_point
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.model.datasource import MySQLSource, OceanBaseSource, SqlSource
from obsync_tui.model.moment import Moment
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import new_project_id
from obsync_tui.model.secret import Secret
from tests.servers import BinlogService, MySQLServer

SECOND = 1_000_000
AnyServer = MySQLServer | BinlogService


class Mark(NamedTuple):
    """A moment by the source's clock, and everything that was committed by then."""

    at_us: int
    executed: GtidSet


class Log:
    """A server's log, which grows transaction by transaction."""

    def __init__(self, server: AnyServer) -> None:
        self.server = server
        self.table = f"t{uuid4().hex[:8]}.t"
        source: SqlSource
        if isinstance(server, MySQLServer):
            source = MySQLSource("s", "127.0.0.1", "root", server.port)
        else:
            source = OceanBaseSource("s", "127.0.0.1", "root@sys#obcluster", server.port)
        self.binlog = BinlogServer(source, Secret(""))
        database = self.table.partition(".")[0]
        server.execute(f"CREATE DATABASE {database}", f"CREATE TABLE {self.table} (id INT PRIMARY KEY)")
        self._rows = 0

    def write(self) -> None:
        self._rows += 1
        self.server.execute(f"INSERT INTO {self.table} VALUES ({self._rows})")

    def mark(self) -> Mark:
        """Now, a little away from the transactions before and after."""
        executed = GtidSet.parse(self._executed())
        time.sleep(0.002)
        with self.binlog.connect() as connection:
            at_us = clock_us(connection)
        time.sleep(0.002)
        return Mark(at_us, executed)

    def _executed(self) -> str:
        if isinstance(self.server, BinlogService):
            return self.server.drain()
        with self.binlog.connect() as connection:
            return self.binlog.log(connection).executed

    def end_file(self) -> None:
        self.server.execute("FLUSH BINARY LOGS")

    def purge(self) -> None:
        """Forget all files but the newest."""
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW MASTER STATUS")
            row = cursor.fetchone()
            assert row is not None
            cursor.execute(f"PURGE BINARY LOGS TO '{row[0]}'")

    def find(self, at_us: int) -> LogPoint:
        return find_point(self.binlog, new_project_id(), at_us, threading.Event())

    def at(self, at_us: int) -> GtidSet:
        return GtidSet.parse(self.find(at_us).executed)


@pytest.mark.parametrize("server", ["mysql80", "binlog_service"])
def test_the_exact_transaction_is_found(request: pytest.FixtureRequest, server: str) -> None:
    log = Log(request.getfixturevalue(server))
    log.end_file()
    marks = [log.mark()]
    # Two transactions in a file, one, none in two files, then the newest.
    for files_end in (0, 1, 1, 3, 0, 1, 0, 0):
        log.write()
        marks.append(log.mark())
        for _ in range(files_end):
            log.end_file()
    for mark, later in itertools.pairwise(marks):
        found = log.find(mark.at_us)
        assert GtidSet.parse(found.executed) == mark.executed
        assert found.following_us is not None and mark.at_us < found.following_us < later.at_us
        assert not found.whole_seconds and found.earliest_us <= mark.at_us < found.now_us
        # Itself at its own microsecond, and no more one later.
        assert log.at(found.following_us) == mark.executed
        assert log.at(found.following_us + 1) == later.executed
    newest = log.find(marks[-1].at_us)
    assert (GtidSet.parse(newest.executed), newest.following_us) == (marks[-1].executed, None)


def header_seconds(server: MySQLServer) -> dict[str, int]:
    """The second of each transaction in the log as mysql-replication reads it."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW BINARY LOGS")
        row = cursor.fetchone()
        assert row is not None
    reader = BinLogStreamReader(
        {"host": "127.0.0.1", "port": server.port, "user": "root"},
        server_id=4711,
        blocking=False,
        resume_stream=True,
        log_file=str(row[0]),
        log_pos=4,
        only_events=[GtidEvent],
    )
    try:
        return {event.gtid.lower(): event.timestamp for event in reader}
    finally:
        reader.close()


def test_a_second_is_taken_whole_where_the_log_has_no_finer_times(mysql57: MySQLServer) -> None:
    log = Log(mysql57)
    log.end_file()
    log.purge()
    start = log.mark()
    for number in range(16):
        log.write()
        if number % 5 == 4:
            log.end_file()
        time.sleep(0.2)
    seconds = header_seconds(mysql57)
    assert len(seconds) == 16 and len(set(seconds.values())) >= 3
    first, last = min(seconds.values()), max(seconds.values())
    # The file was begun after a purge in the very second of its first transactions, at the latest.
    for second in range(first + 2, last + 2):
        expected = start.executed.copy()
        for gtid, of in seconds.items():
            if of < second:
                uuid, _, gno = gtid.rpartition(":")
                expected.add(uuid, int(gno))
        for at_us in (second * SECOND, second * SECOND + 400_000, second * SECOND + 999_999):
            if at_us > log.mark().at_us:
                continue
            found = log.find(at_us)
            assert GtidSet.parse(found.executed) == expected, (second, at_us)
            assert found.following_us == (second * SECOND if second <= last else None)
            assert found.whole_seconds


@pytest.mark.parametrize("server", ["mysql57", "mysql80", "binlog_service"])
def test_times_that_the_log_does_not_reach(request: pytest.FixtureRequest, server: str) -> None:
    log = Log(request.getfixturevalue(server))
    log.write()
    before = log.mark()
    log.write()
    log.mark()
    time.sleep(1.1)
    log.end_file()
    log.purge()
    log.write()
    kept = log.mark()
    with pytest.raises(LogGap) as gap:
        log.find(before.at_us)
    assert Moment(before.at_us).utc in gap.value.what and "or later" in gap.value.cure
    time.sleep(1.1)
    earliest_us = log.find(log.mark().at_us).earliest_us
    assert Moment(earliest_us).utc in gap.value.cure
    # Up to a second after the file's beginning cannot be told from before it.
    exact = isinstance(log.server, BinlogService)
    assert before.at_us < earliest_us <= kept.at_us + (0 if exact else SECOND)
    found = log.at(earliest_us)
    assert found.issubset(kept.executed) and (not exact or found.count() == kept.executed.count() - 1)
    with pytest.raises(LogGap):
        log.find(earliest_us - 1)
    with pytest.raises(ConfigError, match="is to come: the source's clock is at"):
        log.find(kept.at_us + 3600 * SECOND)

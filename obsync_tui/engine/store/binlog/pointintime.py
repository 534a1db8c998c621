"""The position of a binlog at a point of time, by the source's clock.

The files' beginnings are bisected, then the transactions from the found file on are looked at one by one until one was
committed at that time or later: everything before it, in the log's order, is behind the position.

When a file begins is told by its FORMAT_DESCRIPTION on MySQL: nothing in earlier files was committed later. Binlog
Service writes files behind the tenant's commits, so there its first transaction tells.
"""

import threading
import zlib
from dataclasses import dataclass
from uuid import UUID

from obsync_tui.engine.errors import LogDamaged, SourceUnfit
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.mysql.server import clock_us
from obsync_tui.engine.store.binlog.dump import Dump
from obsync_tui.engine.store.binlog.events import (
    TYPE_AT,
    EventType,
    in_whole_seconds,
    parse_gtid,
    parse_previous_gtids,
    timestamp_s,
    unfit,
)
from obsync_tui.engine.store.binlog.scan import events, scanning
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.engine.store.logpoint import LogPoint, check_kept, check_past
from obsync_tui.model.position import GtidSet

_PURPOSE = "time"
_SECOND = 1_000_000


@dataclass(frozen=True)
class _Beginning:
    """A file: everything before it, when it was begun, and when the first transaction from it on was committed.

    The last is None at the log's end, and on MySQL, where nobody asks.
    """

    previous: GtidSet
    created_us: int
    first_us: int | None = None


def find_point(server: BinlogServer, project_id: str, at_us: int, stopping: threading.Event) -> LogPoint:
    """Look for the point; ConfigError when the time is to come, LogGap when the log begins later.

    Raises SourceError, Stopped.
    """
    with server.connect() as connection:
        log = server.log(connection)
        files = [str(row[0]) for row in query(connection, "SHOW BINARY LOGS", where=server.where)]
        now_us = clock_us(connection)
    check_past(at_us, now_us, server.where)
    if not files:
        raise SourceUnfit(
            "the source has no binlog files", where=server.where, cure="Switch its binlog on (log_bin)."
        )
    purged, search = GtidSet.parse(log.purged), _Search(server, project_id, stopping)
    found = search.beginning(files[0])
    earliest_us = _earliest(server, found, bool(purged), now_us)
    check_kept(at_us, earliest_us, server.where)
    at, upto = 0, len(files)
    while upto - at > 1:
        middle = (at + upto) // 2
        beginning = search.beginning(files[middle])
        if _begins_before(server, beginning, at_us):
            at, found = middle, beginning
        else:
            upto = middle
    passed = search.pass_by(files[at], found.previous.union(purged), at_us)
    return LogPoint(
        str(passed.executed),
        log.executed,
        passed.last_us,
        passed.following_us,
        earliest_us,
        now_us,
        passed.whole_seconds,
    )


def _earliest(server: BinlogServer, first: _Beginning, purged: bool, now_us: int) -> int:
    """From when on nothing is missing. Where a second is the finest, purged changes may share the file's first."""
    if server.oceanbase:
        return now_us if first.first_us is None else first.first_us
    return first.created_us + (_SECOND if purged else 0)


def _begins_before(server: BinlogServer, beginning: _Beginning, at_us: int) -> bool:
    """Whether everything in the files before this one was committed before the time."""
    if server.oceanbase:
        return beginning.first_us is not None and beginning.first_us < at_us
    return beginning.created_us + _SECOND <= at_us // _SECOND * _SECOND


@dataclass
class _Passed:
    """The transactions before the point."""

    executed: GtidSet
    last_us: int = 0
    following_us: int | None = None
    whole_seconds: bool = False


class _Search:
    """Dumps from the beginnings of files, one connection each."""

    def __init__(self, server: BinlogServer, project_id: str, stopping: threading.Event) -> None:
        self._server = server
        self._project_id = project_id
        self._stopping = stopping

    def beginning(self, name: str) -> _Beginning:
        """Read what a file begins with."""
        created_us = 0
        previous: GtidSet | None = None
        dump = scanning(self._server, self._project_id, _PURPOSE)
        try:
            dump.open_file(name)
            for packet in events(dump, self._stopping):
                kind = packet[TYPE_AT]
                if kind == EventType.FORMAT_DESCRIPTION and not created_us:
                    created_us = timestamp_s(packet) * _SECOND
                elif kind == EventType.PREVIOUS_GTIDS and previous is None:
                    previous = parse_previous_gtids(packet)
                    if not self._server.oceanbase:
                        break
                elif kind in (EventType.GTID, EventType.ANONYMOUS_GTID):
                    return _Beginning(previous or GtidSet(), created_us, self._commit_us(packet, dump))
        finally:
            dump.end()
        return _Beginning(previous or GtidSet(), created_us)

    def pass_by(self, name: str, executed: GtidSet, at_us: int) -> _Passed:
        """Look at transactions from a file on; `executed` are those before it."""
        passed = _Passed(executed)
        dump = scanning(self._server, self._project_id, _PURPOSE)
        try:
            dump.open_file(name)
            trailer = 4 if dump.checksum else 0
            for packet in events(dump, self._stopping):
                if packet[TYPE_AT] not in (EventType.GTID, EventType.ANONYMOUS_GTID):
                    continue
                commit_us = self._commit_us(packet, dump)
                event = parse_gtid(packet, trailer, self._server.oceanbase)
                passed.whole_seconds = in_whole_seconds(packet, trailer, self._server.oceanbase)
                if commit_us >= (at_us // _SECOND * _SECOND if passed.whole_seconds else at_us):
                    passed.following_us = commit_us
                    break
                executed.add(str(UUID(bytes=event.sid)), event.gno)
                passed.last_us = commit_us
        finally:
            dump.end()
        return passed

    def _commit_us(self, packet: bytes, dump: Dump) -> int:
        if packet[TYPE_AT] == EventType.ANONYMOUS_GTID:
            raise unfit(EventType.ANONYMOUS_GTID, dump.where)
        if dump.checksum and zlib.crc32(packet[1:-4]) != int.from_bytes(packet[-4:], "little"):
            raise LogDamaged("an event's checksum is wrong", where=dump.where)
        return parse_gtid(packet, 4 if dump.checksum else 0, self._server.oceanbase).commit_us

"""Looking through a stretch of the log on a connection of its own: events as they come, and the DDL among them."""

import threading
from collections.abc import Iterator
from time import monotonic
from uuid import UUID

import msgspec

from obsync_tui.engine.errors import SourceUnreachable, Stopped
from obsync_tui.engine.mysql.packets import PacketReader
from obsync_tui.engine.store.binlog.ddl import Ddl, Verb, parse_ddl
from obsync_tui.engine.store.binlog.dump import Dump, ReplicaIdentity
from obsync_tui.engine.store.binlog.events import TYPE_AT, EventType, parse_gtid, parse_query, stream_error
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.model.position import Gtid, GtidSet

_WAIT_S = 0.5
_SILENCE_S = 15.0
_HEARTBEAT_S = 1.0
_END = 0xFE


class LoggedDdl(msgspec.Struct, frozen=True):
    """A DDL statement in the log, with its effects on tables; `commit_us` as of its GTID event."""

    gtid: Gtid
    commit_us: int
    statement: str
    effects: tuple[Ddl, ...]


def scanning(server: BinlogServer, project_id: str, purpose: str) -> Dump:
    """A connection beside the project's own reader; one at a time for each purpose."""
    return Dump(server, ReplicaIdentity.of(project_id, purpose), _HEARTBEAT_S)


def events(dump: Dump, stopping: threading.Event) -> Iterator[bytes]:
    """The events of an open dump, until the server ends it where it was asked to. Raises SourceError, Stopped."""
    assert dump.connection is not None
    reader = PacketReader(dump.connection, dump.where)
    reader.set_timeout(_WAIT_S)
    heard_s = monotonic()
    while not stopping.is_set():
        packets = reader.read()
        if packets:
            heard_s = monotonic()
        elif monotonic() - heard_s > _SILENCE_S:
            raise SourceUnreachable("the log was silent, without even heartbeats", where=dump.where)
        for packet in packets:
            if packet[0] == _END and len(packet) < 9:
                return
            if packet[0]:
                raise stream_error(packet, dump.where)
            yield packet
    raise Stopped("stopped while looking through the log")


def ddl_statements(
    server: BinlogServer, project_id: str, after: GtidSet, upto: GtidSet, stopping: threading.Event
) -> Iterator[LoggedDdl]:
    """The statements on tables between two positions, rows left unread. Raises SourceError, Stopped."""
    left = upto.missing_from(after).count()
    if not left:
        return
    dump = scanning(server, project_id, "scan")
    try:
        dump.open(after)
        trailer = 4 if dump.checksum else 0
        gtid, commit_us = Gtid("", 0), 0
        for packet in events(dump, stopping):
            if packet[TYPE_AT] == EventType.GTID:
                event = parse_gtid(packet, trailer, server.oceanbase)
                gtid, commit_us = Gtid(str(UUID(bytes=event.sid)), event.gno), event.commit_us
            elif packet[TYPE_AT] == EventType.QUERY and gtid.uuid:
                database, statement = parse_query(packet, trailer)
                effects = parse_ddl(statement, database, dump.lower_case)
                found = tuple(one for one in effects if one.verb is not Verb.DML)
                if found:
                    yield LoggedDdl(gtid, commit_us, statement, found)
                left -= upto.contains(gtid.uuid, gtid.gno)
                gtid = Gtid("", 0)
                if not left:
                    return
        raise SourceUnreachable("the server ended the log before its present end", where=dump.where)
    finally:
        dump.end()

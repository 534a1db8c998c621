"""Binlog events in raw packets: type codes, header fields, control events.

A packet is one OK byte, the 19-byte header (timestamp u32, type u8, server id u32, size u32, position u32, flags u16),
the body, and a CRC32 when checksums are on (MySQL internals, "Binlog Event").
"""

import struct
from enum import IntEnum
from uuid import UUID

import msgspec

from obsync_tui.engine.errors import (
    EngineError,
    LogDamaged,
    LogGap,
    ReplacedReader,
    SourceRefused,
    SourceUnfit,
    SourceUnreachable,
)
from obsync_tui.engine.store.binlog.history import DECIDE
from obsync_tui.model.position import GtidSet

TYPE_AT = 5
BODY_AT = 20
# Behind sid, number and logical clock: where 8.0 has the commit time.
_COMMIT_TIME_AT = BODY_AT + 42
_GTID_NUMBERS = struct.Struct("<QBQQ")
_TIMESTAMP = struct.Struct("<I")
_COUNT = struct.Struct("<Q")
_INTERVAL = struct.Struct("<QQ")


class EventType(IntEnum):
    """Type codes that the Store knows; others are control events without meaning here."""

    QUERY = 2
    ROTATE = 4
    FORMAT_DESCRIPTION = 15
    XID = 16
    TABLE_MAP = 19
    WRITE_ROWS_V1 = 23
    UPDATE_ROWS_V1 = 24
    DELETE_ROWS_V1 = 25
    INCIDENT = 26
    HEARTBEAT = 27
    WRITE_ROWS = 30
    UPDATE_ROWS = 31
    DELETE_ROWS = 32
    GTID = 33
    ANONYMOUS_GTID = 34
    PREVIOUS_GTIDS = 35
    XA_PREPARE = 38
    PARTIAL_UPDATE_ROWS = 39
    TRANSACTION_PAYLOAD = 40


UNFIT = {
    EventType.WRITE_ROWS_V1: ("row events of version 1", "SET GLOBAL log_bin_use_v1_row_events = OFF"),
    EventType.UPDATE_ROWS_V1: ("row events of version 1", "SET GLOBAL log_bin_use_v1_row_events = OFF"),
    EventType.DELETE_ROWS_V1: ("row events of version 1", "SET GLOBAL log_bin_use_v1_row_events = OFF"),
    EventType.ANONYMOUS_GTID: ("a transaction without GTID", "SET GLOBAL gtid_mode = ON"),
    EventType.TRANSACTION_PAYLOAD: (
        "a compressed transaction",
        "SET GLOBAL binlog_transaction_compression = OFF",
    ),
}


class GtidEvent(msgspec.Struct, frozen=True):
    """A transaction's GTID: the server's 16 bytes, its number, and its commit time in microseconds."""

    sid: bytes
    gno: int
    commit_us: int


def timestamp_s(packet: bytes) -> int:
    """The header's time, UTC epoch seconds."""
    seconds: int = _TIMESTAMP.unpack_from(packet, 1)[0]
    return seconds


def parse_gtid(packet: bytes, trailer: int, oceanbase: bool) -> GtidEvent:
    """Read a GTID event.

    Commit time: MySQL 8.0's immediate_commit_timestamp, on 5.7 the header's second; OceanBase packs it into
    last_committed (seconds) and sequence_number (microseconds).
    """
    gno, _, last_committed, sequence_number = _GTID_NUMBERS.unpack_from(packet, BODY_AT + 17)
    sid = packet[BODY_AT + 1 : BODY_AT + 17]
    if oceanbase:
        return GtidEvent(sid, gno, last_committed * 1_000_000 + sequence_number)
    at = _COMMIT_TIME_AT
    if len(packet) - trailer >= at + 7:
        # 55 bits; the highest bit tells that the origin's own time follows.
        return GtidEvent(sid, gno, int.from_bytes(packet[at : at + 7], "little") & ~(1 << 55))
    return GtidEvent(sid, gno, timestamp_s(packet) * 1_000_000)


def in_whole_seconds(packet: bytes, trailer: int, oceanbase: bool) -> bool:
    """Whether a GTID event tells the commit time by the header's second only (MySQL 5.7)."""
    return not oceanbase and len(packet) - trailer < _COMMIT_TIME_AT + 7


def parse_previous_gtids(packet: bytes) -> GtidSet:
    """Read a PREVIOUS_GTIDS event: every GTID in the log before its file. LogDamaged when it is cut short."""
    found, at = GtidSet(), BODY_AT
    try:
        (servers,) = _COUNT.unpack_from(packet, at)
        at += 8
        for _ in range(servers):
            uuid = str(UUID(bytes=packet[at : at + 16]))
            (intervals,) = _COUNT.unpack_from(packet, at + 16)
            at += 24
            for _ in range(intervals):
                first, end = _INTERVAL.unpack_from(packet, at)
                found.add_interval(uuid, first, end - 1)
                at += 16
    except (struct.error, ValueError) as error:
        raise LogDamaged(f"a PREVIOUS_GTIDS event cannot be read: {error}") from error
    return found


def parse_query(packet: bytes, trailer: int) -> tuple[str, str]:
    """A QUERY event's default database and statement."""
    database_length = packet[BODY_AT + 8]
    status_length = int.from_bytes(packet[BODY_AT + 11 : BODY_AT + 13], "little")
    at = BODY_AT + 13 + status_length
    database = packet[at : at + database_length].decode("utf-8", "surrogateescape")
    end = len(packet) - trailer
    return database, packet[at + database_length + 1 : end].decode("utf-8", "surrogateescape")


def stream_error(packet: bytes, where: str) -> EngineError:
    """The error that ends a dump: an ERR packet, or the end that a blocking dump must not have."""
    if packet[0] != 0xFF:
        return SourceUnreachable("the server ended the stream", where=where)
    code = int.from_bytes(packet[1:3], "little")
    text = (
        packet[9:].decode("utf-8", "replace")
        if packet[3:4] == b"#"
        else packet[3:].decode("utf-8", "replace")
    )
    lower = text.lower()
    if "same server_uuid/server_id" in lower or "same server_uuid" in lower:
        return ReplacedReader(
            "another reader registered with this project's server_id",
            where=where,
            cure="Another instance of the project runs elsewhere; stop one of them.",
        )
    if code == 1236 and ("purged" in lower or "no longer exists" in lower or "could not find" in lower):
        return LogGap(
            f"the source no longer has what was not read yet ({code}: {text})",
            where=where,
            cure=f"Nothing was skipped. {DECIDE} Keep the log longer.",
        )
    if code == 1236:
        return SourceUnreachable(f"the server broke the stream off ({code}: {text})", where=where)
    if code in (1227, 1045, 1142):
        return SourceRefused(
            f"the server refused the log ({code}: {text})",
            where=where,
            cure="Grant REPLICATION SLAVE and REPLICATION CLIENT on *.* to the user.",
        )
    return SourceUnreachable(f"the server broke the stream off ({code}: {text})", where=where)


def unfit(kind: EventType, where: str) -> SourceUnfit:
    """Why an event that cannot be followed stops the project."""
    what, cure = UNFIT[kind]
    return SourceUnfit(
        f"the log holds {what}", where=where, cure=f"Run on the source: {cure}; then reset the project."
    )

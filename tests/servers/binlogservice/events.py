"""Binlog events as OceanBase's Binlog Service writes them (reference 1.5), encoded after MySQL's documented formats."""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from uuid import UUID

MAGIC = b"\xfebin"
HEADER_BYTES = 19
CRC_BYTES = 4
FIRST_POSITION = len(MAGIC)
TYPE_AT = 4
SERVER_ID_AT = 5
SIZE_AT = 9
POSITION_AT = 13
TABLE_ID_AT = HEADER_BYTES
ARTIFICIAL = 0x20
SERVER_VERSION = b"5.7.38"
_EVENT_TYPES = 38
_ROWS_END_OF_STATEMENT = 1
_CRC32_ALGORITHM = 1
# Q_FLAGS2 = 0, then Q_CHARSET: client and connection utf8mb4_general_ci, server utf8.
_QUERY_STATUS = b"\x00" + struct.pack("<I", 0) + b"\x04" + struct.pack("<HHH", 45, 45, 83)
# Lengths of the fixed parts, by event type from 1 to 38; only those that are written matter to a reader.
_POST_HEADERS = bytes(
    (56, 13, 0, 8, 0, 18, 0, 4, 4, 4, 4, 18, 0, 0, 95, 0, 4, 26, 8, 0)
    + (0, 0, 8, 8, 8, 2, 0, 0, 0, 10, 10, 10, 42, 42, 0, 18, 52, 0)
)


class EventType(IntEnum):
    """Type codes of the events that are written."""

    QUERY = 2
    ROTATE = 4
    FORMAT_DESCRIPTION = 15
    XID = 16
    TABLE_MAP = 19
    HEARTBEAT = 27
    WRITE_ROWS = 30
    UPDATE_ROWS = 31
    DELETE_ROWS = 32
    GTID = 33
    PREVIOUS_GTIDS = 35
    PARTIAL_UPDATE_ROWS = 39


_HEADER = struct.Struct("<IBIIIH")
_CRC = struct.Struct("<I")


def frame(
    kind: EventType, body: bytes, timestamp_s: int, server_id: int, start: int, *, artificial: bool = False
) -> bytes:
    """The event with header and CRC32; it begins at `start` of its file. Artificial ones stand in no file."""
    size = HEADER_BYTES + len(body) + CRC_BYTES
    position = 0 if artificial else (start + size) & 0xFFFFFFFF
    head = _HEADER.pack(timestamp_s, kind, server_id, size, position, ARTIFICIAL if artificial else 0)
    event = head + body
    return event + _CRC.pack(zlib.crc32(event))


def sealed(event: bytes | bytearray) -> bytes:
    """The event with its CRC32 computed anew."""
    content = bytes(event[:-CRC_BYTES])
    return content + _CRC.pack(zlib.crc32(content))


def without_crc(event: bytes) -> bytes:
    """The event for a reader that asked for none: shorter, and FORMAT_DESCRIPTION says so."""
    content = bytearray(event[:-CRC_BYTES])
    struct.pack_into("<I", content, SIZE_AT, len(content))
    if content[TYPE_AT] == EventType.FORMAT_DESCRIPTION:
        content[-1] = 0
    return bytes(content)


def format_description() -> bytes:
    """Body of the first event of a file."""
    version = struct.pack("<H50sIB", 4, SERVER_VERSION, 0, HEADER_BYTES)
    assert len(_POST_HEADERS) == _EVENT_TYPES
    return version + _POST_HEADERS + bytes([_CRC32_ALGORITHM])


def previous_gtids(server_uuid: UUID, last: int) -> bytes:
    """Body of PREVIOUS_GTIDS: 1 up to `last` of one server, or nothing."""
    if not last:
        return struct.pack("<Q", 0)
    return struct.pack("<Q16sQQQ", 1, server_uuid.bytes, 1, 1, last + 1)


def gtid(server_uuid: UUID, number: int, commit_us: int) -> bytes:
    """Body of GTID; the logical clock's two fields are the commit's seconds and microseconds."""
    seconds, microseconds = divmod(commit_us, 1_000_000)
    return struct.pack("<B16sQBQQ", 1, server_uuid.bytes, number, 2, seconds, microseconds)


def query(text: bytes, database: bytes = b"") -> bytes:
    """Body of QUERY: BEGIN or a DDL statement."""
    head = struct.pack("<IIBHH", 0, 0, len(database), 0, len(_QUERY_STATUS))
    return head + _QUERY_STATUS + database + b"\0" + text


def xid(number: int) -> bytes:
    """Body of XID."""
    return struct.pack("<Q", number)


def rotate(file: str, position: int = FIRST_POSITION) -> bytes:
    """Body of ROTATE."""
    return struct.pack("<Q", position) + file.encode()


def table_map(
    table_id: int, database: bytes, table: bytes, types: bytes, metadata: bytes, nullable: bytes
) -> bytes:
    """Body of TABLE_MAP, without the optional block."""
    return b"".join(
        (
            table_id.to_bytes(6, "little"),
            struct.pack("<H", 1),
            bytes([len(database)]) + database + b"\0",
            bytes([len(table)]) + table + b"\0",
            length_encoded(len(types)) + types,
            length_encoded(len(metadata)) + metadata,
            nullable,
        )
    )


def rows_head(table_id: int, columns: int, images: int) -> bytes:
    """What comes before the images of a rows event of version 2: every column is present in each image."""
    present = b"\xff" * ((columns + 7) // 8)
    head = table_id.to_bytes(6, "little") + struct.pack("<HH", _ROWS_END_OF_STATEMENT, 2)
    return head + length_encoded(columns) + present * images


def length_encoded(number: int) -> bytes:
    """A number as the protocol packs it."""
    if number < 251:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfc" + number.to_bytes(2, "little")
    if number < 1 << 24:
        return b"\xfd" + number.to_bytes(3, "little")
    return b"\xfe" + number.to_bytes(8, "little")

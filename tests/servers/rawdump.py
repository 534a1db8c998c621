"""A reader of binlogs that decodes nothing but what frames an event, for tests of what servers send.

Formats: MySQL internals, "Binlog Event"; nothing of it is shared with what writes or reads binlogs elsewhere here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

import pymysql

TABLE_MAP, QUERY, GTID, XID, ROTATE, FORMAT, HEARTBEAT, PREVIOUS_GTIDS = 19, 2, 33, 16, 4, 15, 27, 35
WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS, PARTIAL_UPDATE_ROWS = 30, 31, 32, 39
ROWS = (WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS, PARTIAL_UPDATE_ROWS)


@dataclass(frozen=True)
class RawEvent:
    """One event: header fields, and the body without the checksum."""

    timestamp_s: int
    kind: int
    server_id: int
    position: int
    flags: int
    body: bytes
    intact: bool

    @property
    def gtid(self) -> str:
        """Of a GTID event."""
        return f"{UUID(bytes=self.body[1:17])}:{int.from_bytes(self.body[17:25], 'little')}"

    @property
    def commit_us(self) -> int:
        """Of a GTID event of Binlog Service: the logical clock's fields hold seconds and microseconds."""
        seconds, microseconds = struct.unpack("<QQ", self.body[26:42])
        return int(seconds * 1_000_000 + microseconds)

    @property
    def table_id(self) -> int:
        """Of TABLE_MAP and rows events."""
        return int.from_bytes(self.body[:6], "little")

    @property
    def statement(self) -> tuple[str, str]:
        """Database and text of a QUERY event."""
        database_size = self.body[8]
        status_size = int.from_bytes(self.body[11:13], "little")
        at = 13 + status_size
        database = self.body[at : at + database_size]
        return database.decode(), self.body[at + database_size + 1 :].decode()


class RawDump:
    """One COM_BINLOG_DUMP_GTID (or by file, when one is named) over a connection that `connect` makes.

    Iterating gives events as they come; it raises what PyMySQL makes of the end, and TimeoutError after silence.
    """

    def __init__(
        self,
        connect: Callable[[], pymysql.Connection],
        gtids: str = "",
        *,
        file: str | None = None,
        position: int = 4,
        flags: int = 4,
        heartbeat_s: float = 0.2,
        silence_s: float = 10.0,
        checksum: str | None = "CRC32",
    ) -> None:
        self.connection = connect()
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET @master_heartbeat_period = {int(heartbeat_s * 1e9)}")
            if checksum:
                cursor.execute(f"SET @master_binlog_checksum = '{checksum}'")
        self._trailer = 4 if checksum == "CRC32" else 0
        self.connection._sock.settimeout(silence_s)
        if file is None:
            encoded = _encode(gtids)
            command = struct.pack("<BHIIQI", 0x1E, flags, 4711, 0, 4, len(encoded)) + encoded
        else:
            command = struct.pack("<BIHI", 0x12, position, flags, 4711) + file.encode()
        self.connection._write_bytes(struct.pack("<I", len(command)) + command)
        self.connection._next_seq_id = 1

    def __iter__(self) -> Iterator[RawEvent]:
        while True:
            data = self.connection._read_packet().get_all_data()
            if data[0] == 0xFE and len(data) < 9:
                return
            yield self._parsed(data[1:])

    def _parsed(self, event: bytes) -> RawEvent:
        timestamp, kind, server, size, position, flags = struct.unpack_from("<IBIIIH", event)
        assert size == len(event)
        end = size - self._trailer
        intact = not self._trailer or struct.unpack("<I", event[end:])[0] == zlib.crc32(event[:end])
        return RawEvent(timestamp, kind, server, position, flags, event[19:end], intact)

    def until(self, last_gtid: str) -> list[RawEvent]:
        """Events up to the end of a transaction, without heartbeats."""
        found: list[RawEvent] = []
        inside = False
        for event in self:
            if event.kind == HEARTBEAT:
                continue
            found.append(event)
            if event.kind == GTID:
                inside = event.gtid == last_gtid
            elif inside and (
                event.kind == XID or (event.kind == QUERY and event.statement[1] not in ("BEGIN",))
            ):
                return found
        raise AssertionError(f"the dump ended before {last_gtid}")

    def close(self) -> None:
        """Leave the server."""
        self.connection._force_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _encode(gtids: str) -> bytes:
    servers = [part.strip().split(":") for part in gtids.split(",") if part.strip()]
    encoded = struct.pack("<Q", len(servers))
    for uuid, *intervals in servers:
        encoded += UUID(uuid).bytes + struct.pack("<Q", len(intervals))
        for interval in intervals:
            first, _, last = interval.partition("-")
            encoded += struct.pack("<QQ", int(first), int(last or first) + 1)
    return encoded

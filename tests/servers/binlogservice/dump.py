"""COM_BINLOG_DUMP_GTID and COM_BINLOG_DUMP: sends the files' events to one reader (reference 1.5, 1.11, 1.12).

Heartbeats come when nothing else does and after each flushed batch, so also between the rows of a transaction; they
carry the time of the last event.
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Iterator
from uuid import UUID

from tests.servers.binlogservice import events
from tests.servers.binlogservice.binlog import Binlog, BinlogFile
from tests.servers.binlogservice.events import EventType, frame
from tests.servers.binlogservice.faults import PURGED, Faults
from tests.servers.binlogservice.packets import LARGEST, Closed, Wire, error, packet

FLUSH_EVENTS = 200
_READ_BYTES = 1 << 20
_NANOSECONDS = 1e9
_LOOK_S = 0.2
_ROWS = (EventType.WRITE_ROWS, EventType.UPDATE_ROWS, EventType.DELETE_ROWS, EventType.PARTIAL_UPDATE_ROWS)

Intervals = list[tuple[int, int]]


class Refused(Exception):
    """The dump ends with an error packet: its number and text."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text


class Dump:
    """One reader's stream; `run` returns when it has ended. `settings` are the session's user variables."""

    def __init__(self, wire: Wire, binlog: Binlog, faults: Faults, settings: dict[str, str]) -> None:
        self._wire = wire
        self._binlog = binlog
        self._faults = faults
        self._checksum = settings.get("master_binlog_checksum", "").upper()
        self._heartbeat_s = float(settings.get("master_heartbeat_period", "0") or 0) / _NANOSECONDS or 1.0
        self._number = 1
        self._last_s = 0
        self._file = ""
        self._position = 0
        self._generation = binlog.generation
        self._unflushed = 0
        self._pending = bytearray()

    def run(self, command: bytes) -> None:
        """Serve the command; ConnectionError and OSError when the reader has gone or is cut off."""
        try:
            if self._faults.refused:
                raise Refused(*PURGED)
            if self._checksum not in ("CRC32", "NONE"):
                raise Refused(
                    1236,
                    "Slave can not handle replication events with the checksum that master is configured to log",
                )
            if command[0] == 0x1E:
                covered = parse_gtid_dump(command).get(self._binlog.server_uuid, [])
                self._stream(self._first_file(covered), events.FIRST_POSITION, covered)
            else:
                position, flags, name = parse_file_dump(command)
                # Only this exact value asks for an end (reference 1.11).
                self._stream(*self._place(name, position), [], ends=flags == 1)
        except Refused as reason:
            self._wire.write(self._number, error(reason.number, reason.text))

    def _first_file(self, covered: Intervals) -> BinlogFile:
        """The newest file whose earlier GTIDs the reader has; the oldest when the reader has none at all."""
        files = self._binlog.files
        if not covered:
            return files[0]
        for entry in reversed(files):
            if not entry.previous or any(first <= 1 and end > entry.previous for first, end in covered):
                return entry
        raise Refused(*PURGED)

    def _place(self, name: str, position: int) -> tuple[BinlogFile, int]:
        entry = next((f for f in self._binlog.files if f.name == name or not name), None)
        if entry is None:
            raise Refused(1236, f"failed to open binlog file {name}")
        if position < events.FIRST_POSITION:
            raise Refused(1236, "Client requested master to start replication from position < 4")
        if position > entry.size:
            raise Refused(1236, "Client requested master to start replication from impossible position")
        return entry, position

    def _stream(self, entry: BinlogFile, position: int, covered: Intervals, *, ends: bool = False) -> None:
        self._file, self._last_s = entry.name, self._binlog.last_s
        self._send(
            frame(
                EventType.ROTATE, events.rotate(entry.name, position), 0, self._server_id, 0, artificial=True
            )
        )
        first = True
        while True:
            started = position if first else events.FIRST_POSITION
            skipping = False
            for event in self._events(entry, started, ends=ends):
                kind = event[events.TYPE_AT]
                if kind == EventType.GTID:
                    number = int.from_bytes(event[36:44], "little")
                    skipping = any(low <= number < high for low, high in covered)
                if not skipping or kind == EventType.ROTATE:
                    self._send_row(event) if kind in _ROWS else self._send(event)
            self._check()
            following = self._after(entry)
            if following is None:
                self._wire.write(self._number, b"\xfe\0\0\x02\0")
                return
            entry, first = following, False

    def _after(self, entry: BinlogFile) -> BinlogFile | None:
        files = self._binlog.files
        place = next((i for i, f in enumerate(files) if f.name == entry.name), -1)
        if place < 0:
            # Purged under the reader.
            return files[0] if files[0].name > entry.name else None
        return files[place + 1] if place + 1 < len(files) else None

    def _events(self, entry: BinlogFile, position: int, *, ends: bool) -> Iterator[bytes]:
        """The file's events from a position to its end; waits for more while the file is the newest."""
        with open(self._binlog.path(entry.name), "rb") as file:
            if position > events.FIRST_POSITION:
                file.seek(events.FIRST_POSITION)
                yield self._format_event(file.read(1024))
            file.seek(position)
            left = b""
            while True:
                newest = self._binlog.files[-1].name == entry.name
                content = left + file.read(min(_READ_BYTES, entry.size - file.tell()))
                at = 0
                while at + events.HEADER_BYTES <= len(content):
                    size = int.from_bytes(content[at + events.SIZE_AT : at + events.SIZE_AT + 4], "little")
                    if at + size > len(content):
                        break
                    yield content[at : at + size]
                    at += size
                left = content[at:]
                if left or file.tell() < entry.size:
                    continue
                self._flush()
                if ends or not newest:
                    return
                self._wait(entry, file.tell())

    def _format_event(self, head: bytes) -> bytes:
        """The FORMAT_DESCRIPTION of the file, for a reader that begins behind it: without a position."""
        event = bytearray(head[: int.from_bytes(head[events.SIZE_AT : events.SIZE_AT + 4], "little")])
        event[events.POSITION_AT : events.POSITION_AT + 4] = b"\0\0\0\0"
        return events.sealed(event)

    def _wait(self, entry: BinlogFile, position: int) -> None:
        """Until there is more to read; heartbeats meanwhile."""
        next_s = time.monotonic() + self._heartbeat_s
        while True:
            with self._binlog.changed:
                self._binlog.changed.wait_for(
                    lambda: (
                        entry.size > position
                        or self._binlog.files[-1] is not entry
                        or self._binlog.generation != self._generation
                        or self._faults.refused
                    ),
                    max(0.0, min(_LOOK_S, next_s - time.monotonic())),
                )
            self._check()
            if entry.size > position or self._binlog.files[-1] is not entry:
                return
            if time.monotonic() >= next_s:
                self._heartbeat()
                self._push()
                next_s = time.monotonic() + self._heartbeat_s

    def _check(self) -> None:
        """Whether the dump goes on; it waits here while the service is stalled."""
        while True:
            if self._binlog.generation != self._generation:
                raise Closed("the instance is gone")
            if self._faults.refused:
                raise Refused(*PURGED)
            if select.select([self._wire.socket], [], [], 0)[0] and not self._wire.socket.recv(4096):
                raise Closed("the reader has gone")
            if not self._faults.stalled:
                return
            time.sleep(_LOOK_S / 4)

    @property
    def _server_id(self) -> int:
        return self._binlog.server_id

    def _heartbeat(self) -> None:
        event = frame(
            EventType.HEARTBEAT, self._file.encode(), self._last_s, self._server_id, 0, artificial=True
        )
        other = bytearray(event)
        other[events.POSITION_AT : events.POSITION_AT + 4] = self._position.to_bytes(4, "little")
        other[events.POSITION_AT + 4 : events.HEADER_BYTES] = b"\0\0"
        self._put(events.sealed(other))

    def _flush(self) -> None:
        self._check()
        self._push()
        if self._unflushed:
            self._unflushed = 0
            self._heartbeat()
            self._push()

    def _send(self, event: bytes) -> None:
        """Send an event of the log."""
        kind = event[events.TYPE_AT]
        if kind not in (EventType.ROTATE, EventType.FORMAT_DESCRIPTION, EventType.PREVIOUS_GTIDS):
            self._last_s = int.from_bytes(event[:4], "little")
            self._unflushed += 1
        position = int.from_bytes(event[events.POSITION_AT : events.POSITION_AT + 4], "little")
        self._position = position or self._position
        self._put(event)
        if self._unflushed >= FLUSH_EVENTS:
            self._flush()
        elif len(self._pending) > _READ_BYTES:
            self._push()

    def _send_row(self, event: bytes) -> None:
        if self._faults.take("cut_in_event"):
            self._push()
            whole = packet(self._number, b"\0" + event)
            self._wire.socket.sendall(whole[: len(whole) // 2])
            raise Closed("cut in the middle of an event")
        if self._faults.take("bad_crc"):
            event = event[:-1] + bytes([event[-1] ^ 0xFF])
        self._send(event)

    def _put(self, event: bytes) -> None:
        if self._checksum == "NONE":
            event = events.without_crc(event)
        self._pending += packet(self._number, b"\0" + event)
        # A packet of more than 16 MB takes several numbers.
        self._number += 1 + (len(event) + 1) // LARGEST

    def _push(self) -> None:
        if self._pending:
            self._wire.socket.sendall(self._pending)
            self._pending.clear()


def parse_gtid_dump(command: bytes) -> dict[UUID, Intervals]:
    """The GTIDs that the reader has, by server: half-open intervals."""
    name_size = struct.unpack_from("<I", command, 7)[0]
    at = 11 + name_size + 8 + 4
    found: dict[UUID, Intervals] = {}
    if at + 8 > len(command):
        return found
    servers = struct.unpack_from("<Q", command, at)[0]
    at += 8
    for _ in range(servers):
        uuid = UUID(bytes=command[at : at + 16])
        count = struct.unpack_from("<Q", command, at + 16)[0]
        at += 24
        found[uuid] = [struct.unpack_from("<QQ", command, at + 16 * i) for i in range(count)]
        at += 16 * count
    return found


def parse_file_dump(command: bytes) -> tuple[int, int, str]:
    """Position, flags and file name."""
    position, flags, _ = struct.unpack_from("<IHI", command, 1)
    return position, flags, command[11:].decode()

"""Packets of MySQL's protocol: read, written, and made."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from tests.servers.binlogservice.events import length_encoded

LARGEST = 0xFFFFFF
OK, ERROR, EOF = 0x00, 0xFF, 0xFE
IN_TRANSACTION, AUTOCOMMIT, MORE_RESULTS = 0x0001, 0x0002, 0x0008
_TEXT = 253
_UTF8MB4 = 45
_READ_BYTES = 1 << 18
_HEAD = struct.Struct("<I")


class Closed(ConnectionError):
    """The other side has gone."""


class Wire:
    """One end of a connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self.buffer = bytearray()

    def fill(self) -> None:
        """Wait for more bytes."""
        data = self.socket.recv(_READ_BYTES)
        if not data:
            raise Closed
        self.buffer += data

    def read(self) -> tuple[int, bytes]:
        """The next packet's number and its payload, put together from its parts."""
        whole = b""
        while True:
            while len(self.buffer) < 4 or len(self.buffer) < 4 + self._size():
                self.fill()
            size, number = self._size(), self.buffer[3]
            whole += bytes(self.buffer[4 : 4 + size])
            del self.buffer[: 4 + size]
            if size < LARGEST:
                return number, whole

    def _size(self) -> int:
        return int(self.buffer[0] | self.buffer[1] << 8 | self.buffer[2] << 16)

    def write(self, number: int, payload: bytes) -> None:
        """Send one packet."""
        self.socket.sendall(packet(number, payload))


def packet(number: int, payload: bytes) -> bytes:
    """The payload with its head, in parts when it is long."""
    if len(payload) < LARGEST:
        return _HEAD.pack(len(payload) | (number & 0xFF) << 24) + payload
    parts = []
    for at in range(0, len(payload) + 1, LARGEST):
        part = payload[at : at + LARGEST]
        parts.append(_HEAD.pack(len(part) | (number & 0xFF) << 24) + part)
        number += 1
    return b"".join(parts)


def ok() -> bytes:
    """An OK packet."""
    return b"\x00\x00\x00" + struct.pack("<HH", AUTOCOMMIT, 0)


def error(number: int, text: str, state: str = "HY000") -> bytes:
    """An error packet."""
    return b"\xff" + struct.pack("<H", number & 0xFFFF) + b"#" + state.encode() + text.encode()


def eof() -> bytes:
    """The end of columns or rows."""
    return b"\xfe" + struct.pack("<HH", 0, AUTOCOMMIT)


def result_set(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """All packets of a result of text columns, as the answer to a command."""
    payloads = [length_encoded(len(columns))]
    payloads += [_column(name) for name in columns]
    payloads.append(eof())
    payloads += [b"".join(map(_value, row)) for row in rows]
    payloads.append(eof())
    return b"".join(packet(number, payload) for number, payload in enumerate(payloads, 1))


def _column(name: str) -> bytes:
    texts = (b"def", b"", b"", b"", name.encode(), b"")
    fixed = struct.pack("<BHIBHBH", 12, _UTF8MB4, 1 << 16, _TEXT, 0, 0, 0)
    return b"".join(length_encoded(len(text)) + text for text in texts) + fixed


def _value(value: object) -> bytes:
    if value is None:
        return b"\xfb"
    text = str(value).encode()
    return length_encoded(len(text)) + text

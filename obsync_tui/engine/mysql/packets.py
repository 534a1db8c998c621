"""MySQL protocol packets, read in large pieces from an authenticated connection.

Format: 3 bytes length (little endian), 1 byte sequence number, payload; a payload of 2^24-1 bytes goes on in the
next packet (MySQL client/server protocol, "MySQL Packets").
"""

import socket
import struct
from time import monotonic
from typing import Protocol

from obsync_tui.engine.errors import LogDamaged, SourceUnreachable
from obsync_tui.engine.native.backend import packets as kernel_packets

_READ_BYTES = 1 << 18
_LONGEST = 0xFFFFFF
_HEADER = struct.Struct("<I")


class Connection(Protocol):
    """The part of a PyMySQL connection that raw reading needs."""

    _sock: socket.socket


class PacketReader:
    """Splits the byte stream of one connection into payloads.

    The connection must not have unread bytes in PyMySQL's own buffer: nothing but this reader reads from it while a
    command's answer is outstanding. `read` blocks; a socket time-out comes back as an empty list, except inside a large
    packet, where only `silence_s` without a byte ends it.
    """

    def __init__(self, connection: Connection, where: str, silence_s: float | None = None) -> None:
        self._socket = connection._sock
        self._where = where
        self._silence_s = silence_s
        self._rest = b""
        self._long: list[bytes] = []
        self._kernel = kernel_packets()

    def set_timeout(self, seconds: float) -> None:
        """How long `read` waits for bytes before it answers with an empty list."""
        self._socket.settimeout(seconds)

    def read(self) -> list[bytes]:
        """All packets that are complete after one read from the socket; empty after a time-out.

        Raises SourceUnreachable when the connection is closed or broken.
        """
        try:
            piece = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return []
        except OSError as error:
            raise SourceUnreachable(f"the connection broke: {error}", where=self._where) from error
        if not piece:
            raise SourceUnreachable("the server closed the connection", where=self._where)
        return self._split(piece)

    def _split(self, piece: bytes) -> list[bytes]:
        rest = self._rest
        if rest:
            # A packet larger than one read: join only when it is whole, so that its bytes are copied once.
            if len(rest) >= 4 and len(rest) + len(piece) < 4 + (rest[0] | rest[1] << 8 | rest[2] << 16):
                return self._collect(piece)
            piece = rest + piece
        packets: list[bytes] = []
        start, end = 0, len(piece)
        if self._kernel is not None and not self._long:
            packets, start = self._kernel.payloads(piece)
        append, header = packets.append, _HEADER.unpack_from
        while end - start >= 4:
            length = header(piece, start)[0] & _LONGEST
            stop = start + 4 + length
            if stop > end:
                break
            payload = piece[start + 4 : stop]
            start = stop
            if length == _LONGEST:
                self._long.append(payload)
            elif self._long:
                self._long.append(payload)
                append(b"".join(self._long))
                self._long = []
            else:
                append(payload)
        self._rest = piece[start:]
        return packets

    def _collect(self, piece: bytes) -> list[bytes]:
        rest = self._rest
        needed = 4 + (rest[0] | rest[1] << 8 | rest[2] << 16)
        pieces, have = [rest, piece], len(rest) + len(piece)
        heard_s = monotonic()
        while have < needed:
            try:
                more = self._socket.recv(max(_READ_BYTES, needed - have))
            except TimeoutError:
                if self._silence_s is not None and monotonic() - heard_s > self._silence_s:
                    raise SourceUnreachable(
                        "the server fell silent inside a packet", where=self._where
                    ) from None
                continue
            except OSError as error:
                raise SourceUnreachable(f"the connection broke: {error}", where=self._where) from error
            if not more:
                raise SourceUnreachable("the server closed the connection inside a packet", where=self._where)
            pieces.append(more)
            have += len(more)
            heard_s = monotonic()
        self._rest = b""
        return self._split(b"".join(pieces))


def require_end(payload: bytes, where: str) -> None:
    """Check that a payload is an EOF packet; LogDamaged otherwise."""
    if not (payload and payload[0] == 0xFE and len(payload) < 9):
        raise LogDamaged(f"expected the end of a result set, got {payload[:16].hex()}", where=where)

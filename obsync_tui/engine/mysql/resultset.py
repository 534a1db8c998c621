"""Result sets as raw row packets.

Format: MySQL client/server protocol, "COM_QUERY Response": column count, column definitions, EOF, rows, EOF or ERR.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pymysql.constants import COMMAND
from pymysql.err import Error as PyMySQLError
from pymysql.err import MySQLError, raise_mysql_exception

from obsync_tui.engine.errors import LogDamaged, SourceUnreachable
from obsync_tui.engine.mysql.packets import Connection, PacketReader, require_end

_SLICE_S = 0.25
_NULL = 0xFB


class QueryConnection(Connection, Protocol):
    """The part of a PyMySQL connection that raw queries need."""

    _current_timeout: float | None

    def _execute_command(self, command: int, sql: str) -> None: ...


class RawResults:
    """Sends queries over a PyMySQL connection and reads their rows without PyMySQL.

    Every answer is read to its end by `rows` or `drain` before the connection is used for anything else.
    """

    def __init__(self, connection: QueryConnection, where: str) -> None:
        self._connection = connection
        self._packets = PacketReader(connection, where)
        self._where = where
        self.unfinished = False
        self._head: list[bytes] = []
        self._head_open = False

    def rows(self, sql: str) -> Iterator[list[bytes]]:
        """The row packets of a query, as they arrive; an empty list when a quarter of a second brought none.

        Raises SourceUnreachable, and pymysql.err.MySQLError for an error that the server reports.
        """
        try:
            self._connection._execute_command(COMMAND.COM_QUERY, sql)
        except (PyMySQLError, OSError) as error:
            raise SourceUnreachable(f"the connection broke: {error}", where=self._where) from error
        self.unfinished = True
        self._head, self._head_open = [], True
        self._packets.set_timeout(_SLICE_S)
        self._connection._current_timeout = _SLICE_S
        while not self._read_head():
            yield []
        rows = self._rows_after_head()
        self._head, self._head_open = [], False
        while True:
            # Nothing follows EOF or ERR, so only the last packet can be one.
            if rows and _is_end(rows[-1]):
                end = rows.pop()
                if rows:
                    yield rows
                self._end_of(end)
                return
            yield rows
            rows = self._packets.read()

    def _read_head(self) -> bool:
        """Read on; whether column count, definitions and their EOF are there."""
        self._head += self._packets.read()
        if not self._head:
            return False
        if self._head[0][0] in (0x00, 0xFF, _NULL):
            self._end_of(self._head[0])
        return len(self._head) >= self._head_packets()

    def _head_packets(self) -> int:
        first = self._head[0]
        columns = int.from_bytes(first[1:3], "little") if first[0] == 0xFC else first[0]
        return columns + 2

    def _rows_after_head(self) -> list[bytes]:
        length = self._head_packets()
        require_end(self._head[length - 1], self._where)
        return self._head[length:]

    def _end_of(self, packet: bytes) -> None:
        self.unfinished = False
        if packet[0] == 0xFF:
            raise_mysql_exception(packet)
        if packet[0] != 0xFE:
            raise LogDamaged("the answer to a query is not a result set", where=self._where)

    def drain(self) -> None:
        """Read an abandoned answer to its end, whatever it is."""
        packets = self._drain_head() if self.unfinished and self._head_open else []
        while self.unfinished:
            if packets and _is_end(packets[-1]):
                self.unfinished = False
            else:
                packets = self._packets.read()

    def _drain_head(self) -> list[bytes]:
        try:
            while not self._read_head():
                pass
        except MySQLError:  # the answer was an error from the first packet on
            return []
        return self._rows_after_head()


def _is_end(packet: bytes) -> bool:
    return packet[0] == 0xFF or (packet[0] == 0xFE and len(packet) < 9)


def text_values(row: bytes, indexes: Sequence[int]) -> tuple[bytes, ...]:
    """Columns of a text protocol row by ascending or mixed ordinal; ValueError for NULL, which no key holds."""
    found: dict[int, bytes] = {}
    position = 0
    for index in range(max(indexes) + 1):
        length = row[position]
        position += 1
        if length == _NULL:
            if index in indexes:
                raise ValueError("a key column is NULL")
            continue
        if length > _NULL:
            size = (2, 3, 8)[length - 0xFC]
            length = int.from_bytes(row[position : position + size], "little")
            position += size
        found[index] = row[position : position + length]
        position += length
    return tuple(found[index] for index in indexes)


def text_fields(packet: bytes) -> list[bytes | None]:
    """The values of a text row; format: each with its length before it, 251 for NULL."""
    fields: list[bytes | None] = []
    at = 0
    while at < len(packet):
        first = packet[at]
        at += 1
        if first == _NULL:
            fields.append(None)
            continue
        width = {252: 2, 253: 3, 254: 8}.get(first, 0)
        length = int.from_bytes(packet[at : at + width], "little") if width else first
        at += width
        fields.append(packet[at : at + length])
        at += length
    return fields

"""One connection of a MySQL snapshot."""

import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Callable, Generator, Iterable

from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.err import MySQLError

from obsync_tui.engine.errors import SchemaChanged, SourceError, SourceUnreachable
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.full.reader import ChunkRequest, Piece
from obsync_tui.engine.mysql.connection import query, translate
from obsync_tui.engine.mysql.keysql import mysql_place, select_rows, select_split_point
from obsync_tui.engine.mysql.resultset import RawResults, text_values
from obsync_tui.model.table import TableName, TableVersion

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_SETTINGS = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    # Without that mode a key like 2020-02-31 compares as zero.
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', sql_select_limit = DEFAULT",
)
# The table is dropped, renamed, truncated or altered since the snapshot; also a database or a column.
_CHANGED = (
    ER.NO_SUCH_TABLE,
    ER.TABLE_DEF_CHANGED,
    ER.BAD_DB_ERROR,
    ER.BAD_FIELD_ERROR,
    ER.KEY_DOES_NOT_EXITS,
)


def settle(connection: Connection, where: str) -> None:
    """Set up a session for snapshot reads."""
    for statement in _SETTINGS:
        query(connection, statement, where=where)
    wire: socket.socket = connection._sock
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # A dead peer is noticed after a minute; a silent one may be sorting.
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def refuse_the_rest(connection: Connection) -> None:
    """Have the connection reset when it is closed.

    A server that sends into a full window would otherwise hold its query, and our own next lock, for a minute.
    """
    if connection._sock is not None:
        connection._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def shut(connection: Connection) -> None:
    """End a connection while another thread reads from it: that thread finds it closed."""
    if connection._sock is None:
        return
    try:
        refuse_the_rest(connection)
        socket.socket.shutdown(connection._sock, socket.SHUT_RDWR)
    except OSError:  # it is gone already
        pass


def readable(connection: Connection, wait_s: float) -> bool:
    """Whether a server has begun to answer what was sent to it, after waiting so long at most."""
    wire: socket.socket = connection._sock
    if isinstance(wire, ssl.SSLSocket) and wire.pending():
        return True
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    return bool(poll.poll(wait_s * 1000))


def pieces(
    rows: Iterable[list[bytes]], request: ChunkRequest, batch_bytes: int
) -> Generator[Piece, None, None]:
    """Row packets of a request in pieces of about that size; an empty list of packets ends a piece."""
    indexes = [request.table.column_index(name) for name in request.key]
    bodies: list[bytes] = []
    size_bytes = 0

    def piece(finished: bool) -> Piece:
        last = text_values(bodies[-1], indexes) if bodies and indexes else None
        return Piece(bodies, size_bytes, last, finished)

    for packets in rows:
        if packets:
            bodies += packets
            size_bytes += sum(map(len, packets))
        if size_bytes >= batch_bytes or not packets:
            yield piece(False)
            bodies, size_bytes = [], 0
    yield piece(True)


class MySQLReader:
    """A ChunkReader over one connection in a consistent-snapshot transaction."""

    def __init__(self, connection: Connection, where: str, kill: Callable[[int], None]) -> None:
        self._connection = connection
        self._where = where
        self._kill = kill
        self._results = RawResults(connection, where)
        self._broken = False

    def begin(self) -> None:
        """Open the transaction; everything is read as of now."""
        query(self._connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", where=self._where)
        query(self._connection, "SAVEPOINT obsync", where=self._where)

    def read(self, request: ChunkRequest, batch_bytes: int) -> Generator[Piece, None, None]:
        """Rows by one streaming SELECT; see `ChunkReader.read`."""
        try:
            rows = self._rows(select_rows(request, mysql_place(request)), request.table)
            yield from pieces(rows, request, batch_bytes)
        finally:
            self._leave()

    def split_point(self, request: ChunkRequest, rows: int) -> Key | None:
        """Walk the key's index; see `ChunkReader.split_point`."""
        found: Key | None = None
        try:
            for packets in self._rows(select_split_point(request, rows, mysql_place(request)), request.table):
                for packet in packets:
                    found = text_values(packet, range(len(request.key)))
        finally:
            self._leave()
        return found

    def ping(self) -> None:
        """Keep the connection alive."""
        try:
            self._connection.ping(reconnect=False)
        except (MySQLError, OSError) as error:
            raise SourceUnreachable(f"the connection broke: {error}", where=self._where) from error

    def interrupt(self) -> None:
        """End the connection under the thread that reads from it."""
        self._broken = True
        shut(self._connection)

    def close(self) -> None:
        """Let go of the connection. What it still has to say is refused, so that the server ends it at once."""
        self._broken = True
        with contextlib.suppress(OSError):  # It is gone already.
            refuse_the_rest(self._connection)
        self._connection._force_close()

    def _rows(self, sql: str, table: TableVersion) -> Generator[list[bytes], None, None]:
        try:
            yield from self._results.rows(sql)
        except SourceUnreachable:
            self._broken = True
            raise
        except MySQLError as error:
            raise self._refused(error, table.name) from error

    def _refused(self, error: MySQLError, table: TableName) -> SourceError:
        code = error.args[0]
        where = f"{self._where}, {table}"
        if code in _CHANGED:
            return SchemaChanged(
                f"the table was dropped or changed while it was read ({error.args[1]})",
                where=where,
                cure="Start again: it goes on if the table still has its columns, or is gone; else reset it.",
            )
        if code in (ER.QUERY_INTERRUPTED, ER.SERVER_SHUTDOWN):
            self._broken = True
            return SourceUnreachable(str(error.args[1]), where=where)
        return translate(error, where)

    def _leave(self) -> None:
        """Free the connection for the next query, and the table for DDL: its metadata lock ends, the snapshot stays."""
        if self._broken:
            return
        if self._results.unfinished:
            self._kill(self._connection.thread_id())
            self._results.drain()
            self._absorb_kill()
        query(self._connection, "ROLLBACK TO SAVEPOINT obsync", where=self._where)

    def _absorb_kill(self) -> None:
        """A kill that came after the query's end would hit the next statement."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("DO 0")
        except MySQLError as error:
            if error.args[0] != ER.QUERY_INTERRUPTED:
                raise translate(error, self._where) from error

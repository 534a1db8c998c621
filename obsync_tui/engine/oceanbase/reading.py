"""One reader of an OceanBase snapshot: any connection serves it, for a flashback read needs no session."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from pymysql.connections import Connection
from pymysql.err import MySQLError

from obsync_tui.engine.errors import SchemaChanged, SnapshotLost, SourceError, SourceUnreachable
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.full.reader import ChunkRequest, Cut, Piece
from obsync_tui.engine.mysql.connection import translate
from obsync_tui.engine.mysql.keysql import select_rows, select_split_point
from obsync_tui.engine.mysql.reading import pieces, settle, shut
from obsync_tui.engine.mysql.resultset import RawResults, text_values
from obsync_tui.engine.oceanbase.catalog import Partition
from obsync_tui.engine.oceanbase.flashback import flashback_place
from obsync_tui.model.table import TableName, TableVersion

# Database, column, table, partition are gone.
_GONE = (1049, 1054, 1146, 1735)
# "Unable to read data -- Table definition has changed", for a scn that is too old as well, and "invalid timestamp".
_NOT_AS_OF = (1412, 4344)
_PATIENCE_S = 60.0
_PAUSE_S = 1.0
_WHOLE: tuple[Partition, ...] = ()


class Tables:
    """What readers ask about tables while they read; safe for threads.

    `changed` tells whether a table had DDL since the cut, `partitions` lists those that it has, `lost` is the error
    when the cut cannot be read any more.
    """

    def __init__(
        self,
        changed: Callable[[TableName], bool],
        partitions: Callable[[TableName], tuple[Partition, ...]],
        lost: Callable[[str], SnapshotLost],
    ) -> None:
        self.changed = changed
        self.lost = lost
        self._partitions = partitions
        self._found: dict[TableName, tuple[Partition, ...]] = {}

    def partitions(self, name: TableName) -> tuple[Partition, ...]:
        """A table's partitions, asked for once: while `changed` says no they are those of the cut."""
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._partitions(name)
        return found


class OceanBaseReader:
    """A ChunkReader that connects anew when its connection breaks, for a minute, and goes on behind the last row."""

    def __init__(self, connect: Callable[[], Connection], cut: Cut, tables: Tables, where: str) -> None:
        self._connect = connect
        self._cut = cut
        self._tables = tables
        self._where = where
        self._connection: Connection | None = None
        self._results: RawResults | None = None
        self._stopping = threading.Event()

    def read(self, request: ChunkRequest, batch_bytes: int) -> Generator[Piece, None, None]:
        """Rows by streaming SELECTs; see `ChunkReader.read`. Without a key partition by partition."""
        if request.key:
            parts = [self._tables.partitions(request.table.name)]
        else:
            parts = [(p,) for p in self._tables.partitions(request.table.name)] or [_WHOLE]
        skip_rows = request.skip_rows
        for part in parts[:-1]:
            rows = self._count(request.table, part) if skip_rows else 0
            if rows and rows <= skip_rows:
                skip_rows -= rows
                continue
            for piece in self._patiently(replace(request, skip_rows=skip_rows), part, batch_bytes):
                yield replace(piece, finished=False)
            skip_rows = 0
        yield from self._patiently(replace(request, skip_rows=skip_rows), parts[-1], batch_bytes)

    def _patiently(
        self, request: ChunkRequest, part: Sequence[Partition], batch_bytes: int
    ) -> Generator[Piece, None, None]:
        heard_s = time.monotonic()
        while True:
            try:
                sql = select_rows(request, flashback_place(request, self._cut, part))
                for piece in pieces(self._rows(sql, request.table), request, batch_bytes):
                    yield piece
                    heard_s = time.monotonic()
                    if piece.last_key is not None:
                        request = replace(request, after=piece.last_key)
                    elif not request.key:
                        request = replace(request, skip_rows=request.skip_rows + len(piece.bodies))
                return
            except SourceUnreachable:
                if self._stopping.is_set() or time.monotonic() - heard_s > _PATIENCE_S:
                    raise
            finally:
                self._leave()
            yield Piece([], 0, None, False)
            self._stopping.wait(_PAUSE_S)

    def split_point(self, request: ChunkRequest, rows: int) -> Key | None:
        """Walk the key's index, of one hash partition where there are several; see `ChunkReader.split_point`.

        Ranges by key cross partitions, because a change in the log does not tell its partition. Rows of hash
        partitions are spread evenly, so a share of one tells of all.
        """
        partitions = self._tables.partitions(request.table.name)
        if not all(partition.method.upper().startswith(("HASH", "KEY")) for partition in partitions):
            return self._key_at(request, rows, partitions)
        share = max(rows // max(len(partitions), 1), 1)
        for part in partitions or (_WHOLE,):
            found = self._key_at(request, share, (part,) if isinstance(part, Partition) else _WHOLE)
            if found is not None:
                return found
        return None

    def _key_at(self, request: ChunkRequest, rows: int, part: Sequence[Partition]) -> Key | None:
        sql = select_split_point(request, rows, flashback_place(request, self._cut, part))
        found: Key | None = None
        for packet in self._all(sql, request.table):
            found = text_values(packet, range(len(request.key)))
        return found

    def _count(self, table: TableVersion, part: Sequence[Partition]) -> int:
        place = flashback_place(ChunkRequest(table, (), None, None, 0), self._cut, part)
        return int(text_values(self._all(f"SELECT COUNT(*) FROM {place.table}", table)[0], [0])[0])

    def _all(self, sql: str, table: TableVersion) -> list[bytes]:
        started_s = time.monotonic()
        while True:
            try:
                return [packet for packets in self._rows(sql, table) for packet in packets]
            except SourceUnreachable:
                if self._stopping.is_set() or time.monotonic() - started_s > _PATIENCE_S:
                    raise
            finally:
                self._leave()
            self._stopping.wait(_PAUSE_S)

    def ping(self) -> None:
        """Keep the connection alive; a broken one is replaced when it is needed."""
        if self._connection is None:
            return
        try:
            self._connection.ping(reconnect=False)
        except (MySQLError, OSError):
            self._drop()

    def interrupt(self) -> None:
        """End the read that another thread is in; there will be no other."""
        self._stopping.set()
        connection = self._connection
        if connection is not None:
            shut(connection)

    def close(self) -> None:
        """Let go of the connection."""
        self._stopping.set()
        self._drop()

    def _rows(self, sql: str, table: TableVersion) -> Generator[list[bytes], None, None]:
        checked = False
        try:
            for packets in self._opened().rows(sql):
                # The answer's head is here: the statement has taken the catalog that it reads by.
                if packets and not checked:
                    self._check(table)
                    checked = True
                yield packets
            if not checked:
                self._check(table)
        except SourceUnreachable:
            self._drop()
            raise
        except MySQLError as error:
            raise self._refused(error, table) from error

    def _opened(self) -> RawResults:
        if self._stopping.is_set():
            raise SourceUnreachable("the snapshot is closed", where=self._where)
        if self._results is None:
            connection = self._connection = self._connect()
            try:
                settle(connection, self._where)
            except SourceError:
                self._drop()
                raise
            if self._stopping.is_set():
                shut(connection)
            self._results = RawResults(connection, self._where)
        return self._results

    def _check(self, table: TableVersion) -> None:
        if self._tables.changed(table.name):
            raise self._changed(table, "DDL ran on it")

    def _changed(self, table: TableVersion, what: str) -> SchemaChanged:
        return SchemaChanged(
            f"the table was dropped or changed while it was read ({what})",
            where=f"{self._where}, {table.name}",
            cure="Start again: it goes on if the table still has its columns, or is gone; else reset it.",
        )

    def _refused(self, error: MySQLError, table: TableVersion) -> SourceError:
        code, text = error.args[0], str(error.args[1])
        if code in _GONE or (code in _NOT_AS_OF and self._tables.changed(table.name)):
            return self._changed(table, text)
        if code in _NOT_AS_OF:
            return self._tables.lost(text)
        failure = translate(error, f"{self._where}, {table.name}")
        if isinstance(failure, SourceUnreachable):
            self._drop()
        return failure

    def _leave(self) -> None:
        """A connection with an unread answer is not worth the reading: the next read has another."""
        if self._results is not None and self._results.unfinished:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._results = self._connection, None, None
        if connection is not None:
            connection._force_close()

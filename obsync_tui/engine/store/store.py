"""The Store seam: a source's log as batches of row images in commit order.

A batch is up to 1 MiB, 20 ms or a transaction's end, whichever comes first. Row images stay in their wire form; the
Connector compiles row plans for (table version, wire shape) and walks them.
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from obsync_tui.engine.values.jsonbinary import MYSQL57, JsonDialect
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.position import Gtid, LogPosition
from obsync_tui.model.project import DmlKind
from obsync_tui.model.table import TableName, TableVersion


class BinlogShape(msgspec.Struct, frozen=True):
    """The wire shape of a table's row images in a binlog: type codes and metadata from its TABLE_MAP.

    `checksum` tells of a CRC32 behind each event, `json_dialect` how the server prints JSON.
    """

    types: bytes
    metadata: tuple[int, ...]
    checksum: bool = True
    json_dialect: JsonDialect = MYSQL57


class TextShape(msgspec.Struct, frozen=True):
    """The wire shape of a result set's rows: the text protocol, columns in the table's order.

    A body is one row; for an UPDATE its columns before, followed by those after.
    """

    columns: int


WireShape = BinlogShape | TextShape


class Begin(msgspec.Struct, frozen=True):
    """A transaction starts, or goes on in this batch: its GTID and commit time in microseconds (UTC epoch)."""

    gtid: Gtid
    commit_us: int


class RowGroup(msgspec.Struct, frozen=True):
    """Consecutive row images of one table and kind: each body holds one or more, from `start` on.

    Each row stands for `weight` row changes of the source.
    """

    table: TableVersion
    shape: WireShape
    kind: DmlKind
    bodies: list[bytes]
    start: int
    weight: int = 1


class Commit(msgspec.Struct, frozen=True):
    """The transaction is whole; from here on the position holds its GTID."""

    gtid: Gtid


class SchemaVersion(msgspec.Struct, frozen=True):
    """A table has another shape from here on; it must be durable before rows decoded with it are committed."""

    table: TableVersion
    created: bool = False


class DdlStatement(msgspec.Struct, frozen=True):
    """A DDL statement on a table in scope, for DDL records and events."""

    table: TableName
    statement: str
    ddl_type: str
    others: tuple[TableName, ...] = ()


LogItem = Begin | RowGroup | Commit | SchemaVersion | DdlStatement


class LogBatch(msgspec.Struct, frozen=True):
    """Consecutive items of the log; `read_us` is when the newest byte arrived, `whole` whether it ends between
    transactions, `more` whether further bytes were already waiting. `newest_commit_us` includes changes out of scope,
    0 when nothing but heartbeats came. `executed` is the set of whole transactions at the batch's end, in scope or not.
    `records` are the Store's own, to be committed with what the batch holds; only a whole batch has any.
    """

    items: list[LogItem]
    size_bytes: int
    read_us: int
    whole: bool
    more: bool
    newest_commit_us: int
    executed: str
    records: tuple[Record, ...] = ()


class Store(Protocol):
    """A source's log from a position on.

    `batches` yields until `stop` is called, and an empty batch at least every heartbeat period. It raises LogGap,
    SourceUnreachable, SourceRefused, SourceUnfit, LogDamaged, SchemaMismatch, SchemaChanged or ReplacedReader;
    the caller decides by `retryable` and opens another Store at its own checkpoint.
    """

    def batches(self, position: LogPosition, tables: tuple[TableVersion, ...]) -> Iterator[LogBatch]:
        """Connect, check the position against the source's history, and yield."""
        ...

    def stop(self) -> None:
        """End `batches` within a second, from any thread and state."""
        ...

    def committed(self, position: LogPosition) -> None:
        """A position, with the records of every batch up to it, is durable; from any thread."""
        ...

    def newest_position(self) -> str:
        """The source's newest position, over a connection of its own."""
        ...

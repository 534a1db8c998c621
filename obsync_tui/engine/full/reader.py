"""The Full-Import seam: a source's tables as of one cut, in pieces of rows.

A `Snapshots` opens a `Snapshot`: every table as of one cut, and connections that read it. MySQL reads under
transactions opened together; OceanBase reads `AS OF SNAPSHOT` an scn, with connections that any loss can replace.
Whatever is read comes as `ChunkBatch`, in the wire form that the Connector compiles row plans for.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from obsync_tui.engine.full.keys import Key, KeyRanker
from obsync_tui.engine.store.store import TextShape
from obsync_tui.model.table import TableName, TableVersion


class Cut(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point of the log at which ranges are read; `cut_id` grows from 1 within a project.

    `executed` is the GTID set it holds. `commit_us` > 0 (OceanBase): it holds the transactions committed up to then,
    whatever their GTID, and `scn` is where tables are read. `taken_s` is the source's clock, UTC epoch seconds.
    """

    cut_id: int
    executed: str
    taken_s: float = 0.0
    commit_us: int = 0
    scn: int = 0


@dataclass(frozen=True, slots=True)
class ChunkBatch:
    """Consecutive rows of one segment of a table, up to about 1 MiB, or what was left of it.

    Each body is a row packet of the text protocol. `last_key` is the key of the last row, None when there is no row or
    the table is undivided. `finished` ends the segment; such a batch can be empty.
    """

    table: TableVersion
    segment_id: int
    cut: int
    shape: TextShape
    bodies: list[bytes]
    last_key: Key | None
    finished: bool
    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ChunkRequest:
    """Rows of a table with keys above `after` up to `upto`, in the order of the key columns.

    Without key columns: all rows but the first `skip_rows`, in an order that is the same for all readers of a snapshot.
    """

    table: TableVersion
    key: tuple[str, ...]
    after: Key | None
    upto: Key | None
    skip_rows: int


@dataclass(frozen=True, slots=True)
class Piece:
    """What a reader has at once: row packets, the last one's key, and whether the segment is over."""

    bodies: list[bytes]
    size_bytes: int
    last_key: Key | None
    finished: bool


class ChunkReader(Protocol):
    """One connection that reads tables as of the snapshot's cut, used by one thread.

    Methods raise SourceUnreachable when the connection is gone, SchemaChanged when the table is not any more what
    it was at the cut, and SnapshotLost when the source does not keep the cut any longer.
    """

    def read(self, request: ChunkRequest, batch_bytes: int) -> Generator[Piece, None, None]:
        """The request's rows, in pieces of about `batch_bytes`; empty pieces while the source is silent.

        Closing the generator abandons the rest and leaves the connection usable.
        """
        ...

    def split_point(self, request: ChunkRequest, rows: int) -> Key | None:
        """The key of the request's `rows`-th row; None when it has no more rows than that."""
        ...

    def ping(self) -> None:
        """Keep an idle connection alive."""
        ...

    def close(self) -> None:
        """Let go of the connection, from the thread that uses it or when none does."""
        ...


class LogLeft(msgspec.Struct, frozen=True):
    """How long the source will keep the log after a cut, by its settings; None: for ever, or unknown."""

    left_s: float | None = None
    warning: str = ""


class Snapshot(Protocol):
    """All tables in scope as of one cut."""

    @property
    def cut(self) -> Cut:
        """The point of the log."""
        ...

    @property
    def tables(self) -> tuple[TableVersion, ...]:
        """The tables' shapes at the cut."""
        ...

    @property
    def estimates(self) -> Mapping[TableName, int]:
        """Rows of each table by the source's statistics, 0 when unknown."""
        ...

    @property
    def readers(self) -> tuple[ChunkReader, ...]:
        """The connections."""
        ...

    def log_left(self, cut: Cut) -> LogLeft:
        """Ask the source whether the log after a cut is kept: LogGap when it is gone."""
        ...

    def outlasts(self, left_s: float) -> str:
        """A warning when the source will not keep this snapshot for so long; empty when it will."""
        ...

    def interrupt(self) -> None:
        """End every read, in other threads: each raises SourceUnreachable within a second."""
        ...

    def close(self) -> None:
        """Let go of all connections, when nobody reads."""
        ...


class StartPoint(msgspec.Struct, frozen=True):
    """Where a project without full synchronization starts: a cut, and the tables' shapes at it."""

    cut: Cut
    tables: tuple[TableVersion, ...]


class Snapshots(Protocol):
    """Opens snapshots of the tables in scope."""

    def open(self, cut_id: int, last: Cut | None = None) -> Snapshot:
        """Take a cut and open a snapshot at it, or at the cut taken last where the source still keeps that.

        Raises SourceUnreachable, SourceRefused, SourceUnfit, and SnapshotLost when no cut could be taken in time.
        """
        ...

    def start_point(self) -> StartPoint:
        """A cut and the shapes at it, without a snapshot; raises as `open` does."""
        ...

    def ranker(self) -> KeyRanker:
        """Compares keys for the stream's filter as the source does; connects when it has to."""
        ...

    def stop(self) -> None:
        """End an `open` under way, from any thread: it raises within a second. Nothing opens afterwards."""
        ...

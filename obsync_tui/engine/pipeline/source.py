"""The source's side of a run: what differs between MySQL and OceanBase, and whatever is asked of the source beside."""

import threading
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from obsync_tui.engine.formats.plan import Identity
from obsync_tui.engine.full.reader import Snapshots
from obsync_tui.engine.pipeline.checkpoint import Checkpoint
from obsync_tui.engine.pipeline.shapes import Shapes
from obsync_tui.engine.store.binlog.assembly import Covered
from obsync_tui.engine.store.binlog.history import SourceLog, reachable
from obsync_tui.engine.store.store import Store
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.gap import Survey
from obsync_tui.model.moment import Moment
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.retime import FoundPosition
from obsync_tui.model.secret import Secret, SecretReference
from obsync_tui.model.table import TableName, TableVersion

Secrets = Callable[[SecretReference], Secret]
Commit = Callable[[tuple[Record, ...]], None]
"""Makes records durable, alone, before it returns."""


class SourceSample(msgspec.Struct, frozen=True):
    """What a source says of itself at one moment.

    `newest` is its executed GTID set, None where transactions are not counted. `retention_s` is how long it keeps its
    log, 0 for ever or unknown. `now_s` is its clock, `clock_offset_s` how far that is ahead of this machine's.
    `tables` are those in scope, of a source whose log does not tell that one was created; empty when not looked for.
    """

    clock_offset_s: float
    now_s: float
    newest: GtidSet | None = None
    retention_s: float = 0.0
    tables: frozenset[TableName] = frozenset()


class Probe(Protocol):
    """Asks the source for its numbers over a connection of its own, used by one thread."""

    def sample(self, position: str) -> SourceSample:
        """The numbers of this moment; SourceError, and LogGap when `position` is not of the source's history."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class SourceSide(Protocol):
    """Makes what reads the source. `identity` is what messages tell of it, once `open` has returned."""

    @property
    def identity(self) -> Identity:
        """What messages tell of the source."""
        ...

    def open(self, checkpoint: Checkpoint, commit: Commit) -> None:
        """Make ready what has to be there before a cut is taken, and keep what the checkpoint holds of it.

        Called once in each attempt, by the only writer of the project. Raises SourceError.
        """
        ...

    def unfollowed(self, checkpoint: Checkpoint, before: ObjectRules | None) -> frozenset[TableName]:
        """The tables in scope whose beginning the log does not tell of: they have to be read.

        Where one log tells of all tables these are the ones that the rules `before` did not match (None: they are the
        same), else all that the checkpoint does not know. Raises SourceError.
        """
        ...

    def snapshots(self) -> Snapshots:
        """Opens snapshots of the source."""
        ...

    def store(self, covered: Covered | None) -> Store:
        """A Store for one attempt, which may leave out what is `covered`."""
        ...

    def survey(self, checkpoint: Checkpoint) -> Survey:
        """What of the log after the checkpoint's position is out of reach. Raises SourceError."""
        ...

    def give_up(self, checkpoint: Checkpoint, tables: frozenset[TableName]) -> tuple[Record, ...]:
        """Stop following these tables' own logs: the records by which `open` makes them ready again."""
        ...

    def position_at(self, at: Moment, checkpoint: Checkpoint, stopping: threading.Event) -> FoundPosition:
        """The position behind everything that was committed before a time, compared with the checkpoint's.

        Tables that are to be read again are left out of account. ConfigError when the time is to come, LogGap when the
        log begins later. Raises SourceError, Stopped.
        """
        ...

    def shapes_at(self, position: LogPosition, checkpoint: Checkpoint, stopping: threading.Event) -> Shapes:
        """The shapes that the tables in scope had at a position. Raises SourceError, Stopped."""
        ...

    def probe(self) -> Probe:
        """A probe of the source."""
        ...


def binlog_survey(checkpoint: Checkpoint, log: SourceLog, there: Iterable[TableVersion]) -> Survey:
    """What a binlog lacks after the checkpoint's position; `there` are the tables in scope as they are."""
    position = GtidSet.parse(checkpoint.position.executed if checkpoint.position else "")
    nearest = reachable(position, log)
    texts = []
    if purged := nearest.missing_from(position):
        texts.append(f"{purged.count()} transactions were purged unread: {str(purged)[:200]}")
    if alien := position.missing_from(nearest):
        texts.append(
            f"{alien.count()} transactions are of another history, whose log counts from its beginning: "
            f"{str(alien)[:200]}"
        )
    return Survey(str(nearest), "; ".join(texts), changed=changed_tables(checkpoint.schemas, there))


def changed_tables(known: Iterable[TableVersion], there: Iterable[TableVersion]) -> tuple[TableName, ...]:
    """The tables in scope whose columns or keys are not those that the checkpoint knows, or that it does not know."""
    shapes = {table.name: (table.columns, table.primary_key) for table in known}
    return tuple(
        table.name for table in there if shapes.get(table.name) != (table.columns, table.primary_key)
    )

"""The source's side of a run: what differs between MySQL and OceanBase, and whatever is asked of the source beside."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from obsync_tui.engine.formats.plan import Identity
from obsync_tui.engine.full.reader import Snapshots
from obsync_tui.engine.pipeline.checkpoint import Checkpoint
from obsync_tui.engine.store.store import Store
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.position import GtidSet
from obsync_tui.model.secret import Secret, SecretReference

Secrets = Callable[[SecretReference], Secret]
Commit = Callable[[tuple[Record, ...]], None]
"""Makes records durable, alone, before it returns."""


class SourceSample(msgspec.Struct, frozen=True):
    """What a source says of itself at one moment.

    `newest` is its executed GTID set, None where transactions are not counted. `retention_s` is how long it keeps its
    log, 0 for ever or unknown. `now_s` is its clock, `clock_offset_s` how far that is ahead of this machine's.
    """

    clock_offset_s: float
    now_s: float
    newest: GtidSet | None = None
    retention_s: float = 0.0


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

    def snapshots(self) -> Snapshots:
        """Opens snapshots of the source."""
        ...

    def store(self) -> Store:
        """A Store for one attempt."""
        ...

    def probe(self) -> Probe:
        """A probe of the source."""
        ...

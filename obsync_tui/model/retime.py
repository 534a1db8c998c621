"""Where a log stands at a point of time, and what it means for a project to go on from there."""

import msgspec

from obsync_tui.model.moment import Moment
from obsync_tui.model.position import LogPosition
from obsync_tui.model.table import TableName


class Stretch(msgspec.Struct, frozen=True):
    """Transactions of the log between two positions; the times are None where they are not known."""

    transactions: int = 0
    first: Moment | None = None
    last: Moment | None = None


class FoundPosition(msgspec.Struct, frozen=True):
    """The position behind every transaction that was committed before `at`, all by the source's clock.

    `following` is when the next transaction was committed, None where there is none yet. `earliest` and `newest` are
    between which times the source can be asked for now; `whole_seconds` says that its log has no finer ones, and that
    the second of `at` is taken whole. Against the current position, `repeated` are those that it holds and this one
    does not, `skipped` the others.
    """

    at: Moment
    position: LogPosition
    following: Moment | None
    earliest: Moment
    newest: Moment
    whole_seconds: bool = False
    repeated: Stretch = Stretch()
    skipped: Stretch = Stretch()


class UnknownShape(msgspec.Struct, frozen=True):
    """A table whose shape at a position nobody knows any more: the statement that changed it, and when."""

    table: TableName
    statement: str
    gtid: str
    changed: Moment


class Retime(msgspec.Struct, frozen=True):
    """A stopped project set to a point of time: what `retime` does when nothing is `unknown`.

    `epoch` is the next one. `current` is the position that is given up, `again` are tables that are read again.
    """

    found: FoundPosition
    current: LogPosition
    epoch: int
    again: tuple[TableName, ...] = ()
    unknown: tuple[UnknownShape, ...] = ()


class Retimed(msgspec.Struct, frozen=True):
    """A plan, and what was done of it in sentences: nothing while it is not confirmed."""

    plan: Retime
    notes: tuple[str, ...] = ()

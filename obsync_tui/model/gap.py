"""A gap between a project's position and what the source's log still holds."""

import msgspec

from obsync_tui.model.table import TableName


class TableGap(msgspec.Struct, frozen=True):
    """A table whose own log has a gap, and what happened to it."""

    table: TableName
    what: str


class Survey(msgspec.Struct, frozen=True):
    """The log after a position. `executed` is the nearest position from which it is whole, `lost` what lies before.

    `gaps` are those of single tables' logs, in the tables' order; `changed` are tables whose columns are not
    those of the checkpoint any more, or that the checkpoint does not know.
    """

    executed: str
    lost: str = ""
    gaps: tuple[TableGap, ...] = ()
    changed: tuple[TableName, ...] = ()


class Gap(msgspec.Struct, frozen=True):
    """What the checkpoint and the source say: `tables` are those that the project follows."""

    position: str
    survey: Survey
    tables: tuple[TableName, ...]
    resync: tuple[TableName, ...] = ()

"""View logs as a tenant's list shows them."""

import msgspec

from obsync_tui.model.table import TableName


class ListedLog(msgspec.Struct, frozen=True):
    """A view log. `owner` is the project's name, its id when no project of this machine has that id any more, empty
    when nothing here says whose it is. An `orphan` was made by a project that is gone: it can be dropped.
    """

    table: TableName
    log_id: int
    created_s: int
    purged_s: int
    owner: str
    orphan: bool
    lob_bytes: int

"""What an OceanBase tenant offers: its logs, its settings, and the rights of an account."""

import msgspec

from obsync_tui.model.datasource import LogChoice
from obsync_tui.model.project import Step


class Tenant(msgspec.Struct, frozen=True):
    """A tenant; empty or None is what the server does not tell this account.

    `undo_retention_s` is how far back `AS OF SNAPSHOT` can read.
    """

    tenant: str = ""
    cluster: str = ""
    time_zone: str = ""
    binlog_row_image: str = ""
    lower_case_table_names: int | None = None
    undo_retention_s: int | None = None


class Available(msgspec.Struct, frozen=True):
    """Whether a log is there: None when it could not be told. `why` says what was seen, `cure` what to do."""

    yes: bool | None
    why: str
    cure: str = ""


class Choice(msgspec.Struct, frozen=True):
    """The log that is read, None when there is none that may be; with the reason and what to do."""

    log: LogChoice | None
    why: str
    cure: str = ""


class StepRights(msgspec.Struct, frozen=True):
    """The statements without which a step cannot run; none when nothing is missing."""

    step: Step
    log: LogChoice | None
    missing: tuple[str, ...]


class Description(msgspec.Struct, frozen=True):
    """What a tenant offers and lacks; `longer_flashback` is the statement that lengthens the flashback window."""

    version: str
    tenant: Tenant
    account: str
    binlog_service: Available
    view_logs: Available
    log: Choice
    longer_flashback: str
    clock_offset_s: float
    databases: tuple[str, ...]
    rights: tuple[StepRights, ...]

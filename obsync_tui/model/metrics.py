"""The numbers of a running project, as status line, `--json`, console and Prometheus show them."""

from enum import StrEnum

import msgspec

from obsync_tui.model.project import Step


class Phase(StrEnum):
    """What a run is doing; `gap`: it stands before changes that are out of reach, for the user to decide."""

    STARTING = "starting"
    SCHEMA = "schema"
    FULL = "full"
    INCREMENTAL = "incremental"
    RETRYING = "retrying"
    STOPPED = "stopped"
    FAILED = "failed"
    GAP = "gap"
    COMPLETED = "completed"


# Phases in which nothing runs any more.
ENDED = frozenset((Phase.STOPPED, Phase.FAILED, Phase.GAP, Phase.COMPLETED))


class FullStatus(msgspec.Struct, frozen=True):
    """Full-Import's progress; `rows_estimated` 0 and `left_s` None mean unknown."""

    tables: int = 0
    tables_done: int = 0
    rows: int = 0
    rows_estimated: int = 0
    rows_per_s: float = 0.0
    left_s: float | None = None


class Failure(msgspec.Struct, frozen=True):
    """The error a run stands on."""

    code: str
    what: str
    where: str
    cure: str
    retryable: bool
    at_s: float


class Status(msgspec.Struct, frozen=True):
    """One second's picture of a run.

    Times are UTC epoch seconds, lags seconds; None means not known yet. `source_lag_s` is now minus the commit time
    of the newest change read, `delivery_lag_s` the same for the newest change acknowledged; both are 0 when idle.
    `backlog_rows` and `backlog_bytes` are read but not acknowledged. `behind_transactions` is the distance to the
    source's newest position. `bottleneck` names the slowest component. `rows` and `bytes` are acknowledged, `read_rows`
    and `read_bytes` read, those read again counted again; rates are over the last seconds. `commit_s` is how long a
    commit took on average in these, `commit_total_s` how long all took. `log_fill` and `message_fill` tell how full the
    queues before the Connector and before the sink are, 0 to 1.
    """

    project_id: str
    project: str
    phase: Phase
    at_s: float
    pid: int
    started_s: float
    step: Step | None = None
    source_lag_s: float | None = None
    delivery_lag_s: float | None = None
    source_lag_age_s: float | None = None
    delivery_lag_age_s: float | None = None
    idle: bool = False
    backlog_rows: int = 0
    backlog_bytes: int = 0
    behind_transactions: int | None = None
    behind_age_s: float | None = None
    rows: int = 0
    bytes: int = 0
    rows_per_s: float = 0.0
    bytes_per_s: float = 0.0
    read_rows: int = 0
    read_bytes: int = 0
    read_rows_per_s: float = 0.0
    read_bytes_per_s: float = 0.0
    commit_s: float | None = None
    commit_total_s: float = 0.0
    log_fill: float = 0.0
    message_fill: float = 0.0
    messages: int = 0
    commits: int = 0
    restarts: int = 0
    rss_bytes: int = 0
    bottleneck: str = ""
    position: str = ""
    clock_offset_s: float | None = None
    purge_left_s: float | None = None
    full: FullStatus = FullStatus()
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None

"""The components of a running project, as console, command line and API show them."""

from enum import StrEnum

import msgspec

from obsync_tui.model.metrics import Failure


class Component(StrEnum):
    """What can be paused by itself. Store pulls the log, Connector makes messages of it and delivers them."""

    STORE = "store"
    CONNECTOR = "connector"
    FULL_IMPORT = "full-import"


class ComponentState(StrEnum):
    """How a component stands; `abnormal`: an error of its side stopped it, and may be tried again."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    ABNORMAL = "abnormal"
    COMPLETED = "completed"


class ComponentStatus(msgspec.Struct, frozen=True):
    """One component at one moment. Times are UTC epoch seconds, lags seconds; None means not known.

    `waits_for` says what keeps it from going on, empty while it works. Rows come in from the source and go out to the
    next component (Store) or the destination. `start` and `start_s` are where the stream began in this run,
    `position` and `reached_s` how far it is. `queue_…` is what it has handed on and nobody has taken yet; rows of a
    Store's queue are estimated by size. `progress` is 0 to 1. `error` is the last one, also when it is over.
    """

    component: Component
    state: ComponentState
    since_s: float
    waits_for: str = ""
    rows_in_per_s: float = 0.0
    rows_out_per_s: float = 0.0
    start: str = ""
    start_s: float | None = None
    position: str = ""
    reached_s: float | None = None
    lag_s: float | None = None
    queue_rows: int = 0
    queue_bytes: int = 0
    queue_fill: float = 0.0
    progress: float | None = None
    error: Failure | None = None

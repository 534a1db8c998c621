"""What of the past crosses the API: series of metrics, lines of component logs."""

from enum import StrEnum

import msgspec


class Metric(StrEnum):
    """A metric that is kept over time, named as its field of Status.

    The order is that of the stored points: further ones are added at the end, and none is taken away.
    """

    SOURCE_LAG_S = "source_lag_s"
    DELIVERY_LAG_S = "delivery_lag_s"
    READ_ROWS_PER_S = "read_rows_per_s"
    ROWS_PER_S = "rows_per_s"
    READ_BYTES_PER_S = "read_bytes_per_s"
    BYTES_PER_S = "bytes_per_s"
    BACKLOG_ROWS = "backlog_rows"
    BACKLOG_BYTES = "backlog_bytes"
    COMMIT_S = "commit_s"
    LOG_FILL = "log_fill"
    MESSAGE_FILL = "message_fill"


WORST = frozenset((Metric.SOURCE_LAG_S, Metric.DELIVERY_LAG_S, Metric.BACKLOG_ROWS, Metric.BACKLOG_BYTES))
"""What is made coarser by its largest value; everything else by its mean."""


class MetricSeries(msgspec.Struct, frozen=True):
    """Values of a project, one for each step of `step_s` seconds from `start_s` (UTC epoch, a multiple of the step).

    `values` has a tuple for each name, all of one length; None is a gap: the project did not run, or there was
    nothing to measure. `tier_s` is the step of the tier that they were read from.
    """

    project_id: str
    start_s: int
    step_s: int
    tier_s: int
    names: tuple[Metric, ...]
    values: tuple[tuple[float | None, ...], ...]


class Component(StrEnum):
    """Whose log a line stands in; `project` is what the engine did with the project, `engine` the engine itself."""

    STORE = "store"
    CONNECTOR = "connector"
    FULL_IMPORT = "full-import"
    PROJECT = "project"
    ENGINE = "engine"


class Level(StrEnum):
    """How much a line or an event matters; `rank` orders them."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        """0 for DEBUG to 3 for ERROR."""
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(Level)}


class LogLine(msgspec.Struct, frozen=True):
    """A line as it was written; `at_s` is UTC epoch, None for a line that is not obsync's."""

    at_s: float | None
    level: Level
    text: str


class LogPage(msgspec.Struct, frozen=True):
    """Lines, oldest first, and cursors: opaque texts that stay good while files are rotated.

    `older` leads to what is before the lines, empty at the log's beginning; `newer` to what comes after them. A page
    may hold fewer lines than there are, even none, where many had to be looked at: backwards go on until `older` is
    empty, forwards until `newer` no longer moves. `lost` tells that lines between the cursor that was asked for and
    these were rotated away. `looked_bytes` is how much of the log was read for the page.
    """

    lines: tuple[LogLine, ...]
    older: str
    newer: str
    lost: bool = False
    looked_bytes: int = 0

"""All projects' numbers as Prometheus reads them: text exposition format 0.0.4.

Names follow Debezium's MBeans (MilliSecondsBehindSource, TotalNumberOfEventsSeen, …) and Kafka's clients
(record-send-total) where these have the same figure, in Prometheus' units: seconds, bytes, ratios.
Rendered here: the client library takes ten times as long and 14 MB.
"""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Generic, TypeVar

import msgspec

from obsync_tui.model.metrics import Phase, Status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FLOWING = (Phase.FULL, Phase.INCREMENTAL)
Of = TypeVar("Of")
Labels = Sequence[tuple[str, str]]
Sample = tuple[Labels, float | None]


class StateCount(msgspec.Struct, frozen=True):
    """How many projects are in a state of the lifecycle."""

    state: str
    projects: int


class EngineFacts(msgspec.Struct, frozen=True):
    """The engine's own numbers. Times are UTC epoch seconds; `row_plans` names the back-end in force."""

    version: str
    row_plans: str
    started_s: float
    rss_bytes: int
    cpu_s: float
    threads: int
    open_files: int
    states: tuple[StateCount, ...] = ()
    log_lines_dropped: int = 0
    abandoned_threads: int = 0


class Family(msgspec.Struct, Generic[Of], frozen=True):
    """A metric: name, kind, help, and its samples of one project or of the engine; a value of None is left out."""

    name: str
    kind: str
    help: str
    samples: Callable[[Of], Iterable[Sample]]


def _gauge(name: str, text: str, read: Callable[[Of], float | None]) -> Family[Of]:
    return Family(f"obsync_{name}", "gauge", text, lambda of: (((), read(of)),))


def _counter(name: str, text: str, read: Callable[[Of], float | None]) -> Family[Of]:
    return Family(f"obsync_{name}_total", "counter", text, lambda of: (((), read(of)),))


def _phase(status: Status) -> Iterable[Sample]:
    return (((("phase", status.phase),), 1),)


def _queues(status: Status) -> Iterable[Sample]:
    return ((("queue", "log"),), status.log_fill), ((("queue", "message"),), status.message_fill)


def _bottleneck(status: Status) -> Iterable[Sample]:
    return [((("component", name),), status.bottleneck == name) for name in ("source", "connector", "sink")]


def _info(engine: EngineFacts) -> Iterable[Sample]:
    return (((("version", engine.version), ("row_plans", engine.row_plans)), 1),)


def _states(engine: EngineFacts) -> Iterable[Sample]:
    return [((("state", one.state),), one.projects) for one in engine.states]


PROJECT_FAMILIES: tuple[Family[Status], ...] = (
    Family("obsync_phase", "gauge", "1 for the phase that the run is in", _phase),
    _gauge("connected", "1 while rows are read and delivered", lambda s: s.phase in _FLOWING),
    _gauge("failed", "1 while the run is failed, before a gap, or retrying", lambda s: s.failure is not None),
    _gauge("idle", "1 when caught up and nothing passes", lambda s: s.idle),
    _gauge("warnings", "Warnings that stand now", lambda s: len(s.warnings)),
    _gauge("status_timestamp_seconds", "When these figures were taken", lambda s: s.at_s),
    _gauge("start_time_seconds", "When the run started", lambda s: s.started_s),
    _gauge(
        "seconds_behind_source",
        "Now minus the commit time of the newest change read",
        lambda s: s.source_lag_s,
    ),
    _gauge(
        "delivery_seconds_behind_source",
        "Now minus the commit time of the newest change acknowledged",
        lambda s: s.delivery_lag_s,
    ),
    _gauge("seconds_since_last_event", "Since a change was read last", lambda s: s.source_lag_age_s),
    _gauge("transactions_behind_source", "To the source's newest position", lambda s: s.behind_transactions),
    _counter("events_seen", "Row changes read, those read again counted again", lambda s: s.read_rows),
    _counter("bytes_read", "Bytes of these in the source's log or result sets", lambda s: s.read_bytes),
    _counter("events_delivered", "Row changes acknowledged", lambda s: s.rows),
    _counter("bytes_delivered", "Bytes of these in the source's log or result sets", lambda s: s.bytes),
    _counter("record_send", "Messages acknowledged by the destination", lambda s: s.messages),
    _counter("commits", "Commits of messages with their checkpoint", lambda s: s.commits),
    _counter("commit_duration_seconds", "How long all commits took", lambda s: s.commit_total_s),
    _gauge("backlog_events", "Row changes read but not acknowledged", lambda s: s.backlog_rows),
    _gauge("backlog_bytes", "Bytes of these", lambda s: s.backlog_bytes),
    Family("obsync_queue_utilization_ratio", "gauge", "How full the queue is, 0 to 1", _queues),
    Family("obsync_bottleneck", "gauge", "1 for the slowest component", _bottleneck),
    _counter("restarts", "Attempts that ended in an error and were tried again", lambda s: s.restarts),
    _gauge("source_clock_offset_seconds", "How far the source's clock is ahead", lambda s: s.clock_offset_s),
    _gauge(
        "source_purge_seconds", "Until the source may purge what is not delivered", lambda s: s.purge_left_s
    ),
    _gauge("snapshot_running", "1 during full synchronization", lambda s: s.phase is Phase.FULL),
    _gauge("snapshot_tables", "Tables of full synchronization", lambda s: s.full.tables),
    _gauge("snapshot_remaining_tables", "Tables not done", lambda s: s.full.tables - s.full.tables_done),
    _gauge("snapshot_rows_scanned", "Rows of full synchronization done", lambda s: s.full.rows),
    _gauge(
        "snapshot_rows_estimated", "Rows there are by the source's estimate", lambda s: s.full.rows_estimated
    ),
    _gauge("snapshot_remaining_seconds", "Estimated time left", lambda s: s.full.left_s),
)


ENGINE_FAMILIES: tuple[Family[EngineFacts], ...] = (
    Family("obsync_engine_info", "gauge", "1; version and row-plan back-end are labels", _info),
    _gauge("engine_start_time_seconds", "When the engine started", lambda e: e.started_s),
    _gauge("engine_resident_memory_bytes", "Resident memory", lambda e: e.rss_bytes),
    _counter("engine_cpu_seconds", "User and system time", lambda e: e.cpu_s),
    _gauge("engine_threads", "Threads", lambda e: e.threads),
    _gauge(
        "engine_abandoned_threads", "Threads given up in a call that hangs", lambda e: e.abandoned_threads
    ),
    _gauge("engine_open_files", "Open descriptors", lambda e: e.open_files),
    _counter(
        "engine_log_lines_dropped", "Log lines that could not be written", lambda e: e.log_lines_dropped
    ),
    Family("obsync_engine_projects", "gauge", "Projects by state of the lifecycle", _states),
)


def render(engine: EngineFacts, statuses: Sequence[Status]) -> bytes:
    """The page for a scrape: the engine's metrics, then each project's under its name and id.

    A figure that is not known has no sample. The statuses are of different projects.
    """
    lines = [line for family in ENGINE_FAMILIES for line in _family(family, ((engine, ""),))]
    projects = [
        (status, f'project="{_label(status.project)}",project_id="{_label(status.project_id)}"')
        for status in statuses
    ]
    lines += [line for family in PROJECT_FAMILIES for line in _family(family, projects)]
    return ("\n".join(lines) + "\n").encode()


def _family(family: Family[Of], found: Iterable[tuple[Of, str]]) -> list[str]:
    """A metric's lines; none when it has no sample."""
    lines = [f"# HELP {family.name} {family.help}.", f"# TYPE {family.name} {family.kind}"]
    for of, labels in found:
        for more, value in family.samples(of):
            if value is None:
                continue
            pairs = labels
            for key, text in more:
                pairs = f'{pairs}{"," if pairs else ""}{key}="{_label(text)}"'
            braced = f"{{{pairs}}}" if pairs else ""
            lines.append(f"{family.name}{braced} {_number(value)}")
    return lines if len(lines) > 2 else []


def _label(text: str) -> str:
    r"""A label's value: `\`, `"` and line feeds are escaped, what is no Unicode is replaced."""
    text = text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return text.encode("utf-8", "replace").decode()


def _number(value: float) -> str:
    if type(value) is int:
        return str(value)
    if not isfinite(value):
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))

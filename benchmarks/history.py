"""What keeping the past costs: metrics of many projects recorded, stored, asked for and rendered, and log lines."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.measure import Figure, Result
from benchmarks.sizes import Sizes
from obsync_tui.engine.history.chunks import MINUTES, TENS
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.history.metrics import MetricHistory
from obsync_tui.engine.history.prometheus import EngineFacts, render
from obsync_tui.engine.history.tables import MetricTable, StoredChunk
from obsync_tui.engine.metrics.meter import rss_bytes
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.history import Component, Level, Metric
from obsync_tui.model.metrics import Phase, Status

# On the boundary of an hour.
BEGIN_S = 1_700_000_000 // 3600 * 3600
PROJECTS = (50, 200)
RENDERED = 1000
LINES = 30_000
STATUS = Status(
    "np_", "project", Phase.INCREMENTAL, 0.0, 1, 0.0, source_lag_s=0.25, delivery_lag_s=0.5, source_lag_age_s=1.0,
    backlog_rows=1234, backlog_bytes=123_456, rows=10**6, bytes=10**9, rows_per_s=1234.5, bytes_per_s=1e6,
    read_rows=10**6, read_bytes=10**9, read_rows_per_s=1300.5, read_bytes_per_s=1.1e6, commit_s=0.05, commit_total_s=9.0,
    log_fill=0.25, message_fill=0.5, messages=10**6, commits=10**4, clock_offset_s=0.001, purge_left_s=86400.0,
)  # fmt: skip


def history(sizes: Sizes) -> list[Result]:
    """A simulated time of many running projects; no server is asked."""
    figures: list[Result] = []
    for projects in PROJECTS:
        with tempfile.TemporaryDirectory() as directory, StateFile(Path(directory) / "state.db") as state:
            figures += _recorded(state, Path(directory), projects, sizes.history_s)
    figures += _asked()
    figures += _rendered()
    figures += _logged()
    return figures


def _recorded(state: StateFile, directory: Path, projects: int, seconds: int) -> Iterator[Figure]:
    kept = MetricHistory(state)
    ids = [f"np_{number:012}" for number in range(projects)]
    before_bytes = rss_bytes()
    record_s, flushes_s, written_bytes = 0.0, [], []
    with state.reading() as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    for at_s in range(BEGIN_S, BEGIN_S + seconds):
        statuses = [msgspec.structs.replace(STATUS, project_id=one, at_s=at_s + 0.5) for one in ids]
        began_s = time.perf_counter()
        for status in statuses:
            kept.record(status)
        record_s += time.perf_counter() - began_s
        if at_s % 10 == 9:
            with state.reading() as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            began_s = time.perf_counter()
            kept.flush()
            flushes_s.append(time.perf_counter() - began_s)
            written_bytes.append((directory / "state.db-wal").stat().st_size)
    grown_bytes = rss_bytes() - before_bytes
    case, of = f"history-{projects}", f"{projects} running projects"
    per_second_s = (record_s + sum(flushes_s)) / seconds
    yield Figure(f"{case}-cpu", f"metrics of {of}, time spent, of a core", per_second_s * 100, "%")
    yield Figure(
        f"{case}-record", f"metrics of {of}, recording all, each second", record_s / seconds * 1e3, "ms"
    )
    yield Figure(f"{case}-flush", f"metrics of {of}, a commit, median", median(flushes_s) * 1e3, "ms")
    yield Figure(f"{case}-flush-max", f"metrics of {of}, a commit, longest", max(flushes_s) * 1e3, "ms")
    yield Figure(
        f"{case}-written", f"metrics of {of}, written by a commit, median", median(written_bytes) / 1e3, "kB"
    )
    yield Figure(
        f"{case}-memory", f"metrics of {of}, memory for {seconds} s of seconds", grown_bytes / 1e6, "MB"
    )


def _asked() -> Iterator[Figure]:
    """A project with every chunk there can be."""
    with tempfile.TemporaryDirectory() as directory, StateFile(Path(directory) / "state.db") as state:
        end_s = BEGIN_S + 14 * 86400
        content = os.urandom(len(Metric) * 60 * 4)
        empty_bytes = _size_bytes(state)
        chunks = [
            StoredChunk("np_000000000000", tier, tier.chunk_of(end_s) - number, content)
            for tier in (TENS, MINUTES)
            for number in range(tier.chunks)
        ]
        MetricTable(state).write(chunks)
        size = (_size_bytes(state) - empty_bytes) / 1e6
        yield Figure("history-size", "metrics of a project on disk, all tiers full", size, "MB", 4.0)
        kept = MetricHistory(state)
        names = (Metric.SOURCE_LAG_S, Metric.DELIVERY_LAG_S, Metric.READ_ROWS_PER_S, Metric.ROWS_PER_S)
        for title, seconds in (("an hour", 3600), ("a day", 86400), ("fourteen days", 14 * 86400)):
            took_s = _median_s(lambda: kept.series("np_000000000000", names, end_s - seconds, end_s, 200))  # noqa: B023
            yield Figure(
                f"history-series-{seconds}", f"four metrics over {title}, 200 points", took_s * 1e3, "ms"
            )


def _rendered() -> Iterator[Figure]:
    statuses = [
        msgspec.structs.replace(STATUS, project=f"project-{number}", project_id=f"np_{number:012}")
        for number in range(RENDERED)
    ]
    engine = EngineFacts("1", "native", 0.0, 1, 1.0, 1, 1)
    took_s = _median_s(lambda: render(engine, statuses))
    yield Figure("history-prometheus", f"Prometheus' page of {RENDERED:,} projects", took_s * 1e3, "ms")
    yield Figure("history-prometheus-size", "its size", len(render(engine, statuses)) / 1e6, "MB")


def _logged() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as directory:
        logs = ComponentLogs(Path(directory))
        text = "np_000000000000: a line of a log as they are, neither long nor short, with a name and 12345"
        said_s = 0.0
        for begin in range(0, LINES, 5000):
            began_s = time.perf_counter()
            for _ in range(min(5000, LINES - begin)):
                logs.write("np_000000000000", Component.STORE, Level.INFO, text)
            said_s += time.perf_counter() - began_s
            logs.flush(60)
        yield Figure("history-log-line", "a log line, for who says it", said_s / LINES * 1e6, "µs")
        took_s = _median_s(lambda: logs.newest("np_000000000000", Component.STORE, limit=200))
        yield Figure("history-log-page", "the newest 200 lines of a log", took_s * 1e3, "ms")
        nowhere_s = _median_s(
            lambda: logs.newest("np_000000000000", Component.STORE, limit=200, search="nowhere")
        )
        size = (Path(directory) / "np_000000000000" / "store.log").stat().st_size / 1e6
        yield Figure(
            "history-log-search", f"a text that is nowhere in {size:.1f} MB of log", nowhere_s * 1e3, "ms"
        )
        logs.close()


def _size_bytes(state: StateFile) -> int:
    with state.reading() as connection:
        pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
        return pages * int(connection.execute("PRAGMA page_size").fetchone()[0])


def _median_s(work: Callable[[], object]) -> float:
    took_s: list[float] = []
    for _ in range(9):
        began_s = time.perf_counter()
        work()
        took_s.append(time.perf_counter() - began_s)
    return median(took_s)

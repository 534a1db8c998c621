"""The resident engine: what its API takes beside ten busy projects, and what fifty idle ones among a thousand cost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import quantiles
from typing import NamedTuple

from benchmarks.delivered import check_delivered
from benchmarks.echo import Echo
from benchmarks.measure import Figure, Result
from benchmarks.quiet import Watcher
from benchmarks.resident import TIMEOUT_S, Resident
from benchmarks.sizes import Sizes
from benchmarks.stage import MYSQL_OPTIONS, tell
from benchmarks.workload import TABLE, Load
from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.requests import ListProjects, Named
from obsync_tui.model.metrics import Status
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer

BUSY = 10
IDLE = 50
FILES = 1000
SLOW_TABLE = "slow"
_ASK_EVERY_S = 0.02
_SETTLE_S = 5.0


class Stage(NamedTuple):
    """One MySQL, one Kafka, one engine that is not started yet."""

    kafka: KafkaBroker
    load: Load
    engine: Resident


@contextmanager
def _stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        mysql = stack.enter_context(MySQLServer("5.7", MYSQL_OPTIONS))
        kafka = stack.enter_context(KafkaBroker())
        load = Load(mysql)
        stack.callback(load.close)
        yield Stage(kafka, load, stack.enter_context(Resident(mysql, kafka)))


class Asker:
    """Asks for the list and for one project's details in turn, over a connection of its own, until it is ended."""

    def __init__(self, engine: Resident, name: str) -> None:
        self.list_ms: list[float] = []
        self.details_ms: list[float] = []
        self._engine, self._name = engine, name
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask no more."""
        self._ending.set()
        self._thread.join(TIMEOUT_S)

    def _run(self) -> None:
        with EngineClient(self._engine.at) as client:
            while not self._ending.wait(_ASK_EVERY_S):
                began_s = time.monotonic()
                client.call(op.PROJECTS, ListProjects())
                listed_s = time.monotonic()
                client.call(op.PROJECT, Named(self._name))
                self.list_ms.append((listed_s - began_s) * 1000)
                self.details_ms.append((time.monotonic() - listed_s) * 1000)


class Pace(NamedTuple):
    """What a stretch of a run delivered, in how much time, and the engine's CPU time in it."""

    rows: int
    seconds: float
    cpu_s: float

    @property
    def rows_per_s(self) -> float:
        return self.rows / self.seconds

    @property
    def cpu_s_per_million(self) -> float:
        return self.cpu_s / self.rows * 1e6


class Beside(NamedTuple):
    """What a slow project and a client met, and what the others delivered meanwhile.

    `echo_ms`: round trips to a process that has nothing else to do, at the same time.
    """

    latency_ms: list[float]
    asker: Asker
    echo_ms: list[float]
    pace: Pace | None


def engine_busy(sizes: Sizes) -> list[Result]:
    """Ten projects at full speed in one engine, beside one that has a row each 100 ms and a client that asks."""
    rows = sizes.shared_rows
    busy = [f"busy{number}" for number in range(BUSY)]
    with _stage() as at:
        at.load.create(TABLE, SLOW_TABLE)
        for name in (*busy, "alone"):
            at.engine.project(name, TABLE)
        at.engine.project("slow", SLOW_TABLE)
        at.engine.start()
        everyone = (*busy, "slow", "alone")
        # Everybody's stream begins before the rows.
        at.engine.begin(*everyone)
        at.engine.until_streaming(*everyone)
        at.engine.pause(*everyone)
        tell(f"{rows} rows for each of {BUSY} projects")
        at.load.inserts(rows)
        at.engine.go_on("slow")
        at.engine.until_streaming("slow")
        alone = _pace_alone(at.engine, "alone", rows)
        tell(f"one alone: {alone.rows_per_s:,.0f} rows/s, {alone.cpu_s_per_million:.1f} s per million")
        at.engine.pause("alone")
        quiet = _beside(at, sizes, ())
        at.engine.go_on(*busy)
        loaded = _beside(at, sizes, busy)
        answered_s, settled_s = _pause(at.engine, busy[0])
        _until_rows(at.engine, busy[1], rows)
        check_delivered(at.kafka.bootstrap, [f"{busy[1]}_{TABLE}"], range(1, rows + 1), 1)
    assert loaded.pace is not None
    return [*_pace_figures(alone, loaded.pace), *_api_figures(quiet, loaded, answered_s, settled_s)]


def _pace_figures(alone: Pace, together: Pace) -> list[Result]:
    title = f"engine, {BUSY} projects at full speed"
    slower = (1 - together.rows_per_s / alone.rows_per_s) * 100
    dearer = (together.cpu_s_per_million / alone.cpu_s_per_million - 1) * 100
    return [
        Figure("engine-alone", "engine, one project at full speed", alone.rows_per_s, "rows/s"),
        Figure("engine-rate", f"{title}, all together", together.rows_per_s, "rows/s"),
        Figure("engine-loss", f"{title}, slower than one alone by", slower, "%", 10.0),
        Figure("engine-alone-cpu", "engine, one project, CPU", alone.cpu_s_per_million, "s per million rows"),
        Figure("engine-cpu", f"{title}, CPU over one alone", dearer, "%"),
    ]


def _api_figures(quiet: Beside, loaded: Beside, answered_s: float, settled_s: float) -> list[Result]:
    title = f"engine, {BUSY} projects at full speed"
    found: list[Result] = []
    for what, idle_ms, busy_ms in (
        ("list", quiet.asker.list_ms, loaded.asker.list_ms),
        ("details", quiet.asker.details_ms, loaded.asker.details_ms),
    ):
        found += [
            Figure(f"engine-{what}-quiet", f"engine, idle, {what} p99", _cut(idle_ms, 99), "ms"),
            Figure(f"engine-{what}-p50", f"{title}, {what} p50", _cut(busy_ms, 50), "ms"),
            Figure(f"engine-{what}-p99", f"{title}, {what} p99", _cut(busy_ms, 99), "ms", 100.0),
        ]
    return [
        *found,
        Figure(
            "engine-echo",
            "meanwhile, round trip to a process that does nothing, p99",
            _cut(loaded.echo_ms, 99),
            "ms",
        ),
        Figure("engine-latency-quiet", "engine, a slow project alone, p99", _cut(quiet.latency_ms, 99), "ms"),
        Figure("engine-latency", f"{title}, a slow one's p99", _cut(loaded.latency_ms, 99), "ms", 1000.0),
        Figure("engine-pause", f"{title}, pause answered", answered_s * 1000, "ms", 1000.0),
        Figure("engine-settled", f"{title}, paused project at its checkpoint", settled_s * 1000, "ms"),
    ]


def _pace_alone(engine: Resident, name: str, rows: int) -> Pace:
    """From the first commit that is seen to the last one."""
    engine.go_on(name)
    first = _until_rows(engine, name, 1)
    before_s = engine.cost().cpu_s
    last = _until_rows(engine, name, rows)
    return Pace(last.rows - first.rows, last.at_s - first.at_s, engine.cost().cpu_s - before_s)


def _until_rows(engine: Resident, name: str, rows: int) -> Status:
    deadline_s = time.monotonic() + TIMEOUT_S
    while (seen := engine.status(name)).rows < rows:
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{name} delivered {seen.rows} rows of {rows}")
        time.sleep(0.02)
    return seen


def _pause(engine: Resident, name: str) -> tuple[float, float]:
    """Seconds until a pause is answered, and until the run has ended."""
    began_s = time.monotonic()
    engine.call(op.PAUSE, Named(name))
    answered_s = time.monotonic() - began_s
    while engine.call(op.PROJECT, Named(name)).summary.settling:
        time.sleep(0.005)
    return answered_s, time.monotonic() - began_s


def _beside(at: Stage, sizes: Sizes, names: Sequence[str]) -> Beside:
    """Rows of the slow project, one each 100 ms, once the others have all begun."""
    for name in names:
        _until_rows(at.engine, name, 1)
    first = at.load.number + 1
    watcher = Watcher(at.kafka.bootstrap, sizes.shared_samples, f"slow_{SLOW_TABLE}")
    watcher.ready.wait(TIMEOUT_S)
    asker = Asker(at.engine, names[0] if names else "slow")
    echo = Echo()
    before, before_s = [at.engine.status(name) for name in names], at.engine.cost().cpu_s
    committed_s: dict[int, float] = {}
    for _ in range(sizes.shared_samples):
        at.load.inserts(1, table=SLOW_TABLE)
        committed_s[at.load.number] = time.monotonic()
        time.sleep(random.uniform(0.05, 0.15))
    after, after_s = [at.engine.status(name) for name in names], at.engine.cost().cpu_s
    asker.end()
    echo_ms = echo.end()
    watcher.join(TIMEOUT_S)
    waits_ms = [(watcher.seen_s[n] - committed_s[n]) * 1000 for n in range(first, at.load.number + 1)]
    if not names:
        return Beside(waits_ms, asker, echo_ms, None)
    if max(one.rows for one in after) >= sizes.shared_rows:
        tell("not valid: some projects were through before the samples were")
    delivered = sum(late.rows - early.rows for early, late in zip(before, after, strict=True))
    pace = Pace(delivered, after[0].at_s - before[0].at_s, after_s - before_s)
    return Beside(waits_ms, asker, echo_ms, pace)


def engine_many(sizes: Sizes) -> list[Result]:
    """A thousand projects listed and fifty running that have nothing to do; and the engine's start with those."""
    with _stage() as at:
        at.load.create(TABLE)
        names = [f"p{number:04}" for number in range(FILES)]
        for name in names:
            at.engine.project(name, TABLE)
        running = names[:IDLE]
        at.engine.start()
        empty = at.engine.cost()
        began_s = time.monotonic()
        at.engine.begin(*running)
        at.engine.until_streaming(*running)
        tell(
            f"{IDLE} projects started in {time.monotonic() - began_s:.1f} s, {empty.rss_bytes / 1e6:.0f} MB before"
        )
        time.sleep(_SETTLE_S)
        idle = _share(at.engine, sizes.idle_s)
        with _watching(at.engine):
            watched = _share(at.engine, sizes.idle_s)
        asker = Asker(at.engine, running[0])
        time.sleep(sizes.idle_s)
        asker.end()
        cost = at.engine.cost()
        stop_s = at.engine.stop()
        began_s = time.monotonic()
        hello_s = at.engine.start()
        at.engine.until_streaming(*running)
        streaming_s, start_cpu_s = time.monotonic() - began_s, at.engine.cost().cpu_s
        listed_s = min(at.engine.command("project", "list") for _ in range(3))
    title = f"{FILES:,} projects, {IDLE} of them running idle"
    return [
        Figure("engine-many-cpu", f"{title}, CPU of a core", idle * 100, "%", 15.0),
        Figure(
            "engine-many-watched",
            f"{title}, one client that watches, CPU of a core",
            watched * 100,
            "%",
            15.0,
        ),
        Figure("engine-many-memory", f"{title}, resident memory", cost.rss_bytes / 1e6, "MB", 1000.0),
        Figure(
            "engine-many-empty", "the engine before any runs, resident memory", empty.rss_bytes / 1e6, "MB"
        ),
        Figure("engine-many-threads", f"{title}, threads", cost.threads, "threads"),
        Figure("engine-many-descriptors", f"{title}, descriptors", cost.descriptors, "descriptors"),
        Figure("engine-many-list-p50", f"{title}, list p50", _cut(asker.list_ms, 50), "ms"),
        Figure("engine-many-list-p99", f"{title}, list p99", _cut(asker.list_ms, 99), "ms", 100.0),
        Figure("engine-many-details-p99", f"{title}, details p99", _cut(asker.details_ms, 99), "ms", 100.0),
        Figure("engine-start-hello", f"{title}, start until it answers", hello_s, "s"),
        Figure("engine-start-streaming", f"{title}, start until all stream", streaming_s, "s", 5.0),
        Figure("engine-start-cpu", f"{title}, CPU time until all stream", start_cpu_s, "s"),
        Figure("engine-stop", f"{title}, stop", stop_s, "s"),
        Figure("engine-command", f"{title}, obsync project list", listed_s * 1000, "ms"),
    ]


def _share(engine: Resident, seconds: float) -> float:
    before_s, began_s = engine.cost().cpu_s, time.monotonic()
    time.sleep(seconds)
    return (engine.cost().cpu_s - before_s) / (time.monotonic() - began_s)


@contextmanager
def _watching(engine: Resident) -> Iterator[None]:
    """A client that is shown all projects each second, as the console is."""
    ending = threading.Event()

    def watch() -> None:
        with EngineClient(engine.at) as client:
            for _ in client.watch(("projects", "engine"), 1.0):
                if ending.is_set():
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield
    ending.set()
    thread.join(TIMEOUT_S)


def _cut(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]

"""The pictures of the documentation, exported from the application itself: `make pictures`.

The engine is a fake with a frozen clock, so that a picture changes only when the console does.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.event import Event
from obsync_tui.model.history import Level, Metric, MetricSeries
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Failure, FullStatus, Phase
from obsync_tui.model.project import Step
from obsync_tui.model.views import StepView
from tests.console.driving import Driven, console, running, standing
from tests.console.figures import ID, details, status
from tests.fakes.console_client import START_S, FakeClient

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
PROJECTS = (
    running(
        "orders_to_kafka",
        1,
        bottleneck="sink",
        source_lag_s=1.2,
        delivery_lag_s=42.0,
        read_rows_per_s=12_400.0,
        rows_per_s=12_400.0,
        backlog_rows=48_000,
    ),
    running(
        "customers",
        2,
        source_lag_s=0.2,
        delivery_lag_s=0.4,
        read_rows_per_s=310.0,
        rows_per_s=310.0,
        backlog_rows=3,
        idle=False,
    ),
    running(
        "ledger_2024",
        3,
        phase=Phase.FULL,
        full_progress=0.457,
        source_lag_s=None,
        delivery_lag_s=None,
        read_rows_per_s=96_000.0,
        rows_per_s=96_000.0,
        bottleneck="source",
    ),
    standing("clicks", ProjectState.PAUSED, 4),
    standing(
        "audit",
        ProjectState.FAILED,
        5,
        failure=Failure("SinkUnreachable", "no broker answers", "k1:9092", "Start it.", True, START_S),
    ),
    standing("returns", ProjectState.NOT_STARTED, 6),
)
COMPONENTS = (
    ComponentStatus(Component.STORE, ComponentState.RUNNING, START_S - 3600, "room in the queue", 12_400.0, 12_400.0, lag_s=1.2, reached_s=START_S - 1, queue_rows=48_000, queue_bytes=8_100_000, queue_fill=0.97),
    ComponentStatus(Component.CONNECTOR, ComponentState.RUNNING, START_S - 3600, "the broker", 12_400.0, 12_400.0, lag_s=42.0, reached_s=START_S - 42, queue_rows=9000, queue_bytes=15_000_000, queue_fill=0.93),
    ComponentStatus(Component.FULL_IMPORT, ComponentState.COMPLETED, START_S - 3000, progress=1.0),
)  # fmt: skip
EVENTS = (
    Event(START_S - 3600, ID, "started", "", 1, Level.INFO, "1000 dba pts/3"),
    Event(START_S - 95, ID, "run", "commits take 1.9 s on average: the broker is slow", 2, Level.WARNING),
)


STEPS = (
    StepView(Step.SCHEMA, "Finished", 1.0),
    StepView(Step.FULL, "Finished", 1.0),
    StepView(Step.INCREMENTAL, "Running", rows_per_s=12_400.0),
)
SHAPES = {
    "delivery_lag_s": lambda n: max(0.5, 42.0 * (n - 70) / 80),
    "rows_per_s": lambda n: 12_400.0 + 9000 * (n % 11) / 11 if n < 70 else 12_400.0 - 4000 * (n % 7) / 7,
    "read_rows_per_s": lambda n: 21_000.0 if n < 90 else 12_400.0,
    "log_fill": lambda n: min(0.97, max(0.02, (n - 80) / 40)),
    "message_fill": lambda n: min(0.93, max(0.05, (n - 60) / 30)),
}


def series(request: ask.Metrics) -> MetricSeries:
    """A broker that becomes slow: latency grows, then the queues fill from the sink backwards."""
    names = tuple(Metric(name) for name in request.metrics.split(","))
    values = tuple(tuple(SHAPES[name](n) for n in range(150)) for name in names)
    return MetricSeries(ID, int(START_S) - 300, 2, 1, names, values)


def client() -> FakeClient:
    made = FakeClient(PROJECTS)
    now = status(source_lag_s=1.2, delivery_lag_s=42.0, full=FullStatus(14, 14, 41_200_000, 41_200_000))
    found = details(PROJECTS[0], components=COMPONENTS, status=now)
    made.answers[api.PROJECT.name] = msgspec.structs.replace(found, steps=STEPS)
    made.answers[api.EVENTS.name] = EVENTS
    made.answers[api.METRICS.name] = series
    return made


async def drawn(home: Path) -> dict[str, str]:
    """Each picture by its name, as SVG."""
    found: dict[str, str] = {}
    async with console(client(), home) as it:
        for second in range(60):
            for place, summary in enumerate(PROJECTS[:3]):
                it.app.picture.trend.add(
                    summary.name, START_S - second, summary.rows_per_s * (1 + (second * (place + 3) % 17) / 9)
                )
        await it.beat()
        found["projects"] = picture(it, "obsync")
        await it.press("enter")
        await it.sees("Events (2)")
        found["project"] = picture(it, "obsync")
        await it.press("c")
        await it.sees("Components (3)")
        found["components"] = picture(it, "obsync")
    return found


def picture(it: Driven, title: str) -> str:
    return it.app.export_screenshot(title=title)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        for name, text in asyncio.run(drawn(Path(home))).items():
            (PICTURES / f"{name}.svg").write_text(text)
            print(f"written: docs/pictures/{name}.svg")


if __name__ == "__main__":
    main()

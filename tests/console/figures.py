"""One project in full, for the tests of its views."""

from __future__ import annotations

from obsync_tui.model import lifecycle
from obsync_tui.model.event import Event
from obsync_tui.model.history import Metric, MetricSeries
from obsync_tui.model.metrics import FullStatus, Phase, Status
from obsync_tui.model.project import Objects, Project, Step
from obsync_tui.model.views import ProjectDetails, ProjectSummary, StepView
from tests.fakes.console_client import START_S

ID = "np_000000000001"


def project(name: str = "orders") -> Project:
    return Project(ID, name, "ob", "kafka", Objects(("shop.*",)))


def status(**figures: object) -> Status:
    usual: dict[str, object] = {
        "started_s": START_S - 600, "source_lag_s": 2.0, "delivery_lag_s": 3.0, "rows_per_s": 1200.0, "messages": 1_200_000,
        "bytes": 250_000_000, "full": FullStatus(3, 1, 450, 1000, 120.0, 180.0),
    }  # fmt: skip
    return Status(ID, "orders", Phase.INCREMENTAL, START_S, 41, **{**usual, **figures})  # type: ignore[arg-type]


def details(summary: ProjectSummary, **more: object) -> ProjectDetails:
    """A project that has read 45 % of its rows."""
    steps = (
        StepView(Step.SCHEMA, "Finished"),
        StepView(Step.FULL, "Running", 0.457, 12_000.0, 180.0),
        StepView(Step.INCREMENTAL, "Waiting"),
    )
    usual: dict[str, object] = {
        "created_s": START_S - 86400, "created_by": "dba", "started_s": START_S - 600, "status": status(), "digest": "d1",
    }  # fmt: skip
    return ProjectDetails(
        summary, project(summary.name), steps, lifecycle.actions(summary.state), **{**usual, **more}
    )  # type: ignore[arg-type]


SERIES = MetricSeries(
    ID, int(START_S) - 300, 2, 1, (Metric.DELIVERY_LAG_S, Metric.ROWS_PER_S),
    (tuple(abs(75 - n) / 25 for n in range(150)), tuple(1200.0 if n > 20 else None for n in range(150))),
)  # fmt: skip
EVENTS = (
    Event(START_S - 600, ID, "started", "by dba on pts/3"),
    Event(START_S - 30, ID, "warning", "the broker was away for 4 s [/bold] \x1b[31mred"),
)

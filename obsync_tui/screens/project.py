"""One project: what it is, how far it is, why it is late, what happened, and what can be done."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Scope
from obsync_tui.model.event import Event
from obsync_tui.model.history import Metric
from obsync_tui.model.views import ProjectDetails, ProjectSummary
from obsync_tui.presenters import project_details as show
from obsync_tui.presenters.charts import Chart, chart_lines
from obsync_tui.presenters.log_lines import event_lines
from obsync_tui.presenters.quantities import count_text, duration_text
from obsync_tui.presenters.spans import Line, Role, Span, dimmed
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.event_table import event_columns, event_key
from obsync_tui.screens.one_project import OneProject
from obsync_tui.screens.project_changes import ProjectChanges
from obsync_tui.screens.tail import Tail
from obsync_tui.widgets.line_view import TextLines
from obsync_tui.widgets.table import Table

_SCOPES = (Scope.PROJECT, Scope.LIST, Scope.ALL)
_EVENTS = 200
_LEAST_EVENT_ROWS = 4


class ProjectView(OneProject, ProjectChanges, inherit_bindings=False):
    """A project's details."""

    NAME = "project"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    DEFAULT_CSS = "ProjectView #facts, ProjectView #charts { height: auto; }"
    help = (
        "A project in full. 'synchronized to' is the commit time up to which every change is delivered, with the time "
        "at which that was looked at. Latency is the age of the newest change delivered, lag that of the newest change "
        "read: when lag is high the source side is slow, when only latency is, the destination side. m changes the "
        "span of the charts. Events are below, the newest first; Enter shows one in full."
    )

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self._details: ProjectDetails | None = None
        self._events: Sequence[Event] = ()
        self._tail = Tail(project, (Metric.DELIVERY_LAG_S, Metric.ROWS_PER_S))

    @property
    def summary(self) -> ProjectSummary | None:
        """The project's line: the stream's, which is never older than the details."""
        found = self.host.picture.project(self._project)
        return found or (self._details.summary if self._details else None)

    @property
    def targets(self) -> Sequence[ProjectSummary]:
        """This project."""
        return [self.summary] if self.summary is not None else []

    def panes(self) -> Iterable[Widget]:
        """Facts and steps, charts, events."""
        yield TextLines(id="facts")
        yield TextLines(id="charts")
        yield Table[Event](
            "Events",
            event_columns(self.host),
            event_key,
            id="events",
            symbols=self.host.symbols,
            empty="nothing happened yet",
        )

    async def fetch(self) -> None:
        """Details and events; the charts' past when it is not known yet."""
        client = self.host.client
        self._details = await client.call(api.PROJECT, ask.Named(self._project))
        self._events = (await client.call(api.EVENTS, ask.Events(self._project, _EVENTS)))[::-1]
        if self._details.started_s is not None:
            await self._tail.fetch(client, self.host.now_s)

    def paint(self) -> None:
        """Facts, steps, errors; charts as high as there is room; events."""
        facts = self._facts()
        if self.is_stale:
            facts = [dimmed(fact) for fact in facts]
        block = self.query_one("#facts", TextLines)
        block.styles.height = len(facts)
        block.show(facts)
        room = self.size.height - 3 - len(facts) - 2 - _LEAST_EVENT_ROWS
        charts = self._charts(min(max(room, 0), 12 if self.size.height > 30 else 6))
        drawn = self.query_one("#charts", TextLines)
        drawn.styles.height = len(charts)
        drawn.show([dimmed(row) for row in charts] if self.is_stale else charts)
        self.query_one("#events", Table).show(self._events, self.is_stale)

    def _facts(self) -> list[Line]:
        details, host = self._details, self.host
        if details is None:
            return [(Span(" asking the engine …", Role.DIM),)]
        lines = show.fact_lines(details, host.now_s, host.zone)
        lines += [*show.step_lines(details.steps, host.symbols)]
        failure = details.summary.failure
        if failure is not None:
            lines += show.failure_lines(failure, host.now_s, host.zone)
        if details.status is not None:
            lines += show.warning_lines(details.status)
        return lines

    def _charts(self, height: int) -> list[Line]:
        if height < 3 or not self._tail.has_points:
            return []
        span = self._tail.span.name
        charts = [
            Chart(f"latency, {span}", self._tail.values(Metric.DELIVERY_LAG_S), duration_text),
            Chart(f"rows/s, {span}", self._tail.values(Metric.ROWS_PER_S), count_text),
        ]
        return chart_lines(charts, self.size.width, height, self.host.symbols)

    def context(self) -> Line:
        """State and the numbers that are asked for first."""
        if away := self.away_line():
            return away
        if self.summary is None:
            return (Span(" this project is gone", Role.BAD),) if self.host.picture.is_known else ()
        return show.context_line(self.summary, self.host.now_s, self.host.zone)

    def do_project_span(self) -> None:
        self._tail.next_span()
        self.beat()

    def do_open(self) -> None:
        """The event in full."""
        event = self.query_one("#events", Table).current
        if isinstance(event, Event):
            self.host.show_text(event.kind, event_lines(event, self.host.zone))

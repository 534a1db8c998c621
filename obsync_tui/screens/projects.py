"""All projects, a line each."""

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.keys.action import Action, Scope
from obsync_tui.model.views import ProjectSummary
from obsync_tui.presenters import project_rows as rows
from obsync_tui.presenters.project_rows import overview_line
from obsync_tui.presenters.quantities import duration_text, size_text
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.presenters.sparks import spark
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.project_changes import ProjectChanges
from obsync_tui.widgets.table import Column, Table

_SPARK = 6
_SCOPES = (Scope.PROJECTS, Scope.LIST, Scope.ALL)


class ProjectsView(ProjectChanges, inherit_bindings=False):
    """The list of projects, from which everything starts."""

    NAME = "projects"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = (
        "Every project with its state, source lag (how far behind the reading is), delivery latency (how old the "
        "newest change delivered was), rows per second read and delivered, backlog (rows read but not delivered), "
        "the slowest component, and the last minute of its rate. The title names the project under the cursor in "
        "full where its column cuts it. Figures that are not fresh are dim and say how old they are."
    )

    def panes(self) -> Iterable[Widget]:
        """One table."""
        yield Table[ProjectSummary](
            "Projects",
            self._columns(),
            lambda summary: summary.name,
            id="projects",
            symbols=self.host.symbols,
            text=rows.searched_text,
            empty="no projects yet: obsync project create --help shows how to make one",
        )

    def _columns(self) -> list[Column[ProjectSummary]]:
        host = self.host

        def lag(of: ProjectSummary) -> Span:
            return rows.lag_span(of.source_lag_s, of, host.now_s)

        def latency(of: ProjectSummary) -> Span:
            return rows.lag_span(of.delivery_lag_s, of, host.now_s)

        def reading(of: ProjectSummary) -> Span:
            return rows.figure_span(of.read_rows_per_s, of, host.now_s)

        def rate(of: ProjectSummary) -> Span:
            return rows.figure_span(of.rows_per_s, of, host.now_s)

        def backlog(of: ProjectSummary) -> Span:
            return rows.figure_span(of.backlog_rows, of, host.now_s)

        def reason(of: ProjectSummary) -> Span:
            return rows.reason_cell(of, host.now_s)

        def bars(of: ProjectSummary) -> Span:
            values = host.picture.trend.values(of.name, host.now_s)
            return Span(spark(values, _SPARK, host.symbols) if of.running else "", Role.DIM)

        def since(of: ProjectSummary) -> Span:
            return Span("" if of.since_s is None else duration_text(max(host.now_s - of.since_s, 0)))

        text = Column[ProjectSummary]
        return [
            text("name", "project", 13, lambda of: Span(of.name), lambda of: of.name, grow=True),
            text("state", "state", 12, rows.state_cell, rows.state_order),
            text("lag", "lag", 6, lag, lambda of: -(of.source_lag_s or -1.0), right=True),
            text("latency", "latency", 7, latency, lambda of: -(of.delivery_lag_s or -1.0), right=True),
            text("in", "in/s", 5, reading, lambda of: -of.read_rows_per_s, right=True),
            text("out", "out/s", 5, rate, lambda of: -of.rows_per_s, right=True),
            text("backlog", "backlog", 7, backlog, lambda of: -of.backlog_rows, right=True),
            text("at", "slowest", 9, reason, lambda of: of.bottleneck, grow=True),
            text("minute", "minute", _SPARK, bars, lambda of: -of.rows_per_s),
            text("from", "from", 12, lambda of: Span(of.source), lambda of: of.source, wide=True),
            text("to", "to", 12, lambda of: Span(of.destination), lambda of: of.destination, wide=True),
            text(
                "bytes",
                "bytes/s",
                7,
                lambda of: Span(size_text(of.bytes_per_s) if of.running else ""),
                lambda of: -of.bytes_per_s,
                right=True,
                wide=True,
            ),
            text("since", "since", 6, since, lambda of: -(of.since_s or 0.0), right=True, wide=True),
            text("tags", "tags", 12, lambda of: Span(_tags(of)), _tags, wide=True),
        ]

    def paint(self) -> None:
        """The rows as last heard of."""
        self.projects.show(self.host.picture.projects, self.is_stale)

    def context(self) -> Line:
        """All projects in one line."""
        return self.away_line() or overview_line(self.host.picture.projects)

    @property
    def projects(self) -> "Table[ProjectSummary]":
        """The table."""
        return self.query_one("#projects", Table)

    @property
    def targets(self) -> list[ProjectSummary]:
        """The marked projects, else the one under the cursor."""
        return self.projects.chosen

    def reason(self, action: Action) -> str:
        """Opening needs a project under the cursor."""
        if action.id == "open" and self.projects.current is None:
            return "there is no project here"
        return super().reason(action)

    def do_open(self) -> None:
        """The project's details."""
        if self.projects.current is not None:
            self.host.go("project", self.projects.current.name)


def _tags(of: ProjectSummary) -> str:
    return " ".join(of.tags)

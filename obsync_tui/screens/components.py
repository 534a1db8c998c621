"""A project's components: Store, Connector, Full-Import, and why one of them is slow."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from textual import work
from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Action, Scope
from obsync_tui.model.component import Component, ComponentStatus
from obsync_tui.model.errors import EngineError
from obsync_tui.model.history import Metric
from obsync_tui.model.views import ProjectDetails
from obsync_tui.presenters import component_rows as rows
from obsync_tui.presenters.charts import Chart, chart_lines
from obsync_tui.presenters.project_details import context_line
from obsync_tui.presenters.quantities import count_text
from obsync_tui.presenters.spans import Line, Role, Span, dimmed
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.component_form import (
    judge_parameters,
    parameter_fields,
    restarting,
    with_parameters,
)
from obsync_tui.screens.dialogs import Confirm, ConfirmByName, Form
from obsync_tui.screens.one_project import OneProject
from obsync_tui.screens.project_changes import ProjectChanges
from obsync_tui.screens.tail import Tail
from obsync_tui.widgets.line_view import TextLines
from obsync_tui.widgets.table import Column, Table

_SCOPES = (Scope.COMPONENTS, Scope.LIST, Scope.ALL)
_METRICS = (Metric.READ_ROWS_PER_S, Metric.ROWS_PER_S, Metric.LOG_FILL, Metric.MESSAGE_FILL)
_TABLE_ROWS = 6
Verb = Literal["start", "pause", "restart", "rerun"]


class ComponentsView(OneProject, ProjectChanges, inherit_bindings=False):
    """The components with their queues, one of them in full, its charts."""

    NAME = "components"
    PLACE = "Components"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    DEFAULT_CSS = """
    ComponentsView #components { height: 6; }
    ComponentsView #facts { height: auto; }
    ComponentsView #charts { height: 1fr; }
    """
    help = (
        "Store pulls the log, Connector makes messages of it and delivers them, Full-Import reads tables. Each hands "
        "on through a queue: a full queue means that the one behind it is slow, an empty one that the one before it "
        "is. The charts show rows per second and how full the queue is. s, x and R start, pause and restart one "
        "component; the others wait. e changes its limits and other parameters: most at once, some by a restart at the "
        "checkpoint, which is said before."
    )

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self._details: ProjectDetails | None = None
        self._tail = Tail(project, _METRICS)

    def panes(self) -> Iterable[Widget]:
        """The components, one in full, its charts."""
        host = self.host
        text = Column[ComponentStatus]
        columns = [
            text("name", "component", 12, lambda of: Span(rows.NAMES[of.component]), lambda of: of.component),
            text("state", "state", 9, rows.state_cell, lambda of: of.state),
            text("far", "lag", 6, rows.far_cell, lambda of: -(of.lag_s or 0.0), right=True),
            text(
                "at",
                "at",
                11,
                lambda of: rows.reached_cell(of, host.now_s, host.zone),
                lambda of: of.reached_s or 0.0,
            ),
            text(
                "in",
                "in/s",
                5,
                lambda of: rows.rate_span(of.rows_in_per_s, of),
                lambda of: -of.rows_in_per_s,
                right=True,
            ),
            text(
                "out",
                "out/s",
                5,
                lambda of: rows.rate_span(of.rows_out_per_s, of),
                lambda of: -of.rows_out_per_s,
                right=True,
            ),
            text(
                "queue", "queue", 11, lambda of: rows.queue_cell(of, host.symbols), lambda of: -of.queue_fill
            ),
            text("waits", "waits for", 10, rows.waits_cell, lambda of: of.waits_for, grow=True),
        ]
        empty = "the project does not run: there are no components"
        yield Table[ComponentStatus](
            "Components", columns, lambda of: of.component, id="components", symbols=host.symbols, empty=empty
        )
        yield TextLines(id="facts")
        yield TextLines(id="charts")

    async def fetch(self) -> None:
        """The components as they are, and the past of their figures."""
        self._details = await self.host.client.call(api.PROJECT, ask.Named(self._project))
        if self._details.started_s is not None:
            await self._tail.fetch(self.host.client, self.host.now_s)

    def paint(self) -> None:
        """The table, the one under the cursor, its charts."""
        self.query_one("#components", Table).show(
            self._details.components if self._details else (), self.is_stale
        )
        current = self.current
        facts = rows.component_lines(current, self.host.now_s, self.host.zone) if current else []
        block = self.query_one("#facts", TextLines)
        block.styles.height = len(facts)
        block.show([dimmed(fact) for fact in facts] if self.is_stale else facts)
        room = self.size.height - 3 - _TABLE_ROWS - len(facts)
        self.query_one("#charts", TextLines).show(self._charts(min(max(room, 0), 12)))

    @property
    def current(self) -> ComponentStatus | None:
        """The component under the cursor."""
        found = self.query_one("#components", Table).current
        return found if isinstance(found, ComponentStatus) else None

    def _charts(self, height: int) -> list[Line]:
        if height < 3 or self.current is None or not self._tail.has_points:
            return []
        store = self.current.component is Component.STORE
        rate, fill = (
            (Metric.READ_ROWS_PER_S, Metric.LOG_FILL) if store else (Metric.ROWS_PER_S, Metric.MESSAGE_FILL)
        )
        span = self._tail.span.name
        charts = [
            Chart(f"rows/s, {span}", self._tail.values(rate), count_text),
            Chart(f"queue, {span}", self._tail.values(fill), lambda share: f"{share * 100:.0f}%"),
        ]
        return chart_lines(charts, self.size.width, height, self.host.symbols)

    def context(self) -> Line:
        """The project's line."""
        if away := self.away_line():
            return away
        return context_line(self.targets[0], self.host.now_s, self.host.zone) if self.targets else ()

    def on_table_moved(self) -> None:
        """The other component in full."""
        self.repaint()

    def reason(self, action: Action) -> str:
        """What a component's state allows."""
        if general := super().reason(action):
            return general
        needs = action.id.startswith("component.") or action.id == "open"
        if needs and self.current is None:
            return "the project does not run"
        if action.id == "component.edit":
            changed = bool(self.targets) and self.targets[0].file_changed
            return (
                "the file differs from what runs: v shows how, A there puts it into force" if changed else ""
            )
        if action.id.startswith("component.") and self.current is not None:
            return rows.action_reason(self.current, action.id.partition(".")[2])
        return ""

    def do_open(self) -> None:
        """The component's log."""
        self.do_project_logs()

    def do_project_logs(self) -> None:
        component = str(self.current.component) if self.current else ""
        self.host.go("logs", self._project, component)

    def do_project_span(self) -> None:
        self._tail.next_span()
        self.beat()

    def do_component_start(self) -> None:
        self._act("start")

    @work(group="action")
    async def do_component_pause(self) -> None:
        said = [
            "The project stays Running, and nothing of it is delivered that would have to pass here.",
            _KEEPS,
        ]
        if await self.app.push_screen_wait(Confirm(f"Pause {self._named}?", said)):
            self._act("pause")

    @work(group="action")
    async def do_component_restart(self) -> None:
        said = ["It stops at a checkpoint and starts again from there. Nothing is lost or sent twice."]
        if await self.app.push_screen_wait(Confirm(f"Restart {self._named}?", said)):
            self._act("restart")

    @work(group="action")
    async def do_component_rerun(self) -> None:
        said = ["All tables are read and sent again: every row comes once more, at a cut of its own."]
        if await self.app.push_screen_wait(ConfirmByName(f"Run {self._named} again", said, self._project)):
            self._act("rerun")

    @work(group="action")
    async def do_component_edit(self) -> None:
        """Let the parameters be typed, save them in the project's file, and put that into force."""
        details = await self.ask_engine(api.PROJECT, ask.Named(self._project))
        current, named = self.current, self._named
        if details is None or current is None:
            return
        before = details.project
        asked = parameter_fields(before, current.component)
        form = Form(f"Parameters of {named}", asked, lambda answers: judge_parameters(before, answers))
        answers = await self.app.push_screen_wait(form)
        if answers is None:
            return
        after = with_parameters(before, answers)
        if after == before:
            self.say("nothing was changed", Role.DIM)
            return
        if labels := restarting(before, after, current.component):
            said = [
                "The project stops at its checkpoint and goes on with:",
                *labels,
                "Nothing is lost or sent twice.",
            ]
            if not await self.app.push_screen_wait(Confirm(f"Restart {self._project} with it?", said)):
                return
        if await self.save(after, details.digest):
            await self.apply_file(self._project)

    @property
    def _named(self) -> str:
        component = rows.NAMES[self.current.component] if self.current else ""
        return f"{component} of {self._project}"

    @work(group="act")
    async def _act(self, verb: Verb) -> None:
        current = self.current
        if current is None:
            return
        request = ask.Component(self._project, current.component.value, verb)
        try:
            done = await self.host.client.call(api.COMPONENT, request)
        except EngineError as error:
            self.host.failed(error)
            return
        self.say(" ".join(done.notes) or "done", Role.GOOD)
        self.beat()


_KEEPS = "Do not leave it paused for longer than the source keeps its log."

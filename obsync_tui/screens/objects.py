"""A project's objects: topic, database, table, and how far each is."""

from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Action, Scope
from obsync_tui.model.errors import EngineError
from obsync_tui.model.views import ObjectView
from obsync_tui.presenters import object_rows as rows
from obsync_tui.presenters.project_details import context_line
from obsync_tui.presenters.quantities import count_text
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.presenters.trace_rows import trace_lines
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.dialogs import Asked, Form
from obsync_tui.screens.one_project import OneProject
from obsync_tui.screens.samples import SamplesView
from obsync_tui.widgets.table import Column, Table

_SCOPES = (Scope.OBJECTS, Scope.LIST, Scope.ALL)


class ObjectsView(OneProject, inherit_bindings=False):
    """Every table that is synchronized."""

    NAME = "objects"
    PLACE = "Objects"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = (
        "The project's topics, in each the databases and tables that go there, and how much "
        "of a table full synchronization has read. Enter shows a table's settings, d the statement that makes it."
    )

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self._objects: tuple[ObjectView, ...] = ()
        self._is_known = False

    def panes(self) -> Iterable[Widget]:
        """One table."""
        symbols = self.host.symbols

        def changed(of: ObjectView) -> Span:
            at = of.changed_s
            return Span("" if at is None else self.host.zone.short(at, self.host.now_s), Role.DIM)

        text = Column[ObjectView]
        columns = [
            text("topic", "topic", 13, lambda of: Span(of.topic), lambda of: of.topic, grow=True, group=True),
            text(
                "database",
                "database",
                9,
                lambda of: Span(of.database),
                lambda of: of.database,
                grow=True,
                group=True,
            ),
            text("table", "table", 13, lambda of: Span(of.table), lambda of: of.table, grow=True),
            text(
                "rows",
                "rows",
                6,
                lambda of: Span(count_text(of.rows_full)),
                lambda of: -of.rows_full,
                right=True,
            ),
            text(
                "full",
                "full",
                9,
                lambda of: rows.progress_cell(of, symbols),
                lambda of: rows.share(of) or 0.0,
            ),
            text("changes", "changes", 7, rows.changes_cell, lambda of: -of.changes, right=True),
            text("changed", "last change", 11, changed, lambda of: -(of.changed_s or 0.0)),
            text("sharding", "sharding", 16, _sharding, lambda of: " ".join(of.sharding_columns), wide=True),
        ]
        yield Table[ObjectView](
            "Objects",
            columns,
            rows.table_text,
            id="objects",
            symbols=symbols,
            empty="asking the source …",
            text=rows.searched_text,
        )

    async def fetch(self) -> None:
        """The tables. Of a project that does not run the source is asked, so once is enough."""
        summary = self.host.picture.project(self._project)
        if self._is_known and not (summary is not None and summary.running):
            return
        objects = await self.host.client.call(api.OBJECTS, ask.Named(self._project))
        self._objects = tuple(sorted(objects, key=lambda of: (of.topic, of.database, of.table)))
        self._is_known = True

    def paint(self) -> None:
        """The tables."""
        table = self.query_one("#objects", Table)
        if self._is_known:
            table.empty = "no table matches the project's rules"
        table.show(self._objects, self.is_stale)

    def context(self) -> Line:
        """The project, and how many tables are complete."""
        if away := self.away_line():
            return away
        summary = self.host.picture.project(self._project)
        done = sum(of.full_done for of in self._objects)
        head = context_line(summary, self.host.now_s, self.host.zone) if summary else ()
        if not self._is_known:
            return (*head, Span("  asking the source …", Role.DIM))
        topics = len({of.topic for of in self._objects})
        said = f" {done} of {len(self._objects)} tables complete, {topics} topic{'s' if topics != 1 else ''} "
        return (Span(said), *head)

    def reason(self, action: Action) -> str:
        """What needs a table."""
        if general := super().reason(action):
            return general
        needs = action.id == "open" or action.id.startswith("object.")
        return "there is no table here" if needs and self._current is None else ""

    @property
    def _current(self) -> ObjectView | None:
        current = self.query_one("#objects", Table).current
        return current if isinstance(current, ObjectView) else None

    @work(group="ask")
    async def do_object_trace(self) -> None:
        """Ask for the key, then show the row's way."""
        if self._current is None:
            return
        table = rows.table_text(self._current)
        field = Asked("key", "Key", "", "the values of the primary key, separated by commas")
        answers = await self.app.push_screen_wait(Form(f"Trace a row of {table}", [field]))
        if answers is None:
            return
        key = tuple(part.strip() for part in dict(answers)["key"].split(","))
        try:
            found = await self.host.client.call(api.TRACE, ask.Trace(self._project, table, key))
        except EngineError as error:
            self.host.failed(error)
            return
        self.host.show_text(f"{table} {', '.join(key)}", trace_lines(found, self.host.now_s, self.host.zone))

    def do_object_samples(self) -> None:
        """The table's messages, live."""
        if self._current is not None:
            self.app.push_screen(SamplesView(self._project, rows.table_text(self._current)))

    @work(group="ask")
    async def do_object_ddl(self) -> None:
        """Ask the source for the statement, and show it."""
        if self._current is None:
            return
        table = rows.table_text(self._current)
        self.say(f"asking the source for {table} …", Role.NOTE)
        try:
            found = await self.host.client.call(api.DDL, ask.Ddl(self._project, table))
        except EngineError as error:
            self.host.failed(error)
            return
        self.host.show_text(f"{table}: DDL of {found.source}", f"{found.text};".split("\n"))

    def do_open(self) -> None:
        """The table's settings."""
        if self._current is not None:
            self.host.show_text(rows.table_text(self._current), rows.setting_lines(self._current))


def _sharding(of: ObjectView) -> Span:
    return Span(" ".join(of.sharding_columns), Role.DIM)

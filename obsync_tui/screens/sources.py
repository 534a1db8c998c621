"""All data sources: where they are, whether they answer, what they offer, who uses them."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.api.operation import Operation, Request
from obsync_tui.keys.action import Action, Scope
from obsync_tui.model.check import CheckResult
from obsync_tui.model.datasource import DataSource, OceanBaseSource
from obsync_tui.model.errors import EngineError
from obsync_tui.model.views import Done, SourceView
from obsync_tui.presenters import source_rows as rows
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.dialogs import ConfirmByName, Form
from obsync_tui.screens.source_form import changed, copy_fields, fields, judge_copy, judge_edit
from obsync_tui.screens.view import View
from obsync_tui.widgets.table import Column, Table
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.SOURCES, Scope.LIST, Scope.ALL)


class SourcesView(View, inherit_bindings=False):
    """The list of data sources with what is known of the one under the cursor."""

    NAME = "sources"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    DEFAULT_CSS = "SourcesView #found { height: 12; }"
    help = (
        "Databases to read from and brokers to write to. t connects and says what was found; d shows what an OceanBase "
        "tenant offers, which rights are missing, and the statements that grant them. Passwords are never shown. New "
        "ones are added with: obsync source add."
    )

    def __init__(self) -> None:
        super().__init__()
        self._sources: tuple[SourceView, ...] = ()
        self._tested: dict[str, Sequence[CheckResult]] = {}
        self._testing: set[str] = set()

    @property
    def crumbs(self) -> Sequence[str]:
        """The view's name."""
        return ("Data sources",)

    def panes(self) -> Iterable[Widget]:
        """The list, and the one under the cursor."""
        text = Column[SourceView]
        columns = [
            text("name", "data source", 16, lambda of: Span(of.name), lambda of: of.name, grow=True),
            text("kind", "kind", 9, lambda of: Span(rows.kind_text(of)), rows.kind_text),
            text("at", "at", 24, rows.place_cell, lambda of: rows.place_cell(of).text),
            text("used", "used by", 24, rows.used_cell, lambda of: -len(of.used_by)),
            text("user", "user", 24, lambda of: Span(rows.user_text(of)), rows.user_text, wide=True),
        ]
        symbols = self.host.symbols
        empty = "no data sources yet: obsync source add --help shows how to make one"
        yield Table[SourceView](
            "Data sources", columns, lambda of: of.name, id="sources", symbols=symbols, empty=empty
        )
        yield TextPane("Found", id="found", symbols=symbols)

    async def fetch(self) -> None:
        """The list."""
        self._sources = await self.host.client.call(api.SOURCES, ask.Nothing())

    def paint(self) -> None:
        """The list, and what is known of the one under the cursor."""
        self.sources.show(self._sources, self.is_stale)
        found = self.query_one("#found", TextPane)
        current = self.current
        found.title = "Found" if current is None else current.name
        found.show(self._found(current))

    def _found(self, current: SourceView | None) -> list[Line]:
        if current is None:
            return []
        if current.name in self._testing:
            return [*rows.facts(current), (), (Span("  connecting …", Role.NOTE),)]
        results = self._tested.get(current.name)
        if results is None:
            return [*rows.facts(current), (Span("  t connects and says what is found", Role.DIM),)]
        return [*rows.check_lines(results), (), *rows.facts(current)]

    @property
    def sources(self) -> "Table[SourceView]":
        """The table."""
        return self.query_one("#sources", Table)

    @property
    def current(self) -> SourceView | None:
        """The data source under the cursor."""
        return self.sources.current

    def on_table_moved(self) -> None:
        """What is known of the other one."""
        self.repaint()

    def reason(self, action: Action) -> str:
        """What needs a data source, a tenant, or nobody who uses it."""
        if general := super().reason(action):
            return general
        if not action.id.startswith("source."):
            return ""
        current = self.current
        if current is None:
            return "there is no data source here"
        if action.id == "source.delete" and current.used_by:
            return f"{current.name} is used by {', '.join(current.used_by)}"
        if action.id == "source.delete":
            return ""
        if current.source is None:
            return f"its file cannot be used: {current.error}"
        is_tenant = isinstance(current.source, OceanBaseSource)
        if action.id in ("source.describe", "source.logs", "source.orphans") and not is_tenant:
            return "only OceanBase tenants are described; t tests any"
        return ""

    def do_open(self) -> None:
        self.do_source_test()

    @work(group="test")
    async def do_source_test(self) -> None:
        name = self._at_name
        if name in self._testing:
            return
        self._testing.add(name)
        self.repaint()
        try:
            results = await self.host.client.call(api.TEST_SOURCE, ask.Named(name))
        except EngineError as error:
            self.host.failed(error)
            return
        finally:
            self._testing.discard(name)
        self._tested[name] = results
        said = rows.checks_said(results)
        self.say(f"{name}: {said.text}", said.role)
        self.repaint()

    @work(group="ask")
    async def do_source_describe(self) -> None:
        name = self._at_name
        self.say(f"asking {name} …", Role.NOTE)
        try:
            found = await self.host.client.call(api.DESCRIBE, ask.Named(name))
            script = await self.host.client.call(api.PREPARE, ask.Databases(name))
        except EngineError as error:
            self.host.failed(error)
            return
        heading: Line = (Span("A user with the least rights is made by:", Role.DIM),)
        made = [(Span(one),) for one in script.text.splitlines()]
        self.host.show_text(name, [*rows.description_lines(found), (), heading, *made])

    @work(group="ask")
    async def do_source_logs(self) -> None:
        name = self._at_name
        self.say(f"asking {name} …", Role.NOTE)
        try:
            logs = await self.host.client.call(api.VIEW_LOGS, ask.Named(name))
        except EngineError as error:
            self.host.failed(error)
            return
        self.host.show_text(f"{name}: view logs", rows.view_log_lines(logs, self.host.zone))

    @work(group="action")
    async def do_source_orphans(self) -> None:
        name = self._at_name
        said = ["View logs that were made by projects which are gone from here are dropped. Others stay."]
        if await self.app.push_screen_wait(ConfirmByName(f"Drop orphaned view logs of {name}", said, name)):
            await self._done(api.DROP_ORPHANS, ask.Orphans(name, name))

    @work(group="action")
    async def do_source_delete(self) -> None:
        name = self._at_name
        said = ["The data source's file is removed. The server itself is not touched."]
        if await self.app.push_screen_wait(ConfirmByName(f"Delete {name}", said, name)):
            await self._done(api.DELETE_SOURCE, ask.Named(name))

    @work(group="action")
    async def do_source_edit(self) -> None:
        source = self._source
        form = Form(f"Edit {source.name}", fields(source), lambda answers: judge_edit(source, answers))
        answers = await self.app.push_screen_wait(form)
        if answers is not None:
            await self._write(api.PUT_SOURCE, ask.PutSource(changed(source, answers), True))

    @work(group="action")
    async def do_source_copy(self) -> None:
        source = self._source
        form = Form(f"Copy {source.name}", copy_fields(source), judge_copy)
        answers = await self.app.push_screen_wait(form)
        if answers is not None:
            await self._write(api.COPY_SOURCE, ask.Rename(source.name, dict(answers)["name"]))

    async def _write(self, operation: Operation[Request, SourceView], request: Request) -> None:
        try:
            written = await self.host.client.call(operation, request)
        except EngineError as error:
            self.host.failed(error)
            return
        self.say(f"{written.name} is written; t tests it", Role.GOOD)
        self.beat()

    async def _done(self, operation: Operation[Request, Done], request: Request) -> None:
        try:
            done = await self.host.client.call(operation, request)
        except EngineError as error:
            self.host.failed(error)
            return
        self.say(" ".join(done.notes) or "done", Role.GOOD)
        self.beat()

    @property
    def _at_name(self) -> str:
        assert self.current is not None
        return self.current.name

    @property
    def _source(self) -> DataSource:
        assert self.current is not None and self.current.source is not None
        return self.current.source

"""What happened in all projects and to the engine."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Scope
from obsync_tui.model.event import Event
from obsync_tui.presenters.log_lines import event_lines
from obsync_tui.presenters.spans import Role, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.event_table import event_columns, event_key
from obsync_tui.screens.view import View
from obsync_tui.widgets.table import Column, Table

_SCOPES = (Scope.EVENTS, Scope.LIST, Scope.ALL)
_NEWEST = 500


class EventsView(View, inherit_bindings=False):
    """The newest events, the newest first."""

    NAME = "events"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = (
        "What happened: runs, state changes, schema changes, warnings, failures, and who asked for it. Enter shows one "
        "in full."
    )

    def __init__(self) -> None:
        super().__init__()
        self._events: tuple[Event, ...] = ()

    @property
    def crumbs(self) -> Sequence[str]:
        """The view's name."""
        return ("Events",)

    def panes(self) -> Iterable[Widget]:
        """One table."""
        columns = event_columns(self.host)
        columns.insert(1, Column[Event]("project", "project", 14, self._project_cell, self._project))
        yield Table[Event]("Events", columns, event_key, id="events", symbols=self.host.symbols)

    def _project(self, event: Event) -> str:
        named = {summary.id: summary.name for summary in self.host.picture.projects}
        return named.get(event.project_id, event.project_id) or "engine"

    def _project_cell(self, event: Event) -> Span:
        return Span(self._project(event), Role.PLAIN if event.project_id else Role.DIM)

    async def fetch(self) -> None:
        """The newest."""
        self._events = (await self.host.client.call(api.ALL_EVENTS, ask.AllEvents(limit=_NEWEST)))[::-1]

    def paint(self) -> None:
        """The table."""
        self.query_one("#events", Table).show(self._events, self.is_stale)

    def do_open(self) -> None:
        """The event in full."""
        event = self.query_one("#events", Table).current
        if isinstance(event, Event):
            self.host.show_text(event.kind, event_lines(event, self.host.zone))

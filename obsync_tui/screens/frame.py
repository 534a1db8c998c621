"""The frame of every view: crumbs and badges, a context line, the view's panes, the footer."""

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from obsync_tui.keys.action import Action, Scope, shown_key
from obsync_tui.keys.registry import BY_ID, actions_in
from obsync_tui.model.errors import EngineError
from obsync_tui.presenters.chrome import FooterKey, crumb_line, footer_line, said
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.screens.host import Host
from obsync_tui.terminal.sanitizer import visible
from obsync_tui.widgets.field import Line as Typed
from obsync_tui.widgets.line_view import TextLines
from obsync_tui.widgets.pane import Pane

_RESULT_S = 15.0


class Frame(Screen[None], inherit_bindings=False):
    """A view: `SCOPES` decide its keys, `panes` its middle, `fetch` asks the engine, `paint` shows what is known.

    An action `project.pause` is done by the method `do_project_pause`; `reason` says why one is not possible now.
    """

    DEFAULT_CSS = """
    Frame { layout: vertical; }
    Frame > TextLines { height: 1; }
    Frame > #panes { height: 1fr; }
    Frame > #filter { display: none; }
    Frame > #filter.open { display: block; }
    """
    SCOPES: ClassVar[tuple[Scope, ...]] = (Scope.ALL,)
    NAME: ClassVar[str] = ""
    AUTO_FOCUS = "Pane"

    def __init__(self) -> None:
        super().__init__()
        self._result: tuple[Span, float] | None = None
        self._fetching: Worker[None] | None = None
        self._filtered: Pane | None = None
        self.is_stale = self._is_ready = False

    # What a view says about itself

    @property
    def crumbs(self) -> Sequence[str]:
        """The view's place, below `obsync`."""
        return ()

    @property
    def place(self) -> tuple[str, str]:
        """The view's name and project, as one goes there."""
        return self.NAME, ""

    @property
    def help(self) -> str:
        """What the view shows, for its help."""
        return ""

    def panes(self) -> Iterable[Widget]:
        """The widgets of the middle."""
        return ()

    async def fetch(self) -> None:
        """Ask the engine for what the view shows; EngineError is said or starts the reconnecting."""

    def paint(self) -> None:
        """Show what is known, old values dimmed."""

    def context(self) -> Line:
        """The second line."""
        return self.away_line()

    def away_line(self) -> Line:
        """While the engine is away: since when, how old what is shown is, and why."""
        away_s = self.host.away_s
        error = self.host.picture.away_error
        if away_s is None or error is None:
            return ()
        old = self.host.picture.at_s
        values = "" if old is None else f", values of {self.host.zone.clock(old)}"
        since = self.host.zone.clock(self.host.now_s - away_s)
        return (
            Span(f" {error.what} since {since}, trying again{values}", Role.BAD),
            Span(f"  {error.cure}", Role.DIM),
        )

    def reason(self, action: Action) -> str:
        """Why the action is not possible now; empty when it is."""
        if action.writes and self.host.is_read_only:
            return "this session is read-only"
        if action.writes and self.host.away_s is not None:
            return "the engine is away"
        return ""

    # Frame

    @property
    def host(self) -> Host:
        """The application, as screens may know it."""
        return self.app  # type: ignore[return-value]

    def compose(self) -> ComposeResult:
        """Two lines, the panes, the footer."""
        yield TextLines(id="crumbs")
        yield TextLines(id="context")
        with Vertical(id="panes"):
            yield from self.panes()
        yield Typed(id="filter")
        yield TextLines(id="footer")

    def on_mount(self) -> None:
        """From now on its widgets are there."""
        self._is_ready = True

    @property
    def _is_alive(self) -> bool:
        """Whether its widgets are there: not yet before it is mounted, no more while the console ends."""
        return self._is_ready and self.app.is_running

    def on_screen_resume(self) -> None:
        """Show at once what is known, and ask for what is new."""
        self.call_after_refresh(self.beat)

    def on_resize(self) -> None:
        """Everything finds its place in the new size."""
        self.call_after_refresh(self.repaint)

    def beat(self) -> None:
        """Ask the engine unless it is still being asked; paint when it has answered."""
        if self._fetching is None or self._fetching.is_finished:
            self._fetching = self.run_worker(self._fetch(), group="fetch", exit_on_error=True)
        else:
            self.repaint()

    async def _fetch(self) -> None:
        try:
            if self.host.away_s is None:
                await self.fetch()
        except EngineError as error:
            self.host.failed(error)
        self.repaint()

    def repaint(self) -> None:
        """Paint everything; what has not changed costs nothing."""
        if not self._is_alive or self.app.screen is not self:
            return
        self.is_stale = self.host.away_s is not None
        self.paint()
        self.paint_frame()

    def paint_frame(self) -> None:
        """Paint the lines around the view."""
        width = self.size.width
        crumbs = [visible(crumb) for crumb in ("obsync", *self.crumbs)]
        separator = self.host.symbols.crumb
        self.query_one("#crumbs", TextLines).show([crumb_line(crumbs, self.host.badges, width, separator)])
        self.query_one("#context", TextLines).show([self.context()])
        if (
            self._result
            and time.monotonic() - self._result[1] > _RESULT_S
            and self._result[0].role is not Role.BAD
        ):
            self._result = None
        result = self._result[0] if self._result else None
        self.query_one("#footer", TextLines).show([footer_line(self._footer_keys(), result, width)])

    def _footer_keys(self) -> list[FooterKey]:
        shown = [action for action in actions_in(self.SCOPES) if action.footer and self._can(action)]
        return [
            FooterKey(shown_key(keys[0]), action.label, not self.reason(action))
            for action in shown
            if (keys := self.host.keymap[action.id])
        ]

    def say(self, text: str, role: Role = Role.PLAIN) -> None:
        """Put a result or an error into the footer."""
        self._result = (said(visible(text, keep="\n"), role), time.monotonic())
        if self._is_alive:
            self.paint_frame()

    # Doing

    @property
    def actions(self) -> list[Action]:
        """All actions of the view, those without a method left out."""
        return [action for action in actions_in(self.SCOPES) if self._can(action)]

    def _can(self, action: Action) -> bool:
        return hasattr(self, _method(action.id))

    def action_perform(self, action_id: str) -> None:
        """Do what a key stands for, or say why that is not possible."""
        action = BY_ID[action_id]
        if not self._is_alive:
            return
        if self._result and not action_id.startswith("cursor."):
            self._result = None
        if not self._can(action):
            return
        if reason := self.reason(action):
            self.say(f"{action.label}: {reason}", Role.WARN)
            return
        getattr(self, _method(action_id))()
        if self.app.screen is self:
            self.paint_frame()

    @property
    def pane(self) -> Pane | None:
        """The pane that the keys go to."""
        focused = self.focused
        if isinstance(focused, Pane):
            return focused
        return next(iter(self.query(Pane)), None)

    # The filter line

    def open_filter(self) -> None:
        """Let the user type a filter in the place above the footer."""
        self._filtered = self.pane
        typed = self.query_one("#filter", Typed)
        typed.add_class("open")
        typed.focus()

    @property
    def is_filtering(self) -> bool:
        """Whether a filter is being typed."""
        return self.query_one("#filter", Typed).has_class("open")

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is in force."""
        return bool(self.query_one("#filter", Typed).value)

    def close_filter(self, clear: bool) -> None:
        """Put the filter line away."""
        typed = self.query_one("#filter", Typed)
        if clear:
            typed.value = ""
        typed.remove_class("open")
        if self._filtered is not None:
            self._filtered.narrow(typed.value)
            self._filtered.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        if event.input.id == "filter" and self._filtered is not None:
            wrong = self._filtered.narrow(event.value)
            self.say(wrong, Role.WARN) if wrong else self.paint_frame()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Back to the pane; the filter stays."""
        if event.input.id == "filter":
            event.stop()
            self.close_filter(clear=False)


def _method(action_id: str) -> str:
    return "do_" + action_id.replace(".", "_")

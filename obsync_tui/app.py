"""The console: a client of the engine with screens, and nothing of its own worth keeping."""

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from obsync_tui import __version__
from obsync_tui.api import operations as api
from obsync_tui.api.errors import EngineAway
from obsync_tui.api.requests import Nothing
from obsync_tui.config.paths import write_private
from obsync_tui.keys.keymap import DEFAULT, Keymap
from obsync_tui.model.errors import EngineError
from obsync_tui.model.finding import Finding
from obsync_tui.model.views import PROTOCOL, Hello
from obsync_tui.presenters.chrome import Badges
from obsync_tui.presenters.quantities import duration_text
from obsync_tui.presenters.spans import Line, Role
from obsync_tui.presenters.zone import Zone
from obsync_tui.screens.bindings import textual_keymap
from obsync_tui.screens.client import ConsoleClient
from obsync_tui.screens.examination import examine
from obsync_tui.screens.frame import Frame
from obsync_tui.screens.navigation import Navigation
from obsync_tui.screens.picture import Picture
from obsync_tui.terminal.clipboard import copy
from obsync_tui.terminal.hangup import is_writable, leave_when_gone
from obsync_tui.terminal.profile import Profile
from obsync_tui.terminal.sanitizer import visible
from obsync_tui.terminal.symbols import ASCII, UNICODE
from obsync_tui.widgets.screen_diff import ScreenDiff

SLOW_S = 5
# What the console returns when the user stopped the engine with it.
ENGINE_STOPPED = -1
_TOPICS = ("projects", "engine")
_RETRY_S = 1.0
# Characters of another engine's version in the first line.
_VERSION = 16
# So many seconds in a row the terminal must (not) take bytes before the console becomes slow (fast again).
_BLOCKED_S = 2
_FREE_S = 60
_THEMES = (
    "ansi-dark",
    "ansi-light",
    "textual-dark",
    "textual-light",
    "nord",
    "gruvbox",
    "monokai",
    "solarized-light",
)


class Start:
    """What the console is started with."""

    def __init__(
        self,
        profile: Profile,
        state_directory: Path,
        *,
        keymap: Keymap = DEFAULT,
        zone: Zone | None = None,
        read_only: bool = False,
        complaint: str = "",
        terminal: int | None = None,
        now: Callable[[], float] = time.time,
        examine: Callable[[], Awaitable[tuple[Finding, ...]]] = examine,
    ) -> None:
        self.profile, self.state_directory, self.keymap = profile, state_directory, keymap
        self.zone = zone or Zone()
        self.read_only, self.complaint, self.terminal = read_only, complaint, terminal
        self.now, self.examine = now, examine


class ObsyncApp(App[int], inherit_bindings=False):
    """The application: follows the engine, beats once a second, and lets screens do the rest."""

    CSS = "Screen { background: $background; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c,ctrl+q", "how_to_quit", show=False)]

    def __init__(self, client: ConsoleClient, start: Start) -> None:
        # Textual chooses its colour filters here, before a theme can be set.
        super().__init__(ansi_color=True if start.profile.theme.startswith("ansi-") else None)
        self.client, self._start = client, start
        self.keymap, self.zone = start.keymap, start.zone
        self.state_directory = start.state_directory
        self.symbols = ASCII if start.profile.ascii else UNICODE
        self.picture = Picture(start.now)
        self.navigation = Navigation(self)
        self._diff = ScreenDiff()
        self.is_frozen = False
        self._is_slow_by_itself = False
        self._beats = self._blocked = self._free = 0
        self.theme = start.profile.theme
        self.animation_level = "none"
        self.set_keymap(textual_keymap(start.keymap))

    # What screens ask

    @property
    def is_read_only(self) -> bool:
        """By the user's wish, or because the engine lets this user only look."""
        hello = self.picture.hello
        return self._start.read_only or (hello is not None and hello.access != "admin")

    @property
    def is_slow(self) -> bool:
        """Whether the screen is painted every 5 s only."""
        return self._start.profile.slow or self._is_slow_by_itself

    @property
    def away_s(self) -> float | None:
        """For how long the engine has been away."""
        return self.picture.away_s

    @property
    def now_s(self) -> float:
        """Now, UTC epoch."""
        return self._start.now()

    @property
    def badges(self) -> Badges:
        """The right end of the first line."""
        hello = self.picture.hello
        is_other = hello is not None and (hello.version, hello.protocol) != (__version__, PROTOCOL)
        engine = "engine …"
        if hello is not None:
            version = f"{hello.version[:_VERSION]} " if is_other else ""
            engine = f"engine {version}{_uptime(self.now_s - hello.started_s)}"
        shown = (self.is_read_only, self.is_slow, self.is_frozen, self.zone.name, engine, self.away_s)
        return Badges(*shown, is_other)

    def get_loading_widget(self) -> Widget:
        """Something that does not move."""
        return Static("…", markup=False)

    def on_mount(self) -> None:
        """Show the projects, follow the engine."""
        self.navigation.begin()
        self.run_worker(self._follow(), group="follow", exit_on_error=True)
        self.set_interval(1.0, self._beat)
        if self._start.complaint:
            self.call_after_refresh(self._say, self._start.complaint, Role.BAD)

    async def examine(self) -> tuple[Finding, ...]:
        """What the doctor finds."""
        return await self._start.examine()

    # The engine

    async def _follow(self) -> None:
        """Hold the stream of what changes; when it breaks, say so and try again for ever."""
        while True:
            try:
                self._met(await self.client.call(api.HELLO, Nothing()))
                async for frame in self.client.watch(_TOPICS):
                    self.picture.take(frame)
            except EngineAway as error:
                self.picture.away(error)
            except EngineError as error:
                self._say(str(error), Role.BAD)
            await asyncio.sleep(_RETRY_S)

    def _met(self, hello: Hello) -> None:
        before = self.picture.hello
        self.picture.back(hello)
        if hello.protocol != PROTOCOL:
            self._say(
                f"the engine speaks protocol {hello.protocol}, this console {PROTOCOL}: views may fail",
                Role.WARN,
            )
        elif hello.version != __version__:
            self._say(f"the engine is version {hello.version}, this console {__version__}", Role.WARN)
        elif before is not None and before.pid != hello.pid:
            self._say(f"another engine answers now, started {self.zone.clock(hello.started_s)}", Role.NOTE)
        elif before is not None:
            self._say("the engine answers again", Role.GOOD)

    def failed(self, error: EngineError) -> None:
        """A request failed: say it, or start reconnecting."""
        if isinstance(error, EngineAway):
            self.picture.away(error)
        else:
            self._say(str(error), Role.BAD)

    # The beat

    def _beat(self) -> None:
        """Once a second: look after the terminal, then let the screen ask and paint."""
        self._beats += 1
        if not self._may_paint() or self.is_frozen or (self.is_slow and self._beats % SLOW_S):
            return
        if isinstance(self.screen, Frame):
            self.screen.beat()

    def _may_paint(self) -> bool:
        """Whether the terminal takes bytes; one that does not for long gets fewer of them."""
        terminal = self._start.terminal
        if terminal is None:
            return True
        leave_when_gone(terminal)
        if is_writable(terminal):
            self._blocked, self._free = 0, self._free + 1
            if self._free >= _FREE_S:
                self._is_slow_by_itself = False
            return True
        self._blocked, self._free = self._blocked + 1, 0
        if self._blocked >= _BLOCKED_S:
            self._is_slow_by_itself = True
        return False

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Textual's one way to the terminal: what goes there is reduced to the cells that differ."""
        drawn: object = renderable
        if isinstance(drawn, CompositorUpdate) and screen is self.screen and not self.is_headless:
            if self._batch_count:
                return
            drawn = self._diff.update(screen._compositor.render_strips(), self.console)
        super()._display(screen, drawn)  # type: ignore[arg-type]

    def _fatal_error(self) -> None:
        """A fault of the console: its traceback goes to a file, a sentence to the terminal."""
        file, error = self.state_directory / "crash.txt", self._exception
        said = f"obsync: unexpected error: {error!r:.200}. The engine and its projects go on."
        try:
            write_private(
                file, "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace")
            )
            said += f" Please report it with {file}."
        except EngineError as unwritten:
            said += f" {unwritten}"
        self._exit_renderables.append(Text(visible(said)))
        self._close_messages_no_wait()

    def on_resize(self) -> None:
        """Terminals move their lines about when they change their size."""
        self._diff.forget()

    def redraw(self) -> None:
        """Send everything again."""
        self._diff.forget()
        self.screen.refresh(layout=True)

    # What screens let it do

    def _say(self, text: str, role: Role) -> None:
        if isinstance(self.screen, Frame):
            self.screen.say(text, role)

    def copy(self, text: str) -> str:
        """Copy a text and say where it went."""
        made = copy(text, self.state_directory / "clipboard.txt", os.environ)
        if made.sequence and self._driver is not None:
            self._driver.write(made.sequence)
        return made.said

    def toggle_frozen(self) -> None:
        """Freeze or unfreeze the picture."""
        self.is_frozen = not self.is_frozen
        if isinstance(self.screen, Frame):
            self.screen.repaint()

    def next_theme(self) -> str:
        """Take the next theme and name it."""
        place = _THEMES.index(self.theme) if self.theme in _THEMES else -1
        self.ansi_color = None
        self.theme = _THEMES[(place + 1) % len(_THEMES)]
        return self.theme

    def show_help(self, view: Frame) -> None:
        """Explain a view and its keys."""
        self.navigation.show_help(view)

    def show_palette(self, view: Frame) -> None:
        """Let the user find an action, a view or a project."""
        self.navigation.show_palette(view)

    def show_text(self, title: str, lines: Sequence[Line | str]) -> None:
        """Show a text in full above this view."""
        self.navigation.show_text(title, lines)

    def go(self, view: str, project: str = "", part: str = "") -> None:
        """Show a view by name, of a project where it is one's, of a part of it."""
        self.navigation.go(view, project, part)

    def quit(self) -> None:
        """End the console."""
        self.exit(ENGINE_STOPPED)

    def go_last(self) -> None:
        """Show the view before this one."""
        self.navigation.go_last()

    def go_back(self, quits: bool = False) -> None:
        """Leave this view; the first one only when it `quits`."""
        self.navigation.go_back(quits)

    def action_how_to_quit(self) -> None:
        """Ctrl-C does not end what may be looked at by others; it says what does."""
        self._say("q leaves a view and, on the first one, the console. The engine goes on.", Role.NOTE)


def _uptime(seconds: float) -> str:
    """An uptime that changes once a minute: each change costs bytes."""
    return (
        "<1m"
        if seconds < 60
        else f"{seconds // 60:.0f}m"
        if seconds < 3600
        else duration_text(seconds // 60 * 60)
    )


def run_console(client: ConsoleClient, start: Start) -> int:
    """Run the console on this process's terminal until it is left; its exit code."""
    app = ObsyncApp(client, start)
    code = app.run(mouse=start.profile.mouse)
    if code is not None:
        return code
    return app.return_code or 0


def terminal_descriptor() -> int:
    """The descriptor that Textual writes to."""
    return (sys.__stderr__ or sys.stderr).fileno()

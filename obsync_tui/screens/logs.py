"""Logs: of the engine, or of a project's components; followed, searched, by level."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, get_args

from textual import work
from textual.widget import Widget

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.keys.action import Action, Scope
from obsync_tui.model.history import LogPage
from obsync_tui.presenters.log_lines import log_line
from obsync_tui.presenters.quantities import grouped, size_text
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.dialogs import Asked, Form
from obsync_tui.screens.view import View
from obsync_tui.widgets.log_tail import LogTail

_SCOPES = (Scope.LOGS, Scope.ALL)
_PAGE = 400
# Lines of one page of a search: the look of the engine is bounded by itself.
_FOUND = 5000
LevelName = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
ComponentName = Literal["project", "store", "connector", "full-import"]
_LEVELS: tuple[LevelName, ...] = get_args(LevelName)
_COMPONENTS: tuple[ComponentName, ...] = get_args(ComponentName)


class LogsView(View, inherit_bindings=False):
    """One log; what came before it was opened is read when one scrolls up."""

    NAME = "logs"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = (
        "The newest lines, followed as they are written; scrolling up stops that, G goes on. / searches in what is "
        "loaded, n and N go to the next and previous match; S leaves only lines with a text, of the whole log back to "
        "its beginning, Esc shows all again. v chooses the level, c the component. At the top, PgUp reads older lines."
    )

    def __init__(self, project: str = "", component: ComponentName = "project") -> None:
        super().__init__()
        self._project, self._component = project, component
        self._level: LevelName = "INFO"
        self._search = self._older = self._newer = ""
        self._looked_bytes = self._turn = 0
        self._is_open = False

    @property
    def crumbs(self) -> Sequence[str]:
        """Below the project, or the engine's."""
        return (self._project, "Logs") if self._project else ("Engine", "Log")

    @property
    def place(self) -> tuple[str, str]:
        """The project's logs, or the engine's."""
        return self.NAME, self._project

    @property
    def log_pane(self) -> LogTail:
        """The pane."""
        return self.query_one(LogTail)

    def panes(self) -> Iterable[Widget]:
        """One log."""
        yield LogTail(self._title, symbols=self.host.symbols)

    @property
    def _title(self) -> str:
        only = f', only lines with "{self._search}"' if self._search else ""
        return f"{self._component if self._project else 'engine'}  level {self._level} and above{only}"

    async def fetch(self) -> None:
        """The newest page at first, then what comes after it; older lines when the top is reached, or a search goes on.

        A page costs the engine a bounded look, so that a search through a whole log takes a few beats.
        """
        pane, turn = self.log_pane, self._turn
        wants_older = self._is_open and self._wants_older
        page = await self._page(
            before=self._older if wants_older else "",
            after=self._newer if self._is_open and not wants_older else "",
        )
        if turn != self._turn:
            await self.fetch()  # What came is of what was wanted before.
            return
        if not self._is_open:
            self._is_open, self._older, self._looked_bytes = True, page.older, page.looked_bytes
            pane.clear()
        elif wants_older:
            self._older = page.older
            self._looked_bytes += page.looked_bytes
            pane.add_before(self._lines(page))
            return
        if page.lost:
            pane.add([(Span("... lines in between were rotated away", Role.WARN),)])
        self._newer = page.newer
        pane.add(self._lines(page))

    @property
    def _wants_older(self) -> bool:
        pane = self.log_pane
        wanted = bool(self._search) or (pane.is_at_top and not pane.is_following)
        return wanted and bool(self._older) and pane.has_room

    async def _page(self, before: str = "", after: str = "") -> LogPage:
        limit = _FOUND if self._search else _PAGE
        if not self._project:
            request = ask.EngineLogs(self._level, self._search, before, after, limit)
            return await self.host.client.call(api.ENGINE_LOGS, request)
        asked = ask.Logs(self._project, self._component, self._level, self._search, before, after, limit)
        return await self.host.client.call(api.LOGS, asked)

    def _lines(self, page: LogPage) -> list[Line]:
        return [log_line(line, self.host.now_s, self.host.zone) for line in page.lines]

    def paint(self) -> None:
        """What has come since the last beat, at once."""
        self.log_pane.title = self._title
        self.log_pane.flush()

    def context(self) -> Line:
        """Whether the end is followed."""
        if away := self.away_line():
            return away
        following = self.log_pane.is_following
        place = Span(" following the end" if following else " stands still; f or G follows the end", Role.DIM)
        return (*self._found(), place)

    def _found(self) -> Line:
        """How far a search is: what it found, how much it looked at, whether that is all."""
        if not self._search or not self._is_open:
            return ()
        count = self.log_pane.count
        lines = f" {grouped(count)} line{'s' if count != 1 else ''}"
        if not self._older:
            return (Span(f"{lines} in the whole log;", Role.GOOD),)
        if not self.log_pane.has_room:
            return (Span(f"{lines}, the newest; older ones have no room here, narrow the text;", Role.WARN),)
        return (Span(f"{lines} so far, {size_text(self._looked_bytes)} looked at, going on;", Role.NOTE),)

    def reason(self, action: Action) -> str:
        """The engine has one log only."""
        if action.id == "log.component" and not self._project:
            return "the engine has one log"
        return super().reason(action)

    def do_log_level(self) -> None:
        self._level = _LEVELS[(_LEVELS.index(self._level) + 1) % len(_LEVELS)]
        self._again()

    def do_log_component(self) -> None:
        self._component = _COMPONENTS[(_COMPONENTS.index(self._component) + 1) % len(_COMPONENTS)]
        self._again()

    def _again(self) -> None:
        self._turn += 1
        self._is_open = False
        self._older = self._newer = ""
        self.log_pane.is_following = True
        self.beat()

    @work(group="ask")
    async def do_log_search(self) -> None:
        """Ask for the text, then show only lines with it."""
        field = Asked(
            "text", "Text", self._search, "as it stands in the lines, in any case; empty shows all lines"
        )
        answers = await self.app.push_screen_wait(Form("Search the whole log", [field]))
        if answers is not None:
            self._search = dict(answers)["text"]
            self._again()

    def do_back(self) -> None:
        """Esc ends a search before it leaves."""
        if self._search and not (self.is_filtering or self.is_filtered):
            self._search = ""
            self._again()
        else:
            super().do_back()

    def do_log_follow(self) -> None:
        self.log_pane.toggle_follow()

    def do_text_wrap(self) -> None:
        self.log_pane.toggle_wrap()

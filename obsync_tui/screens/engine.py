"""The engine: version, uptime, load, clients, sizes."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from obsync_tui import __version__
from obsync_tui.keys.action import Scope
from obsync_tui.presenters.engine_facts import engine_lines
from obsync_tui.presenters.spans import dimmed
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.view import View
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.ENGINE, Scope.ALL)


class EngineView(View, inherit_bindings=False):
    """The engine's facts as the stream brings them."""

    NAME = "engine"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = (
        "The resident process that runs the projects. It goes on when this console is left or the terminal is closed. "
        "Its log is under 4. To start the version that is installed now: obsync engine restart."
    )

    @property
    def crumbs(self) -> Sequence[str]:
        """The view's name."""
        return ("Engine",)

    def panes(self) -> Iterable[Widget]:
        """One text."""
        yield TextPane("Engine", symbols=self.host.symbols)

    def paint(self) -> None:
        """The facts."""
        picture = self.host.picture
        lines = engine_lines(picture.hello, picture.engine, self.host.now_s, self.host.zone, __version__)
        self.query_one(TextPane).show([dimmed(line) for line in lines] if self.is_stale else lines)

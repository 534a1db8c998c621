"""What screens know of the application."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from obsync_tui.keys.keymap import Keymap
from obsync_tui.model.errors import EngineError
from obsync_tui.model.finding import Finding
from obsync_tui.presenters.chrome import Badges
from obsync_tui.presenters.spans import Line
from obsync_tui.presenters.zone import Zone
from obsync_tui.screens.client import ConsoleClient
from obsync_tui.screens.picture import Picture
from obsync_tui.terminal.symbols import Symbols

if TYPE_CHECKING:
    from obsync_tui.screens.frame import Frame


class Host(Protocol):
    """The application as its screens may know it."""

    keymap: Keymap
    symbols: Symbols
    zone: Zone
    state_directory: Path
    client: ConsoleClient
    picture: Picture

    @property
    def is_read_only(self) -> bool:
        """Whether this session may only look."""

    @property
    def away_s(self) -> float | None:
        """For how long the engine has been away; None while it answers."""

    @property
    def badges(self) -> Badges:
        """The right end of the first line."""

    @property
    def now_s(self) -> float:
        """Now, UTC epoch; tests freeze it."""

    async def examine(self) -> tuple[Finding, ...]:
        """What the doctor finds."""

    def failed(self, error: EngineError) -> None:
        """A request failed: say it, or start reconnecting."""

    def copy(self, text: str) -> str:
        """Copy a text and say where it went."""

    def toggle_frozen(self) -> None:
        """Freeze or unfreeze the picture."""

    def redraw(self) -> None:
        """Send the whole screen again."""

    def next_theme(self) -> str:
        """Take the next theme and name it."""

    def show_help(self, view: "Frame") -> None:
        """Explain a view and its keys."""

    def show_palette(self, view: "Frame") -> None:
        """Let the user find an action, a view or a project."""

    def show_text(self, title: str, lines: Sequence[Line | str]) -> None:
        """Show a text in full above this view."""

    def go(self, view: str, project: str = "", part: str = "") -> None:
        """Show a view by name, of a project where it is one's, of a part of it."""

    def quit(self) -> None:
        """End the console."""

    def go_last(self) -> None:
        """Show the view before this one."""

    def go_back(self, quits: bool = False) -> None:
        """Leave this view; the first one only when it `quits`."""

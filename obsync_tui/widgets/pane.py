"""What every pane that the keyboard works on can do."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from obsync_tui.widgets.line_view import LineView


class Move(StrEnum):
    """A step of the cursor."""

    UP = "up"
    DOWN = "down"
    PAGE_UP = "page_up"
    PAGE_DOWN = "page_down"
    HOME = "home"
    END = "end"
    LEFT = "left"
    RIGHT = "right"


class Pane(LineView, can_focus=True):
    """A view with a cursor or a scroll position, a filter, and rows that can be copied or exported."""

    DEFAULT_CSS = "Pane:focus { background-tint: transparent; }"

    def move(self, step: Move) -> None:
        """Move the cursor or scroll."""
        raise NotImplementedError

    def narrow(self, pattern: str) -> str:
        """Show only what matches a regular expression (`!` in front inverts); returns what is wrong with it."""
        return "" if not pattern else "nothing to filter here"

    def find(self, forward: bool) -> bool:
        """Go to the next match of what was searched; False where there is none."""
        return False

    def value(self) -> str:
        """What `copy value` copies."""
        return ""

    def record(self) -> dict[str, str]:
        """The row, column to text."""
        return {}

    def whole(self) -> str:
        """What `copy row` copies: the row as a JSON object."""
        return msgspec.json.encode(self.record()).decode()

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """Column names and rows for an export."""
        return (), ()

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves as the keys do."""
        self.move(Move.DOWN)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves as the keys do."""
        self.move(Move.UP)

    def on_focus(self) -> None:
        """The cursor shows where the keys go."""
        self.repaint()

    def on_blur(self) -> None:
        """The cursor shows where the keys no longer go."""
        self.repaint()

"""A widget of lines."""

from collections.abc import Sequence

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from obsync_tui.presenters.spans import Line
from obsync_tui.widgets.painting import strip_of


class LineView(Widget):
    """Shows `line_at(y)` for each of its rows; `repaint()` after the lines have changed."""

    DEFAULT_CSS = "LineView { height: 1fr; width: 1fr; }"

    def line_at(self, y: int) -> Line:
        """The line that belongs on row `y` now."""
        raise NotImplementedError

    def ground_at(self, y: int) -> Style:
        """The style that row `y` stands on."""
        return self.rich_style

    def repaint(self) -> None:
        """Draw every row again; only cells that differ are sent (`ScreenDiff`)."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The row in exactly the widget's width."""
        return strip_of(self.line_at(y), self.size.width, self.ground_at(y))


class TextLines(LineView):
    """A fixed block of lines that the owner sets."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines from the top; what does not fit is not seen."""
        if lines != self._lines:
            self._lines = lines
            self.repaint()

    def line_at(self, y: int) -> Line:
        """The line set for the row, else an empty one."""
        return self._lines[y] if y < len(self._lines) else ()

"""A labelled line to type into, with what is wrong below it."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from obsync_tui.presenters.spans import Role, Span
from obsync_tui.widgets.line_view import TextLines


class Line(Input):
    """An input of one row that does not blink: blinking costs 2 KB a second."""

    DEFAULT_CSS = (
        "Line { height: 1; border: none; padding: 0 1; }  Line:focus { border: none; text-style: none; }"
    )

    def __init__(self, value: str = "", *, id: str | None = None, password: bool = False) -> None:
        super().__init__(value, id=id, compact=True, password=password, select_on_focus=False)
        self.cursor_blink = False


class Field(Vertical):
    """Label, input, and one line for a hint or for what is wrong."""

    DEFAULT_CSS = "Field { height: 3; }  Field TextLines { height: 1; }"

    def __init__(self, name: str, label: str, value: str = "", hint: str = "") -> None:
        super().__init__()
        self.key, self.label, self.hint, self._value = name, label, hint, value

    def compose(self) -> ComposeResult:
        """Label, line, hint."""
        yield TextLines(id="label")
        yield Line(self._value)
        yield TextLines(id="hint")

    def on_mount(self) -> None:
        """Write label and hint."""
        self.query_one("#label", TextLines).show([(Span(self.label, Role.STRONG),)])
        self.complain("")

    @property
    def value(self) -> str:
        """What stands in it."""
        return self.query_one(Line).value

    def complain(self, wrong: str) -> None:
        """Say what is wrong, or show the hint again."""
        said = Span(wrong, Role.BAD) if wrong else Span(self.hint, Role.DIM)
        self.query_one("#hint", TextLines).show([(said,)])

"""A text in full: an event, a description, a file with its difference."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.keys.action import Scope
from obsync_tui.presenters.spans import Line, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.view import View
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.TEXT, Scope.ALL)


class TextView(View, inherit_bindings=False):
    """Lines that were given."""

    NAME = "text"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)
    help = "A text: w wraps long lines, / searches, Y copies all of it, E writes it to a file."

    def __init__(self, title: str, lines: Sequence[Line | str], crumbs: Sequence[str]) -> None:
        super().__init__()
        self._title, self._below = title, crumbs
        self._lines = [(Span(line),) if isinstance(line, str) else line for line in lines]

    @property
    def crumbs(self) -> Sequence[str]:
        """Below where it came from."""
        return (*self._below, self._title)

    def panes(self) -> Iterable[Widget]:
        """One pane."""
        pane = TextPane(self._title, symbols=self.host.symbols)
        pane.is_wrapped = True
        yield pane

    def paint(self) -> None:
        """The text."""
        self.query_one(TextPane).show(self._lines)

    def do_text_wrap(self) -> None:
        self.query_one(TextPane).toggle_wrap()

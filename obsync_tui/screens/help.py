"""What a view shows, and all its keys."""

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from obsync_tui.keys.action import Level, Scope, shown_key
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.screens.bindings import bindings_of
from obsync_tui.screens.frame import Frame
from obsync_tui.screens.view import View
from obsync_tui.widgets.text_pane import TextPane

_SCOPES = (Scope.TEXT, Scope.ALL)
_ASKS = {Level.READ: "", Level.WRITE: "", Level.CAUTION: " (asks)", Level.DANGER: " (asks for the name)"}


class HelpView(View, inherit_bindings=False):
    """The help of one view, made from the registry."""

    NAME = "help"
    SCOPES = _SCOPES
    BINDINGS: ClassVar = bindings_of(_SCOPES)

    def __init__(self, view: Frame) -> None:
        super().__init__()
        self._view = view

    @property
    def crumbs(self) -> tuple[str, ...]:
        """Below the view that is explained."""
        return (*self._view.crumbs, "Help")

    def panes(self) -> Iterable[Widget]:
        """One text."""
        pane = TextPane("Help", symbols=self.host.symbols)
        pane.is_wrapped = True
        yield pane

    def paint(self) -> None:
        """What the view shows; what is possible now; the rest."""
        said: list[Line] = [(Span(self._view.help),), ()]
        for action in self._view.actions:
            keys = " ".join(shown_key(key) for key in self.host.keymap[action.id])
            reason = self._view.reason(action)
            role = Role.DIM if reason else Role.PLAIN
            line = [Span(f" {keys:<12} ", Role.DIM if reason else Role.STRONG)]
            line.append(Span(action.text + _ASKS[action.level], role))
            if reason:
                line.append(Span(f" - not now: {reason}", Role.DIM))
            said.append(tuple(line))
        said += [(), (Span("Keys can be changed in keymap.toml; docs/keymap.md has their names.", Role.DIM),)]
        self.query_one(TextPane).show(said)

    def do_help(self) -> None:
        self.host.go_back()

    def do_text_wrap(self) -> None:
        self.query_one(TextPane).toggle_wrap()

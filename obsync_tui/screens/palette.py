"""Find an action of the view, another view or a project by typing some of its letters."""

from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from obsync_tui.keys.action import shown_key
from obsync_tui.presenters.spans import Role, Span
from obsync_tui.screens.dialogs import Dialog
from obsync_tui.screens.frame import Frame
from obsync_tui.widgets.field import Line as Typed
from obsync_tui.widgets.pane import Move
from obsync_tui.widgets.table import Column, Table


class Entry(NamedTuple):
    """One thing to find: `key` is `do:ACTION` or `project:NAME`; a reason makes it dim."""

    key: str
    keys: str
    text: str
    reason: str


class Palette(Dialog[str]):
    """Type, move, Enter."""

    DEFAULT_CSS = "Palette > Vertical { height: 20; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move('up')", "up", show=False),
        Binding("down", "move('down')", "down", show=False),
        Binding("pageup", "move('page_up')", "page up", show=False),
        Binding("pagedown", "move('page_down')", "page down", show=False),
    ]

    def __init__(self, view: Frame) -> None:
        super().__init__()
        keymap = view.host.keymap
        self._entries = [
            Entry(
                f"do:{action.id}",
                " ".join(shown_key(key) for key in keymap[action.id]),
                action.text,
                view.reason(action),
            )
            for action in view.actions
            if not action.id.startswith("cursor.")
        ]
        self._entries += [
            Entry(f"project:{one.name}", "project", one.name, "") for one in view.host.picture.projects
        ]

    def compose(self) -> ComposeResult:
        """A line to type into, and what matches."""
        with Vertical():
            yield Typed()
            table = Table[Entry](
                "Commands",
                [
                    Column("keys", "key", 11, lambda one: Span(one.keys, Role.DIM), lambda one: one.keys),
                    Column("text", "what", 40, _text, lambda one: one.text, grow=True),
                ],
                lambda one: one.key,
            )
            table.can_focus = False
            yield table

    def on_mount(self) -> None:
        """Everything, before something is typed."""
        self.query_one(Table).show(self._entries)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every word must occur; what begins with it comes first."""
        words = event.value.casefold().split()
        found = [entry for entry in self._entries if all(word in entry.text.casefold() for word in words)]
        if words:
            found.sort(key=lambda entry: not entry.text.casefold().startswith(words[0]))
        table = self.query_one(Table)
        table.show(found)
        table.move(Move.HOME)

    def on_input_submitted(self) -> None:
        """Take what the cursor is on."""
        self.dismiss(self.query_one(Table).value() or None)

    def action_move(self, step: str) -> None:
        """Move the cursor."""
        self.query_one(Table).move(Move(step))


def _text(entry: Entry) -> Span:
    if entry.reason:
        return Span(f"not now: {entry.reason} ({entry.text})", Role.DIM)
    return Span(entry.text)

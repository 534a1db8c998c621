"""Questions: yes or no, a typed name, a choice, a few fields. Esc is always no."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.widgets.field import Field
from obsync_tui.widgets.field import Line as Typed
from obsync_tui.widgets.pane import Move
from obsync_tui.widgets.table import Column, Table
from obsync_tui.widgets.text_pane import TextPane, wrapped

Result = TypeVar("Result")
_WIDTH = 72


class Dialog(ModalScreen[Result | None], Generic[Result], inherit_bindings=False):
    """A box in the middle of an empty screen: a translucent one would cost twice the bytes."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background; }
    Dialog > Vertical { width: 72; max-width: 100%; height: auto; max-height: 100%; }
    Dialog TextLines { height: 1; width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "refuse", "cancel", show=False)]

    def action_refuse(self) -> None:
        """Nothing happens."""
        self.dismiss(None)


def _paragraphs(lines: Sequence[str], role: Role = Role.PLAIN) -> list[Line]:
    return [row for text in lines for row in wrapped((Span(text, role),), _WIDTH)]


class _Text(TextPane, can_focus=False):
    """What a dialog says, as high as it is, up to a limit."""

    def __init__(self, said: Sequence[Line], most: int = 14) -> None:
        super().__init__()
        self._said = said
        self.styles.height = min(len(said), most)

    def on_mount(self) -> None:
        self.show(self._said)


class Confirm(Dialog[bool]):
    """Yes or no; Enter is no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "agree", "yes", show=False),
        Binding("n,enter,q", "refuse", "no", show=False),
    ]

    def __init__(self, title: str, said: Sequence[str]) -> None:
        super().__init__()
        self._title, self._said = title, said

    def compose(self) -> ComposeResult:
        """Title, what happens, the keys."""
        keys: Line = (
            Span("y", Role.STRONG),
            Span(" yes    "),
            Span(" n no ", Role.CURSOR),
            Span("  (Enter: no)", Role.DIM),
        )
        title: Line = (Span(self._title, Role.TITLE),)
        with Vertical():
            yield _Text([title, (), *_paragraphs(self._said), (), keys], 18)

    def action_agree(self) -> None:
        """Do it."""
        self.dismiss(True)


class ConfirmByName(Dialog[bool]):
    """What cannot be undone: the name is typed. Enter with anything else does nothing."""

    def __init__(self, title: str, said: Sequence[str], name: str) -> None:
        super().__init__()
        self._title, self._said, self._wanted = title, said, name

    def compose(self) -> ComposeResult:
        """Title, what is lost, the line to type into."""
        title: Line = (Span(self._title, Role.BAD),)
        asked: Line = (
            Span("Type "),
            Span(self._wanted, Role.STRONG),
            Span(" and Enter to do it; Esc leaves everything as it is."),
        )
        with Vertical():
            yield _Text([title, (), *_paragraphs(self._said), ()], 16)
            yield _Text([asked])
            yield Typed()
            yield _Text([()])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do it when the name is right."""
        if event.value.strip() == self._wanted:
            self.dismiss(True)
        else:
            self.query(_Text).last().show([(Span("That is not the name. Nothing was done.", Role.WARN),)])


class Option(NamedTuple):
    """One thing to choose."""

    key: str
    label: str
    hint: str = ""


class Choose(Dialog[str]):
    """One of several."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move('up')", "up", show=False),
        Binding("down,j", "move('down')", "down", show=False),
        Binding("pageup", "move('page_up')", "page up", show=False),
        Binding("pagedown", "move('page_down')", "page down", show=False),
        Binding("enter", "choose", "choose", show=False),
        Binding("q", "refuse", "cancel", show=False),
    ]

    def __init__(self, title: str, options: Sequence[Option], at: str = "") -> None:
        super().__init__()
        self._title, self._options, self._first = title, options, at

    def compose(self) -> ComposeResult:
        """A table of what there is."""
        columns = [
            Column[Option]("choice", "choice", 24, lambda one: Span(one.label), lambda one: one.label),
            Column[Option](
                "hint", "", 20, lambda one: Span(one.hint, Role.DIM), lambda one: one.hint, grow=True
            ),
        ]
        with Vertical():
            table = Table[Option](self._title, columns, lambda one: one.key)
            table.styles.height = min(len(self._options) + 2, 18)
            yield table

    def on_mount(self) -> None:
        """Show the options."""
        table = self.query_one(Table)
        table.show(self._options)
        table.go_to(self._first)
        table.focus()

    def action_move(self, step: str) -> None:
        """Move the cursor."""
        self.query_one(Table).move(Move(step))

    def action_choose(self) -> None:
        """Take what the cursor is on."""
        self.dismiss(self.query_one(Table).value() or None)

    def on_table_opened(self, event: "Table.Opened") -> None:
        """A click on the chosen row takes it."""
        self.action_choose()


class Asked(NamedTuple):
    """A field of a form."""

    key: str
    label: str
    value: str = ""
    hint: str = ""


Answers = tuple[tuple[str, str], ...]


class Form(Dialog[Answers]):
    """A few fields; `judge` returns what is wrong by field."""

    DEFAULT_CSS = "Form > Vertical { overflow-y: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,down", "app.focus_next", "next", show=False),
        Binding("shift+tab,up", "app.focus_previous", "previous", show=False),
    ]

    def __init__(
        self, title: str, fields: Sequence[Asked], judge: Callable[[Answers], Answers] = lambda _: ()
    ) -> None:
        super().__init__()
        self._title, self._fields, self._judge = title, fields, judge

    def compose(self) -> ComposeResult:
        """The fields below each other."""
        with Vertical():
            yield _Text([(Span(self._title, Role.TITLE),), ()])
            for key, label, value, hint in self._fields:
                yield Field(key, label, value, hint)
            yield _Text([(Span("Enter: next field, on the last one done.  Esc: cancel", Role.DIM),)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The next field, or done when nothing is wrong."""
        fields = list(self.query(Field))
        place = next(place for place, field in enumerate(fields) if field is event.input.parent)
        if place + 1 < len(fields):
            fields[place + 1].query_one(Typed).focus()
            return
        answers = tuple((field.key, field.value.strip()) for field in fields)
        wrong = dict(self._judge(answers))
        for field in fields:
            field.complain(wrong.get(field.key, ""))
        if not wrong:
            self.dismiss(answers)
        else:
            next(field for field in fields if field.key in wrong).query_one(Typed).focus()

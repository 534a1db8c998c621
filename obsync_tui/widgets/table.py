"""A table of live rows: only what is visible is drawn, only what changed is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.message import Message

from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.terminal.symbols import UNICODE, Symbols
from obsync_tui.widgets.filtering import Filter, read_filter
from obsync_tui.widgets.painting import STYLES, clean, fitted
from obsync_tui.widgets.pane import Move, Pane

T = TypeVar("T")
_HEAD = 2
# Cells of the name under the cursor that the title shows where its column cuts it.
_NAMED = 40
# What growing columns get before columns of lesser worth are shown.
_ROOM = 20


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: `width` in cells, `grow` takes what is left, `wide` is shown on request or where there is room.

    `group`: rows in the table's own order are grouped by it, and its text stands at a group's first row only. Columns
    that group come first, the outer group before the inner one.
    """

    id: str
    title: str
    width: int
    cell: Callable[[T], Span]
    order: Callable[[T], float | str]
    right: bool = False
    grow: bool = False
    wide: bool = False
    group: bool = False


class Table(Pane, Generic[T]):
    """Rows of items with a title, column heads, a cursor that stays on its item, marks, a filter and an order."""

    class Opened(Message):
        """The item under the cursor was chosen."""

        def __init__(self, table: "Table[T]", key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

    class Moved(Message):
        """The cursor stands on another item."""

        def __init__(self, table: "Table[T]", key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

    def __init__(
        self,
        title: str,
        columns: Sequence[Column[T]],
        key: Callable[[T], str],
        *,
        id: str | None = None,
        symbols: Symbols = UNICODE,
        sort: str = "",
        empty: str = "nothing here yet",
        text: Callable[[T], str] | None = None,
    ) -> None:
        """`text` is what a filter looks at, by default all cells; of thousands of items it has to be quick."""
        super().__init__(id=id)
        self.title, self.empty, self.symbols = title, empty, symbols
        self._columns, self._key, self._text = list(columns), key, text
        self._items: dict[str, T] = {}
        self._shown: list[str] = []
        self._sort = next((column for column in columns if column.id == sort), columns[0])
        self._inverted = self._sorted_by_user = False
        self._filter = Filter()
        self._at = ""
        self._top = 0
        self.marks: set[str] = set()
        self.wide = False
        self.is_stale = False

    # What is in it

    def show(self, items: Sequence[T], stale: bool = False) -> None:
        """Show these items; a stale table is dimmed."""
        self._items = {self._key(item): item for item in items}
        self.marks &= self._items.keys()
        self.is_stale = stale
        self._arrange()

    @property
    def current(self) -> T | None:
        """The item under the cursor."""
        return self._items.get(self._at)

    @property
    def shown(self) -> list[T]:
        """The items in their order, as filtered."""
        return [self._items[key] for key in self._shown]

    @property
    def chosen(self) -> list[T]:
        """The marked items, else the one under the cursor."""
        marked = [self._items[key] for key in self._shown if key in self.marks]
        return marked or ([self._items[self._at]] if self._at in self._items else [])

    def _arrange(self) -> None:
        keys = [key for key, item in self._items.items() if not self._filter.text or self._keeps(item)]
        if self._sorted_by_user or self._sort is not self._columns[0] or self._inverted:
            keys.sort(key=lambda key: _ordered(self._sort.order(self._items[key])), reverse=self._inverted)
        before, moved = self._shown, self._at
        self._shown = keys
        if self._at not in set(keys):
            place = before.index(self._at) if self._at in before else 0
            self._at = keys[min(place, len(keys) - 1)] if keys else ""
        self._follow()
        self.repaint()
        if self._at != moved:
            self.post_message(self.Moved(self, self._at))

    def _keeps(self, item: T) -> bool:
        if self._text is not None:
            return self._filter.keeps(self._text(item))
        return self._filter.keeps(" ".join(column.cell(item).text for column in self._columns))

    # What the keyboard does to it

    def move(self, step: Move) -> None:
        """Move the cursor by a row, a page or to an end."""
        if not self._shown:
            return
        page = max(self.size.height - _HEAD - 1, 1)
        steps = {Move.UP: -1, Move.DOWN: 1, Move.PAGE_UP: -page, Move.PAGE_DOWN: page}
        last = len(self._shown) - 1
        place = self._place() + steps.get(step, 0)
        place = 0 if step is Move.HOME else last if step is Move.END else min(max(place, 0), last)
        self.go_to(self._shown[place])

    def go_to(self, key: str) -> None:
        """Put the cursor on an item that is shown."""
        if key == self._at or key not in self._items:
            return
        self._at = key
        self._follow()
        self.repaint()
        self.post_message(self.Moved(self, key))

    def narrow(self, pattern: str) -> str:
        """Show only rows that match; returns what is wrong with the pattern."""
        self._filter, wrong = read_filter(pattern)
        self._arrange()
        return wrong

    def find(self, forward: bool) -> bool:
        """With a filter every row is a match: the next row."""
        if not self._filter.text or not self._shown:
            return False
        self.move(Move.DOWN if forward else Move.UP)
        return True

    def mark(self) -> None:
        """Mark the item or take its mark away, and go on to the next."""
        if self._at:
            self.marks ^= {self._at}
            self.move(Move.DOWN)
            self.repaint()

    def mark_all(self) -> None:
        """Mark all shown items, or none when all are marked."""
        self.marks = set() if self.marks >= set(self._shown) else set(self._shown)
        self.repaint()

    def sort_next(self, step: int) -> None:
        """Order by the next column to the right (1) or left (-1)."""
        columns = self._visible()
        place = columns.index(self._sort) if self._sort in columns else 0
        self._sort, self._sorted_by_user = columns[(place + step) % len(columns)], True
        self._arrange()

    def invert(self) -> None:
        """Turn the order round."""
        self._inverted, self._sorted_by_user = not self._inverted, True
        self._arrange()

    def toggle_wide(self) -> None:
        """Show or hide the columns that need room."""
        self.wide = not self.wide
        self.repaint()

    def value(self) -> str:
        """The item's key."""
        return self._at

    def record(self) -> dict[str, str]:
        """The item's cells by column."""
        item = self.current
        return {} if item is None else {column.id: column.cell(item).text.strip() for column in self._columns}

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """All columns of the items as filtered."""
        rows = [[column.cell(item).text.strip() for column in self._columns] for item in self.shown]
        return [column.id for column in self._columns], rows

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; a second one on the same row opens it."""
        place = event.y - _HEAD + self._top
        if event.y >= _HEAD and place < len(self._shown):
            if self._shown[place] == self._at:
                self.open()
            self.go_to(self._shown[place])

    def open(self) -> None:
        """Tell the owner that the item was chosen."""
        if self._at:
            self.post_message(self.Opened(self, self._at))

    # How it is drawn

    def line_at(self, y: int) -> Line:
        """Title, heads, rows."""
        if y == 0:
            return self._title_line()
        if y == 1:
            return self._head_line()
        place = y - _HEAD + self._top
        if place >= len(self._shown):
            return (Span("  " + self._nothing(), Role.DIM),) if not self._shown and y == _HEAD else ()
        key = self._shown[place]
        item = self._items[key]
        sign = self.symbols.cursor if key == self._at else " "
        mark = self.symbols.mark if key in self.marks else " "
        spans = [Span(sign + mark)]
        said = self._said_above(place)
        for column, width in self._widths():
            cell = Span("") if column.id in said else column.cell(item)
            text = fitted(cell.text, width, self.symbols.cut, column.right)
            spans += [Span(text, Role.DIM if self.is_stale else cell.role), Span(" ")]
        return tuple(spans)

    def _said_above(self, place: int) -> Sequence[str]:
        """The columns whose group goes on from the row above; none on the first row in sight, or in another order."""
        said: list[str] = []
        if place == self._top or self._sort is not self._columns[0]:
            return said
        item, above = self._items[self._shown[place]], self._items[self._shown[place - 1]]
        for column in self._columns:
            if not column.group or column.cell(item).text != column.cell(above).text:
                break
            said.append(column.id)
        return said

    def ground_at(self, y: int) -> Style:
        """The row of the cursor is reversed while the keys go here, so that it shows without colour."""
        place = y - _HEAD + self._top
        on_cursor = y >= _HEAD and place < len(self._shown) and self._shown[place] == self._at
        return self.rich_style + STYLES[Role.CURSOR] if on_cursor and self.has_focus else self.rich_style

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        self._follow()

    def _nothing(self) -> str:
        return (
            "nothing matches the filter; Esc clears it" if self._items and self._filter.text else self.empty
        )

    def _title_line(self) -> Line:
        count = f"{len(self._shown)} of {len(self._items)}" if self._filter.text else str(len(self._items))
        typed = ("!" if self._filter.inverted else "") + self._filter.text
        filtered = f"  /{typed}" if typed else ""
        filtered += f"  {clean(self._at, _NAMED)[:_NAMED]}" if self._is_cut() else ""
        marked = f"  {len(self.marks)} marked" if self.marks else ""
        left = f"{self.symbols.rule} {self.title} ({count}){filtered}{marked} "
        arrow = self.symbols.down if self._inverted else self.symbols.up
        right = f" sort {self._sort.title.strip()} {arrow} {self.symbols.rule}"
        room = self.size.width - cell_len(left) - len(right)
        return (
            Span(left, Role.TITLE),
            Span(self.symbols.rule * max(room, 1), Role.DIM),
            Span(right, Role.DIM),
        )

    def _is_cut(self) -> bool:
        """Whether the name under the cursor does not fit into its column."""
        column, width = self._widths()[0]
        item = self.current
        return item is not None and column.cell(item).text == self._at and cell_len(self._at) > width

    def _head_line(self) -> Line:
        heads = [
            fitted(column.title, width, self.symbols.cut, column.right) for column, width in self._widths()
        ]
        return (Span("  " + " ".join(heads), Role.DIM),)

    def _visible(self) -> list[Column[T]]:
        """The columns that fit, those of lesser worth left out from the right."""
        chosen = [column for column in self._columns if self.wide or not column.wide]
        if not self.wide:
            for column in (column for column in self._columns if column.wide):
                if self._needed([*chosen, column]) + _ROOM <= self.size.width:
                    chosen.append(column)
            chosen = [column for column in self._columns if column in chosen]
        while len(chosen) > 1 and self._needed(chosen) > self.size.width:
            chosen.pop()
        return chosen

    def _needed(self, columns: Sequence[Column[T]]) -> int:
        return 2 + sum(column.width + 1 for column in columns) - 1

    def _widths(self) -> list[tuple[Column[T], int]]:
        columns = self._visible()
        left = max(self.size.width - self._needed(columns), 0)
        growing = sum(column.grow for column in columns) or 1
        return [(column, column.width + (left // growing if column.grow else 0)) for column in columns]

    def _place(self) -> int:
        return self._shown.index(self._at) if self._at in self._shown else 0

    def _follow(self) -> None:
        """Scroll so that the cursor is seen, and no emptiness stands below the last row."""
        height = max(self.size.height - _HEAD, 1)
        place = self._place()
        top = min(self._top, max(len(self._shown) - height, 0))
        self._top = place if place < top else place - height + 1 if place >= top + height else top


def _ordered(value: float | str) -> tuple[bool, float, str]:
    """Numbers before texts, texts without regard to case."""
    return (True, 0.0, value.casefold()) if isinstance(value, str) else (False, value, "")

"""A text that scrolls: help, a file, a diff, a description; search, wrap, copy."""

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len

from obsync_tui.presenters.spans import Line, Role, Span, plain
from obsync_tui.terminal.symbols import UNICODE, Symbols
from obsync_tui.widgets.filtering import Filter, read_filter
from obsync_tui.widgets.painting import clean
from obsync_tui.widgets.pane import Move, Pane

_SIDEWAYS = 16
_LONGEST = 4000


class TextPane(Pane):
    """Lines with a title; long ones are cut unless wrapped."""

    def __init__(self, title: str = "", *, id: str | None = None, symbols: Symbols = UNICODE) -> None:
        super().__init__(id=id)
        self.title, self.symbols = title, symbols
        self.is_wrapped = False
        self.search = Filter()
        self._lines: Sequence[Line] = ()
        self._rows: list[Line] = []
        self._top = self._left = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines; the place is kept as far as it still exists."""
        self._lines = lines
        self._lay()

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown, before wrapping."""
        return self._lines

    @property
    def height_of_text(self) -> int:
        """Rows below the title."""
        return max(self.size.height - (1 if self.title else 0), 1)

    @property
    def last_top(self) -> int:
        """The scroll position that shows the end."""
        return max(len(self._rows) - self.height_of_text, 0)

    def _lay(self) -> None:
        width = self.size.width
        if self.is_wrapped and width > 0:
            self._rows = [row for line in self._lines for row in wrapped(line, width)]
        else:
            self._rows = list(self._lines)
        self._top = min(self._top, self.last_top)
        self.repaint()

    def move(self, step: Move) -> None:
        """Scroll."""
        page = max(self.height_of_text - 1, 1)
        steps = {Move.UP: -1, Move.DOWN: 1, Move.PAGE_UP: -page, Move.PAGE_DOWN: page}
        top = self._top + steps.get(step, 0)
        top = 0 if step is Move.HOME else self.last_top if step is Move.END else top
        self._top = min(max(top, 0), self.last_top)
        if step in (Move.LEFT, Move.RIGHT) and not self.is_wrapped:
            self._left = max(self._left + (_SIDEWAYS if step is Move.RIGHT else -_SIDEWAYS), 0)
        self.repaint()

    def narrow(self, pattern: str) -> str:
        """Search: matching lines stand out, and the first one from here on comes into sight."""
        self.search, wrong = read_filter(pattern)
        if self.search.text and not self._matches(self._top):
            self.find(True)
        self.repaint()
        return wrong

    def find(self, forward: bool) -> bool:
        """Scroll to the next or previous match."""
        if not self.search.text:
            return False
        places = range(self._top + 1, len(self._rows)) if forward else range(self._top - 1, -1, -1)
        found = next((place for place in places if self._matches(place)), None)
        if found is not None:
            self._top = min(found, self.last_top)
            self.repaint()
        return found is not None

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.is_wrapped, self._left = not self.is_wrapped, 0
        self._lay()

    def value(self) -> str:
        """The line at the top."""
        return plain(self._rows[self._top]) if self._rows else ""

    def whole(self) -> str:
        """The whole text, as it is pasted elsewhere."""
        return "\n".join(plain(line) for line in self._lines)

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """One row a line."""
        return ["line"], [[plain(line)] for line in self._lines]

    def line_at(self, y: int) -> Line:
        """The title, then the text."""
        if self.title and y == 0:
            return self._title_line()
        place = self._top + y - (1 if self.title else 0)
        if place >= len(self._rows):
            return ()
        row = self._rows[place]
        if self._left:
            row = shifted(row, self._left)
        if self.search.text and self.search.keeps(plain(self._rows[place])):
            return tuple(Span(part.text, Role.WARN) for part in row)
        return row

    def on_resize(self) -> None:
        """Wrap anew."""
        self._lay()

    def _matches(self, place: int) -> bool:
        return place < len(self._rows) and self.search.keeps(plain(self._rows[place]))

    def _title_line(self) -> Line:
        searched = f"  /{self.search.text}" if self.search.text else ""
        left = f"{self.symbols.rule} {self.title}{searched} "
        last = min(self._top + self.height_of_text, len(self._rows))
        right = f" {last} of {len(self._rows)} {self.symbols.rule}" if self.last_top else ""
        room = self.size.width - cell_len(left) - len(right)
        return (
            Span(left, Role.TITLE),
            Span(self.symbols.rule * max(room, 1), Role.DIM),
            Span(right, Role.DIM),
        )


def wrapped(line: Line, width: int) -> list[Line]:
    """The line in rows of at most `width` cells, broken at blanks where there are some.

    What exceeds 4,000 characters is counted and left out.
    """
    characters = [(character, role) for text, role in line for character in clean(text[:_LONGEST], _LONGEST)]
    over = sum(len(text) for text, _ in line) - _LONGEST
    if over > 0:
        characters = characters[:_LONGEST] + [(one, Role.DIM) for one in f" ... {over} characters more"]
    rows: list[Line] = []
    start = size = place = 0
    while place < len(characters):
        size += cell_len(characters[place][0])
        if size <= width:
            place += 1
            continue
        blank = max((at for at in range(start, place + 1) if characters[at][0] == " "), default=start)
        end = blank if blank > start else max(place, start + 1)
        rows.append(_joined(characters[start:end]))
        start = place = end + 1 if end == blank else end
        size = 0
    rows.append(_joined(characters[start:]))
    return rows


def _joined(characters: Sequence[tuple[str, Role]]) -> Line:
    """Characters of one role next to each other as one span."""
    groups = groupby(characters, lambda one: one[1])
    return tuple(Span("".join(character for character, _ in group), role) for role, group in groups)


def shifted(line: Line, left: int) -> Line:
    """The line without its first `left` characters."""
    rest = []
    for text, role in line:
        rest.append(Span(text[left:], role))
        left = max(left - len(text), 0)
    return tuple(rest)

"""A log that follows its end: lines come as they like, painting is the owner's beat."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.terminal.symbols import UNICODE, Symbols
from obsync_tui.widgets.pane import Move
from obsync_tui.widgets.text_pane import TextPane


class LogTail(TextPane):
    """Keeps the newest `keep` lines. `add` paints nothing; `flush` paints once whatever has come since."""

    def __init__(
        self, title: str, *, id: str | None = None, symbols: Symbols = UNICODE, keep: int = 5000
    ) -> None:
        super().__init__(title, id=id, symbols=symbols)
        self._kept: deque[Line] = deque(maxlen=keep)
        self._has_news = False
        self.is_following = True
        self.skipped = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Take lines in; those that fall out at the other end are counted."""
        self.skipped += max(len(self._kept) + len(lines) - (self._kept.maxlen or 0), 0)
        self._kept.extend(islice(lines, max(len(lines) - (self._kept.maxlen or 0), 0), None))
        self._has_news = self._has_news or bool(lines)

    @property
    def is_at_top(self) -> bool:
        """Whether the first line is in sight."""
        return self._top == 0

    @property
    def count(self) -> int:
        """How many lines are kept."""
        return len(self._kept)

    @property
    def has_room(self) -> bool:
        """Whether older lines can be taken in."""
        return len(self._kept) < (self._kept.maxlen or 0)

    def add_before(self, lines: Sequence[Line]) -> None:
        """Take older lines in, as far as there is room; the lines in sight stay in sight."""
        room = (self._kept.maxlen or 0) - len(self._kept)
        taken = lines[max(len(lines) - room, 0) :] if room > 0 else []
        self._kept.extendleft(reversed(taken))
        self._has_news = self._has_news or bool(taken)
        before = len(self._rows)
        self.flush()
        if taken and not self.is_following:
            self._top += len(self._rows) - before

    def clear(self) -> None:
        """Forget all lines."""
        self._kept.clear()
        self.skipped, self._has_news = 0, True
        self.flush()

    def flush(self) -> None:
        """Paint what has come: the end when following, else the same place."""
        if not self._has_news:
            return
        self._has_news = False
        first = [(Span(f"... {self.skipped} lines skipped", Role.DIM),)] if self.skipped else []
        self.show([*first, *self._kept])

    def _lay(self) -> None:
        """The end stays in sight while it is followed, wrapped or not, in any size."""
        super()._lay()
        if self.is_following:
            self._top = self.last_top

    def move(self, step: Move) -> None:
        """Scrolling up stops following, reaching the end starts it."""
        super().move(step)
        self.is_following = self._top >= self.last_top

    def toggle_follow(self) -> None:
        """Follow the end, or stay."""
        self.is_following = not self.is_following
        if self.is_following:
            super().move(Move.END)

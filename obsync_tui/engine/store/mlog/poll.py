"""One poll after another: which logs have changes, in windows that fit in memory."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from time import monotonic

from obsync_tui.engine.store.mlog.guard import Guard
from obsync_tui.engine.store.mlog.reading import LogReader
from obsync_tui.engine.store.mlog.rows import LogRow
from obsync_tui.engine.store.mlog.statements import ViewLog
from obsync_tui.engine.store.mlog.windows import SECOND, WINDOW_ROWS, windows

# After a longer absence the rows are counted before they are read.
_BACKLOG_SCN = 10 * SECOND
# Logs that had no rows for so long are only counted, many by one statement.
_WARM_S = 5.0
_FEW = 2


class Poll:
    """Reads what was committed behind `last_scn`; the caller moves it.

    `held` counts the rows in each log, by its place, since it was last purged.
    """

    def __init__(self, reader: LogReader, guard: Guard, logs: Sequence[ViewLog], last_scn: int) -> None:
        self.last_scn = last_scn
        self.held: Counter[int] = Counter()
        self.caught_up = False
        self._reader = reader
        self._guard = guard
        self._places = range(len(logs))
        self._warm_s: dict[int, float] = {}

    def bounds(self, upto_scn: int) -> Iterator[tuple[int, int | None]]:
        """Upper bounds of the windows to read now, with their rows where those were counted."""
        if self._places and (not self.caught_up or upto_scn - self.last_scn > _BACKLOG_SCN):
            yield from windows(self._reader.histogram, self.last_scn, upto_scn)
        else:
            yield upto_scn, None

    def rows(self, bound_scn: int, expected: int | None) -> Iterable[LogRow] | None:
        """The rows up to a bound, in order; None when our own purge, which runs, may have taken some.

        Raises LogGap before, or at the end, when some may be missing.
        """
        if expected and expected > WINDOW_ROWS:
            # Its first rows are handed over before it is read to its end.
            return None if self._guard.purging else self._one_transaction(bound_scn)
        places = self._changed(bound_scn) if expected is None else self._places if expected else ()
        rows = self._reader.changes(places, self.last_scn, bound_scn)
        if not self._guard.check(self.last_scn):
            return None
        counts = Counter(map(itemgetter(1), rows))
        self.held.update(counts)
        now_s = monotonic()
        self._warm_s.update(dict.fromkeys(counts, now_s))
        # So many in one poll may be more at the next.
        self.caught_up = len(rows) < WINDOW_ROWS // 2
        return rows

    def _changed(self, bound_scn: int) -> list[int]:
        if len(self._places) <= _FEW:
            return list(self._places)
        warm_s = monotonic() - _WARM_S
        cold = [place for place in self._places if self._warm_s.get(place, 0.0) < warm_s]
        counts = self._reader.counts(cold, self.last_scn, bound_scn)
        return [place for place in self._places if counts.get(place, 1)]

    def _one_transaction(self, scn: int) -> Iterator[LogRow]:
        for row in self._reader.one_transaction(self._places, scn):
            self.held[row[1]] += 1
            yield row
        self._guard.check(self.last_scn)

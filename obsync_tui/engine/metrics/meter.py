"""Counters of one run, written by its threads and read once a second."""

import os
import threading
from collections import deque
from time import monotonic, time

import msgspec

from obsync_tui.model.table import TableName

_WINDOW_S = 5.0
_WAITS_S = 5.0
# Commit times of MySQL 5.7 are whole seconds.
_FRESH_S = 3.0
_SHORTEST_S = 0.2
_MEMORY_AGE_S = 0.5
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Rates(msgspec.Struct, frozen=True):
    """What passes in a second, over the last seconds; `commit_s` is how long a commit took on average, None without."""

    read_rows: float = 0.0
    read_bytes: float = 0.0
    rows: float = 0.0
    bytes: float = 0.0
    commit_s: float | None = None


class _Counts(msgspec.Struct, frozen=True):
    at_s: float
    read_rows: int
    read_bytes: int
    rows: int
    bytes: int
    commits: int
    commit_s: float


class TableCount:
    """What of one table passed the Connector in this run; written by its thread, per group of rows.

    Rows of chunks are not among `changes`. A change that is read again after an error counts again.
    """

    __slots__ = ("changed_us", "changes")

    def __init__(self) -> None:
        self.changes = 0
        self.changed_us = 0


TableCounts = dict[TableName, TableCount]


class Meter:
    """What the threads of a run count.

    Each field has one writer. `drained`: what was read last left nothing waiting. `behind_transactions` are those of
    the source that were not committed at the last look, None where it does not count them. Commit times are UTC epoch
    microseconds, `…_at_s` when a figure was taken.
    """

    def __init__(self) -> None:
        self.read_rows = self.read_bytes = 0
        self.acknowledged_rows = self.acknowledged_bytes = 0
        self.again_rows = self.again_bytes = 0
        self.messages = self.commits = self.restarts = 0
        self.commit_s = 0.0
        self.read_commit_us = self.acknowledged_commit_us = 0
        self.read_at_s = self.acknowledged_at_s = 0.0
        self.drained = False
        self.behind_transactions: int | None = None
        self.behind_at_s = 0.0
        self.clock_offset_s: float | None = None
        self.purge_left_s: float | None = None
        self.log_fill = self.message_fill = 0.0
        self.tables: TableCounts = {}
        self._window: deque[_Counts] = deque()
        self._mutex = threading.Lock()

    def read(self, rows: int, size_bytes: int, commit_us: int) -> None:
        """Row changes came out of the Connector."""
        self.read_rows += rows
        self.read_bytes += size_bytes
        if commit_us:
            self.read_commit_us, self.read_at_s = commit_us, time()

    def acknowledged(self, rows: int, size_bytes: int, messages: int, commit_us: int) -> None:
        """A commit covers these."""
        self.acknowledged_rows += rows
        self.acknowledged_bytes += size_bytes
        self.messages += messages
        self.commits += 1
        if commit_us:
            self.acknowledged_commit_us, self.acknowledged_at_s = commit_us, time()

    def wrote(self, duration_s: float) -> None:
        """A commit took so long."""
        self.commit_s += duration_s

    def restart(self) -> None:
        """An attempt failed."""
        self.restarts += 1
        self.rewind()

    def rewind(self) -> None:
        """What was read but not acknowledged is read again."""
        self.log_fill = self.message_fill = 0.0
        with self._mutex:
            self.again_rows += self.read_rows - self.acknowledged_rows
            self.again_bytes += self.read_bytes - self.acknowledged_bytes
            self.read_rows, self.read_bytes = self.acknowledged_rows, self.acknowledged_bytes

    @property
    def all_read_rows(self) -> int:
        """Row changes read, those that were read again counted again: it never falls."""
        with self._mutex:
            return self.read_rows + self.again_rows

    @property
    def all_read_bytes(self) -> int:
        """Bytes read, counted as `all_read_rows`."""
        with self._mutex:
            return self.read_bytes + self.again_bytes

    def rates(self) -> Rates:
        """The rates over the last seconds; from any thread."""
        now = _Counts(
            monotonic(),
            self.all_read_rows,
            self.all_read_bytes,
            self.acknowledged_rows,
            self.acknowledged_bytes,
            self.commits,
            self.commit_s,
        )
        with self._mutex:
            window = self._window
            if not window or now.at_s - window[-1].at_s >= _SHORTEST_S:
                window.append(now)
            while len(window) > 2 and window[0].at_s < now.at_s - _WINDOW_S:
                window.popleft()
            since = window[0]
        passed_s = now.at_s - since.at_s
        if passed_s < _SHORTEST_S:
            return Rates()
        commits = now.commits - since.commits
        return Rates(
            max(0, now.read_rows - since.read_rows) / passed_s,
            max(0, now.read_bytes - since.read_bytes) / passed_s,
            (now.rows - since.rows) / passed_s,
            (now.bytes - since.bytes) / passed_s,
            (now.commit_s - since.commit_s) / commits if commits else None,
        )

    @property
    def caught_up(self) -> bool:
        """Whether all that the source has is read: nothing waits here, and what came last was new, or is all there is.

        Nothing ever waits here behind a slow link or a slow log service.
        """
        if not self.drained or not self.read_commit_us or not self.behind_transactions:
            return self.drained
        return self.read_at_s + (self.clock_offset_s or 0.0) - self.read_commit_us / 1e6 < _FRESH_S

    def lags(self) -> tuple[float | None, float | None]:
        """Source lag and delivery lag in seconds, by this host's clock corrected by the source's; 0 when caught up."""
        now_us = (time() + (self.clock_offset_s or 0.0)) * 1e6
        source = (now_us - self.read_commit_us) / 1e6 if self.read_commit_us else None
        delivery = (now_us - self.acknowledged_commit_us) / 1e6 if self.acknowledged_commit_us else None
        if self.caught_up:
            source = 0.0 if source is not None else None
            if self.acknowledged_rows >= self.read_rows:
                delivery = 0.0 if delivery is not None else None
        return source, delivery

    @property
    def backlog_rows(self) -> int:
        """Rows that are read and not acknowledged."""
        return max(0, self.read_rows - self.acknowledged_rows)

    def bottleneck(self) -> str:
        """The slowest component, from how full the queues on its two sides are.

        Rows that nobody acknowledges for a while, with no more to read, are with the sink.
        """
        waits = self.caught_up and self.backlog_rows and time() - self.acknowledged_at_s > _WAITS_S
        if self.message_fill >= 0.5 or waits:
            return "sink"
        if self.log_fill >= 0.5:
            return "connector"
        return "source" if not self.caught_up and self.read_rows else ""


class _Memory:
    """Asks the kernel once a moment: it is asked for by every run at once."""

    def __init__(self) -> None:
        self._file = -1
        self._bytes = 0
        self._asked_s = float("-inf")

    def resident_bytes(self) -> int:
        """This process's resident memory (proc(5), statm), half a second old at most."""
        if monotonic() - self._asked_s >= _MEMORY_AGE_S:
            self._asked_s = monotonic()
            try:
                if self._file < 0:
                    self._file = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
                # One call: each gives the interpreter away, and busy threads give it back milliseconds later.
                self._bytes = int(os.pread(self._file, 200, 0).split()[1]) * _PAGE_BYTES
            except OSError:
                self._bytes = 0
        return self._bytes


rss_bytes = _Memory().resident_bytes

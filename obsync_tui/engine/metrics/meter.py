"""Counters of one run, written by its threads and read once a second."""

import os
from collections import deque
from pathlib import Path
from time import monotonic, time

_WINDOW_S = 5.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Meter:
    """What the threads of a run count.

    Each field has one writer. Commit times are UTC epoch microseconds, `…_at_s` when a figure was taken.
    """

    def __init__(self) -> None:
        self.read_rows = self.read_bytes = 0
        self.acknowledged_rows = self.acknowledged_bytes = 0
        self.messages = self.commits = self.restarts = 0
        self.read_commit_us = self.acknowledged_commit_us = 0
        self.read_at_s = self.acknowledged_at_s = 0.0
        self.caught_up = False
        self.behind_transactions: int | None = None
        self.behind_at_s = 0.0
        self.clock_offset_s: float | None = None
        self.purge_left_s: float | None = None
        self.source_busy = self.connector_busy = self.sink_busy = 0.0
        self.log_fill = self.message_fill = 0.0
        self._window: deque[tuple[float, int, int]] = deque()

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

    def restart(self) -> None:
        """What was read but not acknowledged is read again."""
        self.restarts += 1
        self.read_rows, self.read_bytes = self.acknowledged_rows, self.acknowledged_bytes

    def rates(self) -> tuple[float, float]:
        """Acknowledged rows and bytes per second over the last seconds."""
        now = monotonic()
        self._window.append((now, self.acknowledged_rows, self.acknowledged_bytes))
        while len(self._window) > 2 and self._window[0][0] < now - _WINDOW_S:
            self._window.popleft()
        since, rows, size_bytes = self._window[0]
        if now - since < 0.2:
            return 0.0, 0.0
        return (self.acknowledged_rows - rows) / (now - since), (self.acknowledged_bytes - size_bytes) / (
            now - since
        )

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

    def bottleneck(self) -> str:
        """The slowest component, from how full the queues on its two sides are."""
        if self.message_fill >= 0.5:
            return "sink"
        if self.log_fill >= 0.5:
            return "connector"
        return "source" if not self.caught_up and self.read_rows else ""


def rss_bytes() -> int:
    """This process's resident memory (proc(5), statm)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0

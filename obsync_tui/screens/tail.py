"""The past of a project's figures for its charts, over a span that the user chooses."""

from collections import deque
from typing import NamedTuple

from obsync_tui.model.metrics import Status
from obsync_tui.presenters.sparks import buckets
from obsync_tui.screens.client import ConsoleClient

_POINTS = 150


class ChartSpan(NamedTuple):
    """A stretch of time up to now."""

    name: str
    seconds: int


SPANS = (ChartSpan("5 min", 300), ChartSpan("1 h", 3600), ChartSpan("1 day", 86400))


class Tail:
    """What was seen while the view is open."""

    def __init__(self) -> None:
        self.span = 0
        self._latency: deque[tuple[float, float]] = deque(maxlen=4000)
        self._rate: deque[tuple[float, float]] = deque(maxlen=4000)

    @property
    def has_points(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self._rate)

    def next_span(self) -> None:
        """The next span."""
        self.span = (self.span + 1) % len(SPANS)

    def add(self, status: Status) -> None:
        """The figures of a moment."""
        if self._rate and self._rate[-1][0] >= status.at_s:
            return
        self._rate.append((status.at_s, status.rows_per_s))
        if status.delivery_lag_s is not None:
            self._latency.append((status.at_s, max(status.delivery_lag_s, 0.0)))

    async def fetch(self, client: ConsoleClient, project: str, now_s: float) -> None:
        """Ask for what was before the view was opened."""

    def latency(self, now_s: float) -> list[float | None]:
        """Seconds of delivery latency over the span."""
        return buckets(self._latency, now_s - SPANS[self.span].seconds, now_s, _POINTS)

    def rate(self, now_s: float) -> list[float | None]:
        """Rows per second over the span."""
        return buckets(self._rate, now_s - SPANS[self.span].seconds, now_s, _POINTS)

"""The past of a project's figures for its charts, over a span that the user chooses."""

from typing import NamedTuple

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model.history import Metric, MetricSeries
from obsync_tui.screens.client import ConsoleClient

_POINTS = 150


class ChartSpan(NamedTuple):
    """A stretch of time up to now, and after how many seconds it is asked for again."""

    name: str
    seconds: int
    every_s: float


SPANS = (ChartSpan("5 min", 300, 1.0), ChartSpan("1 h", 3600, 10.0), ChartSpan("1 day", 86400, 60.0))


class Tail:
    """Some metrics of a project over the span; the engine keeps them, this only asks."""

    def __init__(self, project: str, metrics: tuple[Metric, ...]) -> None:
        self._project, self._metrics = project, metrics
        self._place = 0
        self._asked_s = 0.0
        self._series: MetricSeries | None = None

    @property
    def span(self) -> ChartSpan:
        """The span."""
        return SPANS[self._place]

    def next_span(self) -> None:
        """The next span."""
        self._place = (self._place + 1) % len(SPANS)
        self._asked_s = 0.0

    async def fetch(self, client: ConsoleClient, now_s: float) -> None:
        """Ask for the span unless what is known is new enough."""
        if now_s - self._asked_s < self.span.every_s * 0.9:
            return
        self._asked_s = now_s
        names = ",".join(self._metrics)
        request = ask.Metrics(self._project, now_s - self.span.seconds, now_s, names, _POINTS)
        self._series = await client.call(api.METRICS, request)

    @property
    def has_points(self) -> bool:
        """Whether there is anything to draw."""
        return any(value is not None for metric in self._metrics for value in self.values(metric))

    def values(self, metric: Metric) -> tuple[float | None, ...]:
        """A metric over the span, oldest first."""
        series = self._series
        if series is None or metric not in series.names:
            return ()
        return series.values[series.names.index(metric)]

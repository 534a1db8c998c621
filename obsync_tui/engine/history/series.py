"""Points of a tier made into values at equal steps."""

from array import array
from collections.abc import Mapping
from math import ceil

import msgspec

from obsync_tui.engine.history.chunks import NAMES, POINTS, Tier, combined
from obsync_tui.model.history import WORST, Metric

MAX_POINTS = 5000


class Window(msgspec.Struct, frozen=True):
    """Steps of equal length; the start is a multiple of the step."""

    start_s: int
    step_s: int
    count: int

    @classmethod
    def of(cls, from_s: float, to_s: float, step_s: int, max_points: int) -> "Window":
        """The steps that cover the time, but the oldest where they were too many."""
        start_s = int(from_s // step_s) * step_s
        count = max(0, ceil((to_s - start_s) / step_s)) if to_s > from_s else 0
        surplus = max(0, count - max_points)
        return cls(start_s + surplus * step_s, step_s, count - surplus)

    @property
    def end_s(self) -> int:
        """Where the last step ends."""
        return self.start_s + self.count * self.step_s


def sampled(
    chunks: Mapping[int, "array[float]"], tier: Tier, window: Window, name: Metric
) -> tuple[float | None, ...]:
    """A metric's value for each step: the worst or the mean of its points, None where there is none."""
    metric, worst = NAMES.index(name), name in WORST
    found: list[list[float]] = [[] for _ in range(window.count)]
    width = window.step_s // tier.step_s
    first = window.start_s // tier.step_s
    for number, chunk in chunks.items():
        offset = number * POINTS - first
        begin, end = max(0, -offset), min(POINTS, window.count * width - offset)
        while begin < end:
            step = (offset + begin) // width
            until = min(end, (step + 1) * width - offset)
            found[step] += chunk[metric * POINTS + begin : metric * POINTS + until]
            begin = until
    return tuple(_rounded(combined(values, worst)) for values in found)


def _rounded(value: float) -> float | None:
    """What a 32-bit float tells, without the digits that it does not; None for NaN."""
    return float(f"{value:.7g}") if value == value else None

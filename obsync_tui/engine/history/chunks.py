"""Packed points: a chunk is sixty points of every metric in one array of 32-bit floats, NaN where there is none.

A chunk holds its metrics one after the other, sixty floats each, so that a metric's points lie together. Times are
slots: seconds since the epoch divided by the tier's step; a chunk's number is its first slot divided by sixty. Where a
point lies follows from its time alone, so a clock that steps only makes later points replace earlier ones.
"""

from array import array
from collections.abc import Iterable, Sequence

import msgspec

from obsync_tui.model.history import WORST, Metric

NAMES = tuple(Metric)
POINTS = 60
NAN = float("nan")
_WORST = tuple(name in WORST for name in NAMES)
_EMPTY = array("f", (NAN,)) * (POINTS * len(NAMES))


class Tier(msgspec.Struct, frozen=True):
    """A resolution: seconds between points, and how many chunks of a project are kept."""

    step_s: int
    chunks: int

    @property
    def chunk_s(self) -> int:
        """How long a chunk lasts."""
        return self.step_s * POINTS

    def chunk_of(self, at_s: float) -> int:
        """The number of the chunk that holds a time."""
        return int(at_s // self.chunk_s)


# One more than the time asked for: the newest chunk is not full yet.
SECONDS = Tier(1, 60 + 1)
TENS = Tier(10, 6 * 24 + 1)
MINUTES = Tier(60, 24 * 14 + 1)


def new_chunk() -> "array[float]":
    """A chunk without points."""
    return _EMPTY[:]


def chunk_from(content: bytes) -> "array[float]":
    """A chunk as it was stored; metrics that were not kept then have no points."""
    chunk = new_chunk()
    stored = array("f")
    stored.frombytes(content[: len(chunk) * chunk.itemsize // 4 * 4])
    chunk[: len(stored)] = stored
    return chunk


def put(chunk: "array[float]", index: int, values: Sequence[float]) -> None:
    """Set the point at an index, 0 to 59: a value for each metric."""
    for metric, value in enumerate(values):
        chunk[metric * POINTS + index] = value


def has_point(chunk: "array[float]", index: int) -> bool:
    """Whether any metric has a value at the index."""
    return any(value == value for value in chunk[index::POINTS])


def first_point(chunk: "array[float]") -> int | None:
    """The index of the first point that has a value."""
    return next((index for index in range(POINTS) if has_point(chunk, index)), None)


def coarser(chunk: "array[float]", begin: int, end: int) -> list[float]:
    """One point made of those at the indexes from `begin` to before `end`."""
    return [
        combined(chunk[metric * POINTS + begin : metric * POINTS + end], worst)
        for metric, worst in enumerate(_WORST)
    ]


def combined(values: Iterable[float], worst: bool) -> float:
    """The largest of the values that are there, or their mean; NaN when there is none."""
    there = [value for value in values if value == value]
    if not there:
        return NAN
    return max(there) if worst else sum(there) / len(there)


def farthest(numbers: Iterable[int], now: int, kept: int) -> list[int]:
    """The chunks to let go of, so that only so many stay: those farthest from now, whichever way the clock stepped."""
    return sorted(numbers, key=lambda number: (abs(number - now), -number))[kept:]

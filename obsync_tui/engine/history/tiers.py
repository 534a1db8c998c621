"""One project's points in memory: an hour of seconds, and of the coarser tiers the chunks that are written to."""

from array import array
from collections.abc import Callable, Sequence

from obsync_tui.engine.history.chunks import (
    MINUTES,
    POINTS,
    SECONDS,
    TENS,
    Tier,
    coarser,
    farthest,
    new_chunk,
    put,
)

Load = Callable[[Tier, int], "array[float]"]
"""Gives a chunk as it was stored, without points when it was not."""

# Chunks that could not be written yet and are kept: an hour of tens, six hours of minutes.
_UNWRITTEN = 6
_SLOTS_KEPT = SECONDS.chunks * SECONDS.chunk_s // TENS.step_s
_PER_TEN = TENS.step_s // SECONDS.step_s
_PER_MINUTE = MINUTES.step_s // TENS.step_s


class ProjectTiers:
    """Takes a point a second, and makes the coarser points of it by `roll`.

    `add`, `take_touched` and `touch_again` are called under one lock, all else under another, and the chunks of seconds
    are looked through under the first.
    Coarser points are made of the finer ones that are there, never counted along, so that a point that is replaced
    after a step of the clock leaves nothing behind.
    """

    def __init__(self) -> None:
        self.chunks: dict[Tier, dict[int, array[float]]] = {SECONDS: {}, TENS: {}, MINUTES: {}}
        self._unwritten: set[tuple[Tier, int]] = set()
        self._writing: set[tuple[Tier, int]] = set()
        self._touched: set[int] = set()
        self._last_slot = 0
        self._open_minute: int | None = None

    def add(self, at_s: float, values: Sequence[float]) -> None:
        """The point of a second, instead of what was there.

        A tick that comes a little late would leave out a second: then the point stands for that one too.
        """
        slot = int(at_s // 1)
        self._put_second(slot, values)
        if slot == self._last_slot + 2:
            self._put_second(slot - 1, values)
        self._last_slot = slot

    def take_touched(self) -> set[int]:
        """The slots of ten seconds that got points since the last time."""
        touched, self._touched = self._touched, set()
        return touched

    def touch_again(self, tens: set[int]) -> None:
        """These could not be rolled."""
        self._touched |= tens

    def roll(self, touched: set[int], load: Load, over: bool) -> None:
        """Make the coarser points of the slots of ten seconds.

        The minute under way is made again each time, and left to be written when another begins, or this one is `over`.
        """
        for ten in sorted(touched):
            seconds = self.chunks[SECONDS].get(ten * _PER_TEN // POINTS)
            if seconds is not None:
                begin = ten * _PER_TEN % POINTS
                self._put(TENS, ten, coarser(seconds, begin, begin + _PER_TEN), load)
        minutes = {ten // _PER_MINUTE for ten in touched}
        newest = None if over else self._last_slot // MINUTES.step_s
        if self._open_minute is not None and self._open_minute != newest:
            minutes.add(self._open_minute)
        for minute in sorted(minutes):
            first = minute * _PER_MINUTE
            tens = self._chunk(TENS, first // POINTS, load)
            begin = first % POINTS
            point = coarser(tens, begin, begin + _PER_MINUTE)
            self._put(MINUTES, minute, point, load, written=minute != newest)
        self._open_minute = newest

    def restore(self, ten_chunk: int, load: Load) -> None:
        """Make the minutes of a stored chunk of tens, which an end of the process left unwritten or unfinished."""
        tens = self._chunk(TENS, ten_chunk, load)
        for begin in range(0, POINTS, _PER_MINUTE):
            slot = (ten_chunk * POINTS + begin) // _PER_MINUTE
            minutes = self._chunk(MINUTES, slot // POINTS, load)
            before = minutes.tobytes()
            point = coarser(tens, begin, begin + _PER_MINUTE)
            if any(value == value for value in point):
                put(minutes, slot % POINTS, point)
            if minutes.tobytes() != before:
                self._unwritten.add((MINUTES, slot // POINTS))

    def take_unwritten(self) -> list[tuple[Tier, int, bytes]]:
        """The chunks to be written, until `wrote` tells whether they were."""
        self._writing, self._unwritten = self._unwritten, set()
        return [(tier, number, self.chunks[tier][number].tobytes()) for tier, number in self._writing]

    def wrote(self, done: bool) -> None:
        """Let go of stored chunks that no further point is for, and of the oldest where too many wait."""
        if not done:
            self._unwritten |= self._writing
        self._writing = set()
        for tier in (TENS, MINUTES):
            now = self._last_slot // tier.chunk_s
            waiting = {number for of, number in self._unwritten if of == tier}
            for number in farthest(waiting, now, _UNWRITTEN):
                self._unwritten.discard((tier, number))
                waiting.discard(number)
            for number in self.chunks[tier].keys() - waiting - {now}:
                del self.chunks[tier][number]

    def _put_second(self, slot: int, values: Sequence[float]) -> None:
        number = slot // POINTS
        seconds = self.chunks[SECONDS]
        if number not in seconds:
            seconds[number] = new_chunk()
            for gone in farthest(seconds, number, SECONDS.chunks):
                del seconds[gone]
        put(seconds[number], slot % POINTS, values)
        if len(self._touched) < _SLOTS_KEPT:
            self._touched.add(slot // _PER_TEN)

    def _put(self, tier: Tier, slot: int, values: Sequence[float], load: Load, written: bool = True) -> None:
        number = slot // POINTS
        put(self._chunk(tier, number, load), slot % POINTS, values)
        if written:
            self._unwritten.add((tier, number))

    def _chunk(self, tier: Tier, number: int, load: Load) -> "array[float]":
        chunks = self.chunks[tier]
        if number not in chunks:
            chunks[number] = load(tier, number)
        return chunks[number]

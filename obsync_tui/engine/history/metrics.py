"""The metrics of all projects over time: a second for an hour, ten seconds for a day, a minute for fourteen days.

Seconds are in memory only; the coarser tiers are in `state.db`, one commit each ten seconds. What is not measured is a
gap, and stays one.
"""

import threading
from array import array
from math import ceil
from operator import attrgetter
from time import monotonic

from obsync_tui.engine.errors import StateError
from obsync_tui.engine.history.chunks import (
    MINUTES,
    NAMES,
    NAN,
    POINTS,
    SECONDS,
    TENS,
    Tier,
    chunk_from,
    first_point,
    new_chunk,
)
from obsync_tui.engine.history.series import MAX_POINTS, Window, sampled
from obsync_tui.engine.history.tables import MetricTable, StoredChunk
from obsync_tui.engine.history.tiers import Load, ProjectTiers
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.history import Metric, MetricSeries
from obsync_tui.model.metrics import Status

FLUSH_EVERY_S = 10.0
_FORGOTTEN_AFTER_S = SECONDS.chunks * SECONDS.chunk_s
_TIERS = (SECONDS, TENS, MINUTES)
_values = attrgetter(*NAMES)


class MetricHistory:
    """Keeps what `record` is given; `flush` stores it, to be called every `FLUSH_EVERY_S`, and `close` at the end.

    Safe for threads. Made from a `state.db` that another process may have left by a kill: what it stored is there.
    """

    def __init__(self, state: StateFile) -> None:
        self._table = MetricTable(state)
        # `record` must not wait for the disk: it takes the first alone, which nobody holds while reading or writing.
        self._mutex = threading.Lock()
        self._storing = threading.Lock()
        self._projects: dict[str, ProjectTiers] = {}
        self._recorded_s: dict[str, float] = {}
        self._restore()

    def record(self, status: Status) -> None:
        """Keep a project's picture of this second; never touches the disk."""
        values = [NAN if value is None else value for value in _values(status)]
        with self._mutex:
            tiers = self._projects.get(status.project_id)
            if tiers is None:
                tiers = self._projects[status.project_id] = ProjectTiers()
            tiers.add(status.at_s, values)
            self._recorded_s[status.project_id] = monotonic()

    def flush(self) -> None:
        """Store what came since the last time, in one commit; StateError, after which the next call tries again."""
        self._flush(last=False)

    def close(self) -> None:
        """Store everything. Raises StateError."""
        self._flush(last=True)

    def series(
        self, project_id: str, names: tuple[Metric, ...], from_s: float, to_s: float, max_points: int
    ) -> MetricSeries:
        """A project's metrics from one time to before another, at most `max_points` of each (1 to MAX_POINTS).

        The step is the smallest that the points allow and that reaches back to `from_s`, or to the project's first
        point. Lags and backlogs show the worst of a step, the others the mean. Raises StateError.
        """
        max_points = min(max(max_points, 1), MAX_POINTS)
        wanted_s = max(to_s - from_s, 0.0) / max_points
        with self._storing:
            tiers = self._projects.get(project_id) or ProjectTiers()
            self._roll(project_id, tiers, storing=False)
            tier = self._tier(project_id, tiers, from_s, wanted_s)
            step_s = tier.step_s * max(1, ceil(wanted_s / tier.step_s))
            window = Window.of(from_s, to_s, step_s, max_points)
            chunks = self._chunks(project_id, tiers, tier, window)
            values = tuple(sampled(chunks, tier, window, name) for name in names)
        return MetricSeries(project_id, window.start_s, step_s, tier.step_s, names, values)

    def delete(self, project_id: str) -> None:
        """Forget the project. Raises StateError."""
        with self._storing:
            with self._mutex:
                self._projects.pop(project_id, None)
                self._recorded_s.pop(project_id, None)
            self._table.delete(project_id)

    def _restore(self) -> None:
        """Make the minutes that an earlier process could not."""
        for project_id, number in self._table.newest(TENS):
            tiers = self._projects[project_id] = ProjectTiers()
            tiers.restore(number, self._loader(project_id))
        self._flush(last=False)
        self._projects.clear()

    def _flush(self, last: bool) -> None:
        with self._storing:
            with self._mutex:
                projects = list(self._projects.items())
            for project_id, tiers in projects:
                self._roll(project_id, tiers, storing=True, last=last)
            waiting = [
                StoredChunk(key, *chunk) for key, tiers in projects for chunk in tiers.take_unwritten()
            ]
            done = False
            try:
                if waiting:
                    self._table.write(waiting)
                done = True
            finally:
                for _, tiers in projects:
                    tiers.wrote(done)
            self._forget()

    def _roll(self, project_id: str, tiers: ProjectTiers, storing: bool, last: bool = False) -> None:
        with self._mutex:
            touched = tiers.take_touched()
        try:
            tiers.roll(touched, self._loader(project_id), over=storing and (last or not touched))
        except StateError:
            with self._mutex:
                tiers.touch_again(touched)
            raise

    def _forget(self) -> None:
        """Give back the memory of projects that do not run any more."""
        now_s = monotonic()
        with self._mutex:
            for project_id, recorded_s in list(self._recorded_s.items()):
                if now_s - recorded_s > _FORGOTTEN_AFTER_S:
                    del self._recorded_s[project_id], self._projects[project_id]

    def _loader(self, project_id: str) -> Load:
        def load(tier: Tier, number: int) -> "array[float]":
            stored = self._table.load(project_id, tier, number, number)
            return chunk_from(stored[number]) if stored else new_chunk()

        return load

    def _tier(self, project_id: str, tiers: ProjectTiers, from_s: float, wanted_s: float) -> Tier:
        """The coarsest tier whose step is fine enough, or a coarser one where it does not reach back."""
        oldest_s = self._oldest_s(project_id, tiers, MINUTES)
        if oldest_s is None:
            return SECONDS
        since_s = max(from_s, oldest_s + MINUTES.step_s)
        fine = [tier for tier in _TIERS if tier.step_s <= wanted_s] or [SECONDS]
        for tier in _TIERS[_TIERS.index(fine[-1]) :]:
            reaches_s = self._oldest_s(project_id, tiers, tier)
            if reaches_s is not None and reaches_s <= since_s:
                return tier
        return MINUTES

    def _oldest_s(self, project_id: str, tiers: ProjectTiers, tier: Tier) -> int | None:
        """The time of the project's first point in a tier."""
        chunks = self._in_memory(tiers, tier)
        if tier != SECONDS and (stored := self._table.oldest(project_id, tier)):
            chunks.setdefault(stored[0], chunk_from(stored[1]))
        for number in sorted(chunks):
            index = first_point(chunks[number])
            if index is not None:
                return (number * POINTS + index) * tier.step_s
        return None

    def _chunks(
        self, project_id: str, tiers: ProjectTiers, tier: Tier, window: Window
    ) -> dict[int, "array[float]"]:
        """The chunks of a window, stored ones below those in memory."""
        first, last = tier.chunk_of(window.start_s), tier.chunk_of(window.end_s)
        stored = {} if tier == SECONDS else self._table.load(project_id, tier, first, last)
        chunks = {number: chunk_from(content) for number, content in stored.items()}
        for number, chunk in self._in_memory(tiers, tier).items():
            if first <= number <= last:
                chunks[number] = chunk
        return chunks

    def _in_memory(self, tiers: ProjectTiers, tier: Tier) -> dict[int, "array[float]"]:
        with self._mutex:
            return dict(tiers.chunks[tier])

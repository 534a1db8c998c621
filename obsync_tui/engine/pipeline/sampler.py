"""Asks the source now and then for its newest position and its clock, and whether its history is still the same."""

import threading
from collections.abc import Callable
from time import time

from obsync_tui.engine.errors import EngineError, LogGap
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.source import Probe
from obsync_tui.model.position import GtidSet

_EVERY_S = 5.0


class Sampler:
    """One thread; a source that does not answer only makes the figures old.

    `position` gives the position that is committed now.
    """

    def __init__(self, probe: Callable[[], Probe], meter: Meter, position: Callable[[], str]) -> None:
        self._make = probe
        self._meter = meter
        self._position = position
        self._newest: GtidSet | None = None
        self._gap: LogGap | None = None

    def run(self, stopping: threading.Event) -> None:
        """Sample until stopped."""
        probe: Probe | None = None
        while not stopping.is_set():
            try:
                probe = probe or self._make()
                self._sample(probe)
            except LogGap as error:
                self._gap = error
            except (EngineError, ValueError):
                # The run itself reports a source that is gone; here the ages of the figures tell.
                pass
            stopping.wait(_EVERY_S)
        if probe is not None:
            probe.close()

    def _sample(self, probe: Probe) -> None:
        found = probe.sample(self._position())
        self._meter.clock_offset_s = found.clock_offset_s
        self._newest = found.newest
        self._meter.purge_left_s = self._left_s(found.retention_s, found.now_s)
        self._meter.behind_at_s = time()

    def _left_s(self, retention_s: float, now_s: float) -> float | None:
        """When the source may purge what is not delivered yet, by its retention; None when it never does."""
        if not retention_s:
            return None
        delivered_us = self._meter.acknowledged_commit_us
        if self._meter.caught_up or not delivered_us:
            return retention_s
        return max(0.0, delivered_us / 1e6 + retention_s - now_s)

    def check(self) -> None:
        """LogGap when the source was seen without transactions that are in the position.

        After RESET MASTER a dump under way goes on with heartbeats, as if nothing happened any more.
        """
        if self._gap is not None:
            raise self._gap

    def behind(self, position: str) -> int | None:
        """Transactions between a position and the source's newest, as of the last sample; None when not counted."""
        if self._newest is None or not position:
            return None
        return self._newest.missing_from(GtidSet.parse(position)).count()

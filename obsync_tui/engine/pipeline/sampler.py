"""Asks the source now and then for its newest position and its clock, and whether its history is still the same."""

import threading
from collections.abc import Callable
from time import time

from obsync_tui.engine.errors import EngineError, LogGap
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.source import Probe
from obsync_tui.model.position import GtidSet
from obsync_tui.model.table import TableName

SAMPLE_EVERY_S = 5.0
_LET_GO_S = 0.1


class Sampler:
    """Called every `SAMPLE_EVERY_S`; a source that does not answer only makes the figures old.

    `position` gives the position that is committed now.
    """

    def __init__(self, probe: Callable[[], Probe], meter: Meter, position: Callable[[], str]) -> None:
        self._make = self._made_by = probe
        self._meter = meter
        self._position = position
        self._probe: Probe | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._newest: GtidSet | None = None
        self._gap: LogGap | None = None
        self._suspected = False
        self._tables: frozenset[TableName] = frozenset()
        self._told: frozenset[TableName] = frozenset()

    def sample(self) -> None:
        """Ask once, by one thread at a time."""
        with self._lock:
            try:
                if not self._closed:
                    self._sample(self._current_probe())
                    self._suspected = False
            except LogGap as error:
                # An instance that takes over may not know everything for a moment: a gap is one that is seen twice.
                self._gap = error if self._suspected else None
                self._suspected = True
            except (EngineError, ValueError):
                # The run itself reports a source that is gone; here the ages of the figures tell.
                pass
            finally:
                self._let_go()

    def renew(self, probe: Callable[[], Probe]) -> None:
        """Ask by another probe from now on, which may look for other tables; does not wait for a sample under way."""
        self._make, self._tables, self._told = probe, frozenset(), frozenset()

    def close(self) -> None:
        """Ask no more; a sample under way lets go of the connection at its end."""
        self._closed = True
        if self._lock.acquire(timeout=_LET_GO_S):
            self._let_go()
            self._lock.release()

    def _current_probe(self) -> Probe:
        if self._probe is not None and self._made_by is not self._make:
            self._probe.close()
            self._probe = None
        if self._probe is None:
            self._made_by = self._make
            self._probe = self._made_by()
        return self._probe

    def _let_go(self) -> None:
        if self._closed and self._probe is not None:
            self._probe.close()
            self._probe = None

    def _sample(self, probe: Probe) -> None:
        position = self._position()
        found = probe.sample(position)
        self._meter.clock_offset_s = found.clock_offset_s
        self._newest = found.newest
        self._meter.behind_transactions = self.behind(position)
        if self._made_by is self._make:
            self._tables |= found.tables
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

    def check(self, known: frozenset[TableName]) -> frozenset[TableName]:
        """The tables in scope beyond those known that the log does not tell of, each once.

        LogGap when the source was seen without transactions that are in the position: after RESET MASTER a dump under
        way goes on with heartbeats, as if nothing happened any more.
        """
        if self._gap is not None:
            raise self._gap
        found = self._tables - known - self._told
        self._told |= found
        return found

    def behind(self, position: str) -> int | None:
        """Transactions between a position and the source's newest, as of the last sample; None when not counted."""
        if self._newest is None or not position:
            return None
        return self._newest.missing_from(GtidSet.parse(position)).count()

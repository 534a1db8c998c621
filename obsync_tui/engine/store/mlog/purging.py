"""When the logs are purged, and what comes of it: the step between two polls."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pymysql

from obsync_tui.engine.store.mlog.guard import Guard
from obsync_tui.engine.store.mlog.poll import Poll
from obsync_tui.engine.store.mlog.purge import (
    PURGE_DONE,
    PurgeIntent,
    PurgeRun,
    PurgeTable,
    check_none_runs,
    check_nothing_lost,
    points_since,
)
from obsync_tui.engine.store.mlog.reading import LogReader
from obsync_tui.engine.store.mlog.rows import LogRow, Transactions
from obsync_tui.engine.store.mlog.statements import ViewLog
from obsync_tui.engine.store.store import LogBatch
from obsync_tui.model.checkpoint import Record


class Purging:
    """Purges the logs that hold `rows` or more, all of them in one step; `connect` gives the purge its session."""

    def __init__(
        self,
        control: pymysql.Connection,
        connect: Callable[[], pymysql.Connection],
        reader: LogReader,
        guard: Guard,
        logs: Sequence[ViewLog],
        rows: int,
        where: str,
    ) -> None:
        self._control = control
        self._connect = connect
        self._reader = reader
        self._guard = guard
        self._logs = logs
        self._rows = rows
        self._where = where
        self._intent: PurgeIntent | None = None
        self._run: PurgeRun | None = None
        self._held: Counter[int] = Counter()

    def intent(self, poll: Poll, scn: int) -> PurgeIntent | None:
        """What is to be purged once everything up to `scn` is durable; None while the logs are short, or purged."""
        if self._intent is not None or not poll.caught_up:
            return None
        due = [self._logs[place] for place, held in sorted(poll.held.items()) if held >= self._rows]
        if not due:
            return None
        points = self._guard.points()
        self._intent = PurgeIntent(
            scn,
            tuple(PurgeTable(log.table.name, log.facts.log_id, points[log.facts.log_id]) for log in due),
        )
        return self._intent

    def is_over(self, wait_s: float) -> bool:
        """Whether no purge runs, after waiting so long at most. Raises SourceError."""
        return self._run is None or self._run.is_over(wait_s)

    def step(self, committed_scn: int, poll: Poll, transactions: Transactions) -> Iterator[LogBatch]:
        """Begin what is durable; give what a purge that is over took unread. LogGap when a row is out of reach."""
        intent, run = self._intent, self._run
        if intent is None:
            return
        if run is None:
            if committed_scn >= intent.scn:
                self._begin(intent, poll)
        elif run.is_over():
            yield from self._end(run, poll, transactions)

    def _begin(self, intent: PurgeIntent, poll: Poll) -> None:
        self._guard.points()
        self._guard.purging = frozenset(one.log_id for one in intent.tables)
        self._held = poll.held.copy()
        self._run = PurgeRun(self._connect(), intent, self._where)
        self._run.is_over()

    def _end(self, run: PurgeRun, poll: Poll, transactions: Transactions) -> Iterator[LogBatch]:
        points = run.points()
        run.close()
        self._intent, self._run, self._guard.purging = None, None, frozenset()
        for place, log in enumerate(self._logs):
            if log.facts.log_id in points:
                poll.held[place] -= self._held[place]
        bound_scn = max([poll.last_scn, *points.values()])
        yield from self._given(points, bound_scn, poll, transactions, (PURGE_DONE,))

    def rest(
        self, intent: PurgeIntent, inside_scn: int, poll: Poll, transactions: Transactions
    ) -> Iterator[LogBatch]:
        """What is left to give of the purges that an earlier run has done; nothing when it did none.

        `inside_scn` is the transaction that the position lies in, or 0: it comes again under its own name, as it was.
        SourceUnreachable while a purge still runs.
        """
        check_none_runs(self._control, self._where)
        points = points_since(self._control, intent, self._where)
        bound_scn = max([poll.last_scn, *points.values()])
        if not points or inside_scn > bound_scn:
            return
        if poll.last_scn < inside_scn < bound_scn:
            yield from self._given(points, inside_scn, poll, transactions)
        yield from self._given(points, bound_scn, poll, transactions, (PURGE_DONE,))

    def _given(
        self,
        points: dict[int, int],
        bound_scn: int,
        poll: Poll,
        transactions: Transactions,
        records: tuple[Record, ...] = (),
    ) -> Iterator[LogBatch]:
        # A log that a materialized view needs is purged only of what the view has seen.
        rows: list[LogRow] = []
        for place, log in enumerate(self._logs):
            after_scn = poll.last_scn
            point_scn = min(points.get(log.facts.log_id, 0), bound_scn)
            if point_scn > after_scn:
                found = self._reader.difference(place, after_scn, point_scn, bound_scn)
                check_nothing_lost(self._control, log, after_scn, point_scn, len(found), self._where)
                rows += found
                after_scn = point_scn
            if after_scn < bound_scn:
                later = self._reader.changes((place,), after_scn, bound_scn)
                poll.held[place] += len(later)
                rows += [(b"%d" % bound_scn, *row[1:]) for row in later]
        self._guard.check(max(bound_scn, *points.values()))
        rows.sort()
        yield from transactions.batches(rows, poll.last_scn, bound_scn, False, records)
        poll.last_scn = bound_scn

"""When the logs are purged, and what comes of it: the step between two polls."""

from collections.abc import Iterator, Sequence

import pymysql

from obsync_tui.engine.store.mlog.guard import Guard
from obsync_tui.engine.store.mlog.poll import Poll
from obsync_tui.engine.store.mlog.purge import PURGE_DONE, Purge, PurgeIntent, PurgeTable, check_none_runs
from obsync_tui.engine.store.mlog.reading import LogReader
from obsync_tui.engine.store.mlog.rows import LogRow, Transactions
from obsync_tui.engine.store.mlog.statements import ViewLog
from obsync_tui.engine.store.store import LogBatch


class Purging:
    """Purges the logs that hold `rows` or more, all of them in one step."""

    def __init__(
        self,
        connection: pymysql.Connection,
        reader: LogReader,
        guard: Guard,
        logs: Sequence[ViewLog],
        rows: int,
        where: str,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._guard = guard
        self._logs = logs
        self._rows = rows
        self._where = where

    def intent(self, poll: Poll, scn: int) -> PurgeIntent | None:
        """What is to be purged once everything up to `scn` is durable; None while the logs are short."""
        due = [self._logs[place] for place, held in sorted(poll.held.items()) if held >= self._rows]
        if not due or not poll.caught_up:
            return None
        points = self._guard.points()
        return PurgeIntent(
            scn,
            tuple(PurgeTable(log.table.name, log.facts.log_id, points[log.facts.log_id]) for log in due),
        )

    def batches(self, intent: PurgeIntent, poll: Poll, transactions: Transactions) -> Iterator[LogBatch]:
        """Purge, and give what was committed meanwhile as one transaction at the newest purge point.

        LogGap when a row of it is out of reach.
        """
        purge = Purge(self._connection, intent, self._logs, self._where)
        self._guard.points()
        yield from self._given(purge, purge.finish(), intent, poll, transactions)

    def rest(self, intent: PurgeIntent, poll: Poll, transactions: Transactions) -> Iterator[LogBatch]:
        """What is left to give of the purges that an earlier run has done; nothing when it did none.

        SourceUnreachable while one still runs.
        """
        check_none_runs(self._connection, self._where)
        purge = Purge(self._connection, intent, self._logs, self._where)
        points = purge.purged()
        if points:
            yield from self._given(purge, points, intent, poll, transactions)

    def _given(
        self,
        purge: Purge,
        points: dict[int, int],
        intent: PurgeIntent,
        poll: Poll,
        transactions: Transactions,
    ) -> Iterator[LogBatch]:
        # A log that a materialized view needs is purged only of what the view has seen.
        at_scn = max(intent.scn, *points.values())
        rows: list[LogRow] = []
        for place, log in enumerate(self._logs):
            point = points.get(log.facts.log_id)
            after_scn = intent.scn
            if point is not None:
                poll.held[place] = 0
                if point > intent.scn:
                    found = self._reader.difference(place, intent.scn, point, at_scn)
                    purge.check(log, point, len(found))
                    rows += found
                    after_scn = point
            if after_scn < at_scn:
                later = self._reader.changes((place,), after_scn, at_scn)
                poll.held[place] += len(later)
                rows += [(b"%d" % at_scn, *row[1:]) for row in later]
        self._guard.check(at_scn)
        rows.sort()
        yield from transactions.batches(rows, intent.scn, at_scn, False, (PURGE_DONE,))
        poll.last_scn = at_scn

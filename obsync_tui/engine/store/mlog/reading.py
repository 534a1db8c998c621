"""Reading the rows of view logs over one session."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from threading import Event

import pymysql

from obsync_tui.engine.errors import SourceError, Stopped
from obsync_tui.engine.mysql.connection import query, translate
from obsync_tui.engine.mysql.reading import shut
from obsync_tui.engine.mysql.resultset import RawResults
from obsync_tui.engine.store.mlog.purge import gap_of
from obsync_tui.engine.store.mlog.rows import LogRow, parse_rows
from obsync_tui.engine.store.mlog.statements import (
    ViewLog,
    select_changes,
    select_counts,
    select_difference,
    select_histogram,
)

# A UNION ALL of more logs takes longer to compile than to run.
_TOGETHER = 50


class LogReader:
    """Reads logs, given in the order of their tables' names; used by one thread. Methods raise SourceError."""

    def __init__(
        self, connection: pymysql.Connection, logs: Sequence[ViewLog], where: str, stopping: Event
    ) -> None:
        self._connection = connection
        self._results = RawResults(connection, where)
        self._logs = logs
        self._where = where
        self._stopping = stopping

    def counts(
        self, places: Sequence[int], after_scn: int | None = None, upto_scn: int = 0
    ) -> dict[int, int]:
        """How many rows each of some logs has, all or committed in a range, by its place."""
        found: dict[int, int] = {}
        for start in range(0, len(places), _TOGETHER):
            some = [self._logs[place] for place in places[start : start + _TOGETHER]]
            for number, count in self._ask(select_counts(some, after_scn, upto_scn), some):
                found[places[start + int(str(number))]] = int(str(count))
        return found

    def histogram(self, after_scn: int, upto_scn: int, width: int) -> dict[int, int]:
        """How many rows there are in each stretch of so many scns."""
        found: dict[int, int] = {}
        for start in range(0, len(self._logs), _TOGETHER):
            some = self._logs[start : start + _TOGETHER]
            for stretch, count in self._ask(select_histogram(some, after_scn, upto_scn, width), some):
                key = int(str(stretch))
                found[key] = found.get(key, 0) + int(str(count))
        return found

    def changes(self, places: Iterable[int], after_scn: int, upto_scn: int) -> list[LogRow]:
        """The rows committed in a range, in order."""
        rows: list[LogRow] = []
        for place in places:
            for some in self._rows(select_changes(self._logs[place], after_scn, upto_scn), place):
                rows += some
        rows.sort()
        return rows

    def one_transaction(self, places: Iterable[int], scn: int) -> Iterator[LogRow]:
        """The rows of one scn, in order, never all of them in memory."""
        for place in places:
            sql = select_changes(self._logs[place], scn - 1, scn, ordered=True)
            rows = (row for some in self._rows(sql, place) for row in some)
            for _, same in groupby(rows, itemgetter(2)):
                yield from sorted(same)

    def difference(self, place: int, before_scn: int, at_scn: int, as_scn: int) -> list[LogRow]:
        """The rows that a log had at one point and not at one before, in no order, with an scn given to them."""
        sql = select_difference(self._logs[place], before_scn, at_scn, as_scn)
        return [row for some in self._rows(sql, place) for row in some]

    def _rows(self, sql: str, place: int) -> Iterator[list[LogRow]]:
        log = self._logs[place]
        where = f"{self._where}, {log.table.name}"
        try:
            for packets in self._results.rows(sql):
                if self._stopping.is_set():
                    shut(self._connection)
                    raise Stopped("the Store was stopped")
                if packets:
                    yield parse_rows(packets, place, log.key_fields, where)
        except pymysql.MySQLError as error:
            refused = translate(error, where)
            refused.__cause__ = error
            raise gap_of(refused, log.table.name, self._where) from error

    def _ask(self, sql: str, logs: Sequence[ViewLog]) -> list[tuple[object, ...]]:
        try:
            return query(self._connection, sql, where=self._where)
        except SourceError as error:
            raise gap_of(error, logs[0].table.name, self._where) from error

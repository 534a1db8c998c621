"""Purging the logs without losing a row.

DBMS_MVIEW.PURGE_LOG deletes every row committed before a point P that it chooses itself, read or not; the log's catalog
tells P from the very moment from which the rows are gone. So: everything up to `scn` is delivered and durable, and with
it the intent; then the logs are purged while polls go on. Rows up to P that no poll has read are fetched as what the
log had at P and not at the position, and given as one transaction at P.
After a crash the step is done to its end from the intent. No log is purged then that was not purged before: its P could
lie behind the cut of a table that was read again meanwhile, whose changes would come under that P, and so twice.
Reference: the flashback reads of OceanBase.
"""

from collections.abc import Collection, Iterable

import msgspec
import pymysql
from pymysql.constants import COMMAND

from obsync_tui.engine.errors import CheckpointError, LogGap, SourceError, SourceUnreachable
from obsync_tui.engine.mysql.connection import error_number, query, translate
from obsync_tui.engine.mysql.reading import readable
from obsync_tui.engine.store.mlog.catalog import purge_points
from obsync_tui.engine.store.mlog.statements import ViewLog, select_count_at
from obsync_tui.model.checkpoint import PURGE_KEY, Record
from obsync_tui.model.table import TableName

GAP_CURE = (
    "Nothing was skipped: the project stands before the gap. Synchronize these tables again "
    "(obsync project gap NAME --resync TABLES), or reset the project."
)
# Snapshot too old, or the log is another one than at that point.
_TOO_OLD = (1412, 4138, 1146)
_RUNNING = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND INFO LIKE '%PURGE_LOG%'"


class PurgeTable(msgspec.Struct, frozen=True):
    """A log about to be purged: where it was purged last, which tells later whether it was purged again."""

    table: TableName
    log_id: int
    purged_scn: int


class PurgeIntent(msgspec.Struct, frozen=True):
    """That these logs are purged as soon as this is durable, and everything up to `scn` with it."""

    scn: int
    tables: tuple[PurgeTable, ...]

    @property
    def record(self) -> Record:
        """The checkpoint record of it."""
        return Record(PURGE_KEY, msgspec.json.encode(self))


PURGE_DONE = Record(PURGE_KEY, None)
"""Committed with the transaction at P."""


def intent_of(records: Iterable[Record]) -> PurgeIntent | None:
    """The intent among a checkpoint's records; CheckpointError when it cannot be read."""
    for record in records:
        if record.key == PURGE_KEY and record.value is not None:
            try:
                return msgspec.json.decode(record.value, type=PurgeIntent)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                raise CheckpointError(
                    f"the record of a purge cannot be read: {error}",
                    where="checkpoint",
                    cure="Reset the project.",
                ) from error
    return None


def without_tables(intent: PurgeIntent | None, tables: Collection[TableName]) -> tuple[Record, ...]:
    """The records by which an intent no longer speaks of some tables; none when it does not."""
    if intent is None or not any(one.table in tables for one in intent.tables):
        return ()
    left = tuple(one for one in intent.tables if one.table not in tables)
    return (PurgeIntent(intent.scn, left).record if left else PURGE_DONE,)


def purge_runs(connection: pymysql.Connection, where: str) -> bool:
    """Whether a purge is running: one that a run began outlives it. Raises SourceError."""
    return bool(int(str(query(connection, _RUNNING, where=where)[0][0])))


def check_none_runs(connection: pymysql.Connection, where: str) -> None:
    """SourceUnreachable while a purge that an earlier run began is still running: where it ends is not known yet."""
    if purge_runs(connection, where):
        raise SourceUnreachable(
            "a purge of a view log is still running", where=where, cure="It is waited for."
        )


class PurgeRun:
    """The purge of some logs, one after another, over a connection of its own; whoever asks goes on meanwhile."""

    def __init__(self, connection: pymysql.Connection, intent: PurgeIntent, where: str) -> None:
        self._connection = connection
        self._intent = intent
        self._left = list(intent.tables)
        self._running: TableName | None = None
        self._where = where

    def is_over(self, wait_s: float = 0.0) -> bool:
        """Whether all are purged, after waiting so long at most for each. Raises SourceError."""
        while self._running is not None or self._left:
            if self._running is None:
                self._begin(self._left.pop(0))
            elif not readable(self._connection, wait_s):
                return False
            else:
                self._end(self._running)
        return True

    def points(self) -> dict[int, int]:
        """To which scn each log of the intent was purged since it was made, by log id."""
        return points_since(self._connection, self._intent, self._where)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection._force_close()

    def _begin(self, one: PurgeTable) -> None:
        if one.log_id in self.points():
            return
        name = self._connection.escape(f"{one.table.database}.{one.table.table}")
        try:
            self._connection._execute_command(COMMAND.COM_QUERY, f"CALL DBMS_MVIEW.PURGE_LOG({name})")
        except (pymysql.MySQLError, OSError) as error:
            raise translate(error, self._where) from error
        self._running = one.table

    def _end(self, table: TableName) -> None:
        self._running = None
        try:
            self._connection._read_query_result()
            while self._connection._result is not None and self._connection._result.has_next:
                self._connection._read_query_result()
        except (pymysql.MySQLError, OSError) as error:
            raise gap_of(translate(error, self._where), table, self._where) from error


def points_since(connection: pymysql.Connection, intent: PurgeIntent, where: str) -> dict[int, int]:
    """To which scn each log of the intent was purged since it was made, by log id. Raises SourceError."""
    points = purge_points(connection, (one.log_id for one in intent.tables), where)
    return {
        one.log_id: points[one.log_id]
        for one in intent.tables
        if points.get(one.log_id, one.purged_scn) != one.purged_scn
    }


def check_nothing_lost(
    connection: pymysql.Connection, log: ViewLog, after_scn: int, point_scn: int, found: int, where: str
) -> None:
    """LogGap when another purge took rows between two points of the log; `found` rows came in that time."""

    def count(scn: int) -> int:
        try:
            return int(str(query(connection, select_count_at(log, scn), where=where)[0][0]))
        except SourceError as error:
            raise gap_of(error, log.table.name, where) from error

    before = count(after_scn)
    lost = before - (count(point_scn) - found)
    # Nothing is purged that is nearly empty: whose rows were gone already, was purged by two.
    if lost > 0 or not before:
        raise LogGap(
            f"the log was also purged by somebody else: {lost} rows were gone before {point_scn}",
            where=f"{where}, {log.table.name}",
            cure=GAP_CURE,
        )


def gap_of(error: SourceError, table: TableName, where: str) -> SourceError:
    """LogGap for an error that means that rows of the log are out of reach, else the error itself."""
    number = error_number(error)
    if number == 1210:
        what = "the view log was dropped and created again"
    elif number == 1146:
        what = "the view log is gone"
    elif number in _TOO_OLD:
        what = "the rows that a purge took can no longer be read: it is longer ago than undo_retention"
    else:
        return error
    return LogGap(f"{what} ({error.what})", where=f"{where}, {table}", cure=GAP_CURE)

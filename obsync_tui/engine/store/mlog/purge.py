"""Purging the logs without losing a row.

DBMS_MVIEW.PURGE_LOG deletes every row committed before a point P that it chooses itself, read or not. So: everything
up to `scn` is delivered and durable, and with it the intent; then the logs are purged; then the rows committed between
`scn` and P are fetched as what the log had at P and not at `scn`, and given as one transaction at P.
After a crash the step is done to its end from the intent. No log is purged then that was not purged before: its P could
lie behind the cut of a table that was read again meanwhile, whose changes would come under that P, and so twice.
Reference: the flashback reads of OceanBase.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec
import pymysql

from obsync_tui.engine.errors import CheckpointError, LogGap, SourceError, SourceUnreachable
from obsync_tui.engine.mysql.connection import error_number, query
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


class Purge:
    """One purge of some logs, by its intent."""

    def __init__(
        self, connection: pymysql.Connection, intent: PurgeIntent, logs: Sequence[ViewLog], where: str
    ) -> None:
        self._connection = connection
        self._intent = intent
        self._logs = {log.facts.log_id: log for log in logs}
        self._where = where

    def purged(self) -> dict[int, int]:
        """To which scn each log of the intent was purged since it was made, by log id."""
        points = purge_points(self._connection, (one.log_id for one in self._intent.tables), self._where)
        return {
            one.log_id: points[one.log_id]
            for one in self._intent.tables
            if points.get(one.log_id, one.purged_scn) != one.purged_scn
        }

    def finish(self) -> dict[int, int]:
        """Purge what is not purged yet; the points of all, by log id. Raises SourceError."""
        for one in self._intent.tables:
            if one.log_id in self._logs and one.log_id not in self.purged():
                name = f"{one.table.database}.{one.table.table}"
                self._run("CALL DBMS_MVIEW.PURGE_LOG(%s)", one.table, (name,))
        return self.purged()

    def check(self, log: ViewLog, point: int, found: int) -> None:
        """LogGap when rows that were there at the intent were gone before the purge; `found` rows came since."""
        lost = self._count(log, self._intent.scn) - (self._count(log, point) - found)
        if lost > 0:
            raise LogGap(
                f"the log was also purged by somebody else: {lost} rows were gone before {point}",
                where=f"{self._where}, {log.table.name}",
                cure=GAP_CURE,
            )

    def _count(self, log: ViewLog, scn: int) -> int:
        return int(str(self._run(select_count_at(log, scn), log.table.name)[0][0]))

    def _run(self, sql: str, table: TableName, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        try:
            return query(self._connection, sql, values, where=self._where)
        except SourceError as error:
            raise gap_of(error, table, self._where) from error


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

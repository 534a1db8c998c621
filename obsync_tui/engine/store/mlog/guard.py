"""Watches that the logs read are still whole: not dropped, not purged by others, and holding every column."""

from collections.abc import Mapping, Sequence
from time import monotonic

import pymysql

from obsync_tui.engine.errors import LogGap, SchemaChanged
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.oceanbase.catalog import partitions
from obsync_tui.engine.store.mlog.catalog import LogFacts, purge_points
from obsync_tui.engine.store.mlog.columns import logged_version
from obsync_tui.engine.store.mlog.ownership import Owned
from obsync_tui.engine.store.mlog.purge import GAP_CURE
from obsync_tui.engine.store.mlog.statements import ViewLog
from obsync_tui.engine.store.store import TextShape
from obsync_tui.model.table import TableName, TableVersion

_COLUMNS_EVERY_S = 1.0


def open_logs(
    connection: pymysql.Connection,
    owned: Mapping[TableName, Owned],
    there: Mapping[TableName, LogFacts],
    tables: Sequence[TableVersion],
    lost_lobs: frozenset[TableName],
    where: str,
) -> tuple[ViewLog, ...]:
    """The logs of the tables, in the order of the tables' names; LogGap names those whose log is not the project's."""
    logs: list[ViewLog] = []
    gone: dict[str, list[TableName]] = {}
    for table in sorted(tables, key=lambda one: one.name):
        mine, facts = owned.get(table.name), there.get(table.name)
        if facts is None:
            gone.setdefault("the view log is gone", []).append(table.name)
        elif mine is None or mine.log_id != facts.log_id:
            gone.setdefault("the view log was dropped and created again", []).append(table.name)
        else:
            held = logged_version(table, table.name in lost_lobs)
            parts: tuple[str, ...] = ()
            if not table.primary_key:
                parts = tuple(part.name for part in partitions(connection, table.name))
            logs.append(ViewLog(facts, held, TextShape(len(held.columns)), parts, mine.floor_scn))
    for what, names in gone.items():
        raise _gap(what, names, where)
    return tuple(logs)


def _gap(what: str, names: Sequence[TableName], where: str) -> LogGap:
    return LogGap(what, where=f"{where}, {', '.join(map(str, names))}", cure=GAP_CURE)


class Guard:
    """Asks, after rows were read and before they are handed over, whether they can be all there were.

    `purging` are the ids of logs that the project itself purges meanwhile.
    """

    def __init__(
        self,
        connection: pymysql.Connection,
        logs: Sequence[ViewLog],
        tables: Sequence[TableVersion],
        where: str,
    ) -> None:
        self._connection = connection
        self._logs = {log.facts.log_id: log.table.name for log in logs}
        self._floors = {log.facts.log_id: log.floor_scn for log in logs}
        self._columns = {table.name: tuple(column.name for column in table.columns) for table in tables}
        self._where = where
        self._checked_s = 0.0
        self.purging: frozenset[int] = frozenset()

    def points(self) -> dict[int, int]:
        """Up to where each log was purged, by log id; LogGap when one is gone."""
        if not self._logs:
            return {}
        points = purge_points(self._connection, self._logs, self._where)
        gone = [name for log_id, name in self._logs.items() if log_id not in points]
        if gone:
            raise _gap("the view log was dropped under way", gone, self._where)
        return points

    def check(self, after_scn: int) -> bool:
        """Whether no log was purged beyond `after_scn`; False only for our own purge.

        LogGap for one of somebody else, SchemaChanged when a table has other columns.
        """
        purged = {
            log_id for log_id, scn in self.points().items() if scn > max(after_scn, self._floors[log_id])
        }
        if purged - self.purging:
            names = [self._logs[log_id] for log_id in sorted(purged - self.purging)]
            raise _gap("the view log was purged of rows that may not have been read", names, self._where)
        if monotonic() - self._checked_s >= _COLUMNS_EVERY_S:
            self._check_columns()
            self._checked_s = monotonic()
        return not purged

    def _check_columns(self) -> None:
        found: dict[TableName, list[str]] = {name: [] for name in self._columns}
        for database in sorted({name.database for name in found}):
            names = [name.table for name in found if name.database == database]
            rows = query(
                self._connection,
                "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
                f" AND TABLE_NAME IN ({', '.join(['%s'] * len(names))}) ORDER BY TABLE_NAME, ORDINAL_POSITION",
                (database, *names),
                where=self._where,
            )
            for table, column in rows:
                found[TableName(database, str(table))].append(str(column))
        for name, columns in found.items():
            added = [column for column in columns if column not in self._columns[name]]
            if columns and tuple(columns) != self._columns[name]:
                raise SchemaChanged(
                    f"the table has columns that its view log does not hold: {', '.join(added) or columns}",
                    where=f"{self._where}, {name}",
                    cure="Changes of them are in no log. Synchronize the table again: obsync project gap NAME "
                    f"--resync {name} drops the log, makes one with all columns, and reads the table anew.",
                )

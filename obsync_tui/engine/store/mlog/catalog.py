"""View logs as the tenant's catalog knows them.

A log's id is its own: one that was dropped and created again has another. `last_purge_scn` is the point up to which
rows may be gone; creating a log sets it too. Seen on OceanBase 4.3.5 (seekdb 1.3).
"""

from collections.abc import Iterable

import msgspec
import pymysql

from obsync_tui.engine.mysql.connection import query
from obsync_tui.model.table import TableName

LOG_PREFIX = "mlog$_"
"""A log's name is this and its table's; a table has at most one."""
_LOGS = (
    "SELECT o.OWNER, o.OBJECT_NAME, m.mlog_id, UNIX_TIMESTAMP(m.gmt_create), m.last_purge_scn,"
    " LEFT(o.STATUS, 6) = 'UNUSAB'"
    " FROM oceanbase.__all_mlog m JOIN oceanbase.DBA_OBJECTS o ON o.OBJECT_ID = m.mlog_id"
    " ORDER BY 1, 2"
)


class LogFacts(msgspec.Struct, frozen=True):
    """A view log: its table, its own id, when it was created (scn), and up to where it was purged (scn).

    `is_being_made`: the statement that creates it still waits for transactions that are open on the table. What they
    did before is not in the log, and when whoever creates it goes away, the log does, too.
    """

    table: TableName
    log_id: int
    created_scn: int
    purged_scn: int
    is_being_made: bool = False

    @property
    def name(self) -> TableName:
        """The log's own name."""
        return log_name(self.table)


def log_name(table: TableName) -> TableName:
    """The name of a table's log."""
    return TableName(table.database, LOG_PREFIX + table.table)


def read_logs(connection: pymysql.Connection, where: str) -> dict[TableName, LogFacts]:
    """Every view log of the tenant by its table; raises SourceError."""
    found: dict[TableName, LogFacts] = {}
    for database, log, log_id, created_s, purged_scn, unusable in query(connection, _LOGS, where=where):
        table = TableName(str(database), str(log).removeprefix(LOG_PREFIX))
        created_scn = int(float(str(created_s)) * 1_000_000) * 1000
        found[table] = LogFacts(
            table, int(str(log_id)), created_scn, int(str(purged_scn or 0)), bool(unusable)
        )
    return found


def purge_points(connection: pymysql.Connection, log_ids: Iterable[int], where: str) -> dict[int, int]:
    """`last_purge_scn` by log id; logs that are gone are missing."""
    ids = ", ".join(map(str, log_ids))
    sql = f"SELECT mlog_id, last_purge_scn FROM oceanbase.__all_mlog WHERE mlog_id IN ({ids})"
    return {int(str(key)): int(str(scn or 0)) for key, scn in query(connection, sql, where=where)}


def current_scn(connection: pymysql.Connection, where: str) -> int:
    """The tenant's newest scn; everything committed up to it can be read."""
    return int(str(query(connection, "SELECT CURRENT_SCN()", where=where)[0][0]))

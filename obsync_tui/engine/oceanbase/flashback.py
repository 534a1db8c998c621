"""Flashback reads of OceanBase: the point to read at, the SQL that reads there, and what tells that a table changed.

`AS OF SNAPSHOT scn` shows what was committed up to the scn, but under the catalog of now: a column that was dropped and
added again comes with the added one's default, rows of a dropped partition are missing, and nothing is said. So a
table's last DDL is compared with that of the cut beside every read, and partitions are read by their names.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pymysql

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.full.reader import ChunkRequest, Cut
from obsync_tui.engine.mysql.connection import error_number, query
from obsync_tui.engine.mysql.keysql import Place
from obsync_tui.engine.oceanbase.catalog import Partition
from obsync_tui.engine.oceanbase.version import Version
from obsync_tui.model.position import scn_executed
from obsync_tui.model.table import TableName, TableVersion, quote_identifier

# Runs a statement and gives its rows; raises SourceError.
Ask = Callable[[str], list[tuple[object, ...]]]
_HIDDEN_KEY = "t.`__pk_increment`"
_HIDDEN_KEY_HINT = "/*+ opt_param('hidden_column_visible','true') */ "
_NO_FUNCTION = (1046, 1305)
_SYNTAX = (1064, 1149, 1235)
_NAME, _CREATED, _ALTERED = 0, 11, 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LastDdl(msgspec.Struct, frozen=True):
    """When a table was made and when its definition last changed, in microseconds; 0 where the server does not say."""

    created_us: int
    altered_us: int


def current_scn(ask: Ask) -> int:
    """The scn of now: nanoseconds since the epoch, microseconds before OceanBase 4.0; raises SourceError."""
    try:
        return int(str(ask("SELECT CURRENT_SCN()")[0][0]))
    except SourceError as error:
        if error_number(error) not in _NO_FUNCTION:
            raise
    return int(str(ask("SELECT MAX(TS_VALUE) FROM oceanbase.V$OB_TIMESTAMP_SERVICE")[0][0]))


def cut_at(cut_id: int, executed: str, now_scn: int, version: Version) -> Cut:
    """The cut at the last whole microsecond before now, in Binlog Service's log: it has `executed` already.

    That log stamps a transaction with the microsecond of its commit version. So everything up to that microsecond's end
    is read, and everything later comes from the log.
    """
    commit_us = now_scn // _scn_per_us(version) - 1
    scn = (commit_us + 1) * _scn_per_us(version) - 1
    return Cut(cut_id, executed, taken_s=commit_us / 1e6, commit_us=commit_us, scn=scn)


def view_log_cut_at(cut_id: int, now_scn: int, version: Version) -> Cut:
    """The cut at now in view logs, whose positions are commit versions."""
    return Cut(cut_id, scn_executed(now_scn), taken_s=now_scn / _scn_per_us(version) / 1e6, scn=now_scn)


def age_us(cut: Cut, scn: int, version: Version) -> int:
    """How long before an scn the cut was."""
    return (scn - cut.scn) // _scn_per_us(version)


def _scn_per_us(version: Version) -> int:
    return 1000 if version.number >= (4,) else 1


def executed_gtids(ask: Ask) -> str:
    """The GTID set of the Binlog Service's log, empty where there is no such log; raises SourceError."""
    try:
        rows = ask("SHOW MASTER STATUS")
    except SourceError as error:
        if error_number(error) not in _SYNTAX:
            raise
        return ""
    text = str(rows[0][4] or "") if rows and len(rows[0]) > 4 else ""
    return "".join(text.split()).lower()


def last_ddl(ask: Ask, database: str, table: str = "") -> dict[TableName, LastDdl]:
    """Of one table, or all of a database, the last DDL. A DDL that leaves rows alone counts too. Raises SourceError."""
    sql = f"SHOW TABLE STATUS FROM {quote_identifier(database)}"
    if table:
        pattern = table
        for character in "\\_%":
            pattern = pattern.replace(character, f"\\{character}")
        sql += " LIKE '" + pattern.replace("\\", "\\\\").replace("'", "''") + "'"
    return {
        TableName(database, str(row[_NAME])): LastDdl(_us(row[_CREATED]), _us(row[_ALTERED]))
        for row in ask(sql)
        if not table or row[_NAME] == table
    }


def last_ddl_of(ask: Ask, names: Iterable[TableName]) -> dict[TableName, LastDdl]:
    """The last DDL of many tables, those that are gone left out."""
    wanted = set(names)
    found: dict[TableName, LastDdl] = {}
    for database in sorted({name.database for name in wanted}):
        found |= {name: ddl for name, ddl in last_ddl(ask, database).items() if name in wanted}
    return found


def _us(value: object) -> int:
    """A time in the session's zone, which is UTC."""
    if not isinstance(value, datetime):
        return 0
    return (value.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


def undo_retention_s(ask: Ask, version: Version) -> int | None:
    """How far back the tenant can be read, None where it does not tell."""
    by_parameter = version.sets_undo_retention_by_parameter
    kind = "PARAMETERS" if by_parameter else "GLOBAL VARIABLES"
    values: list[int] = []
    for row in ask(f"SHOW {kind} LIKE 'undo_retention'"):
        # A parameter's row has its server before the name, and its type behind it.
        behind = row[row.index("undo_retention") + (2 if by_parameter else 1) :]
        values.append(int(str(behind[0])))
    return min(values, default=None)


def flashback_place(request: ChunkRequest, cut: Cut, partitions: Iterable[Partition]) -> Place:
    """The table as of a cut, of the given partitions only.

    Without a comparable key rows come by the hidden key, which is unique in a partition and grows with each insert, or
    by the primary key that does not compare.
    """
    names = ", ".join(quote_identifier(partition.name) for partition in partitions)
    of = f" PARTITION ({names})" if names else ""
    table = f"{request.table.name.quoted}{of} AS OF SNAPSHOT {cut.scn} t"
    if request.key:
        hint = "/*+ INDEX(t PRIMARY) */ " if request.key == request.table.primary_key else ""
        return Place(table, hint, row_ranges=True)
    if request.table.primary_key:
        return Place(table, "", _columns(request.table))
    return Place(table, _HIDDEN_KEY_HINT, _HIDDEN_KEY)


def _columns(table: TableVersion) -> str:
    return ", ".join(f"t.{quote_identifier(name)}" for name in table.primary_key)


def ask_on(connection: pymysql.Connection, where: str) -> Ask:
    """Asks on one connection."""
    return lambda sql: query(connection, sql, where=where)

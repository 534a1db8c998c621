"""OceanBase's catalog: tables in scope as MySQL's catalog queries find them, without what is the engine's own."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
import pymysql
from msgspec.structs import replace

from obsync_tui.engine.mysql import catalog as mysql
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.oceanbase.connection import accepts
from obsync_tui.model.objects import SYSTEM_SCHEMAS, ObjectRules
from obsync_tui.model.table import TableName, TableVersion

# A materialized view log is a base table to information_schema; these columns tell it from a user's of such a name.
_VIEW_LOG_PREFIX = "mlog$_"
_VIEW_LOG_COLUMNS = frozenset({"SEQUENCE$$", "DMLTYPE$$", "OLD_NEW$$"})
# What holds the rows of a materialized view.
_VIEW_CONTAINER_PREFIX = "__mv_container_"


class Partition(msgspec.Struct, frozen=True):
    """A partition, or a subpartition, which the clause `PARTITION (name)` reads alone."""

    name: str
    method: str
    expression: str


def read_tables(connection: pymysql.Connection, rules: ObjectRules) -> tuple[TableVersion, ...]:
    """Every base table in scope, sorted by name, without view logs; raises SourceError."""
    found = mysql.read_tables(connection, rules, parse_members)
    return tuple(_with_own_keys(table) for table in found if not _internal(table))


def table_names(connection: pymysql.Connection, rules: ObjectRules) -> frozenset[TableName]:
    """The base tables in scope by their names alone, without any that is named as a view log; raises SourceError."""
    rows = query(
        connection,
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
        f" AND TABLE_SCHEMA NOT IN ({', '.join(['%s'] * len(SYSTEM_SCHEMAS))})",
        tuple(sorted(SYSTEM_SCHEMAS)),
    )
    names = (TableName(*row) for row in msgspec.convert(rows, list[tuple[str, str]]))
    own = (_VIEW_LOG_PREFIX, _VIEW_CONTAINER_PREFIX)
    return frozenset(name for name in names if rules.matches(name) and not name.table.startswith(own))


def read_table(connection: pymysql.Connection, name: TableName) -> TableVersion | None:
    """One base table, None when there is none of that name; raises SourceError."""
    table = mysql.read_table(connection, name, parse_members)
    return None if table is None or _internal(table) else _with_own_keys(table)


def read_ddl(connection: pymysql.Connection, name: TableName) -> str:
    """The statement that makes a table with all of its options, as the tenant prints it; raises SourceError."""
    accepts(connection, "SET _show_ddl_in_compat_mode = 0")
    return mysql.read_ddl(connection, name)


def partitions(connection: pymysql.Connection, name: TableName) -> tuple[Partition, ...]:
    """A table's partitions in their order, the subpartitions where there are any; none for a table in one piece."""
    rows = query(
        connection,
        "SELECT COALESCE(SUBPARTITION_NAME, PARTITION_NAME), COALESCE(SUBPARTITION_METHOD, PARTITION_METHOD),"
        " COALESCE(SUBPARTITION_EXPRESSION, PARTITION_EXPRESSION) FROM information_schema.PARTITIONS"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND PARTITION_NAME IS NOT NULL"
        " ORDER BY PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION",
        (name.database, name.table),
    )
    return tuple(
        Partition(partition, method or "", expression or "")
        for partition, method, expression in msgspec.convert(rows, list[tuple[str, str | None, str | None]])
    )


def invisible_columns(
    connection: pymysql.Connection, names: Iterable[TableName]
) -> dict[TableName, tuple[str, ...]]:
    """The columns that `SELECT *` leaves out, of each table that has one; raises SourceError."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name in names:
        wanted[name.database].add(name.table)
    result: dict[TableName, tuple[str, ...]] = {}
    for schema, tables in sorted(wanted.items()):
        rows = query(
            connection,
            "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
            " AND EXTRA LIKE '%%INVISIBLE%%' ORDER BY TABLE_NAME, ORDINAL_POSITION",
            (schema,),
        )
        for table, column in msgspec.convert(rows, list[tuple[str, str]]):
            if table in tables:
                name = TableName(schema, table)
                result[name] = (*result.get(name, ()), column)
    return result


def parse_members(column_type: str, charset: str | None) -> tuple[str, ...]:
    """The members of `enum('a','b'c')` or `set(…)`: OceanBase prints them as they are, quotes and backslashes too.

    A member that holds `','` is not to be told from two. ValueError for one that holds `''`, which may be one quote
    that was doubled, and for a text of another form.
    """
    _, start, rest = column_type.partition("('")
    text, end, _ = rest.rpartition("')")
    if not (start and end):
        raise ValueError(f"not an ENUM or SET type: {column_type}")
    members = tuple(text.split("','"))
    if any("''" in member for member in members):
        raise ValueError(f"the catalog leaves open which members {column_type} has")
    return members


def _internal(table: TableVersion) -> bool:
    name = table.name.table
    if name.startswith(_VIEW_LOG_PREFIX):
        return {column.name for column in table.columns} >= _VIEW_LOG_COLUMNS
    return name.startswith(_VIEW_CONTAINER_PREFIX)


def _with_own_keys(table: TableVersion) -> TableVersion:
    """Without keys on expressions: OceanBase keeps those in hidden columns that it names among the key's."""
    names = {column.name for column in table.columns}
    keys = tuple(key for key in table.unique_keys if names.issuperset(key))
    return table if keys == table.unique_keys else replace(table, unique_keys=keys)

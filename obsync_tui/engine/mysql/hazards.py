"""What the catalog knows of tables whose changes would be missing from the log, or not be readable from it."""

from collections import defaultdict
from collections.abc import Iterable

import msgspec
import pymysql

from obsync_tui.engine.mysql.connection import query
from obsync_tui.model.table import UNPRINTED, TableName, TableVersion


class CascadingKey(msgspec.Struct, frozen=True):
    """A foreign key by which the storage engine changes rows of `child` without a word in the log."""

    child: TableName
    name: str
    parent: TableName
    on_delete: str
    on_update: str


def cascading_keys(connection: pymysql.Connection, names: Iterable[TableName]) -> tuple[CascadingKey, ...]:
    """Foreign keys of these tables with CASCADE, SET NULL or SET DEFAULT; raises SourceError."""
    wanted = set(names)
    result = []
    for schema in sorted({name.database for name in wanted}):
        rows = query(
            connection,
            "SELECT TABLE_NAME, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, DELETE_RULE,"
            " UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = %s",
            (schema,),
        )
        for table, name, parent_schema, parent, on_delete, on_update in msgspec.convert(
            rows, list[tuple[str, str, str, str, str, str]]
        ):
            child = TableName(schema, table)
            if child in wanted and not {on_delete, on_update} <= {"RESTRICT", "NO ACTION"}:
                result.append(
                    CascadingKey(child, name, TableName(parent_schema, parent), on_delete, on_update)
                )
    return tuple(result)


def functional_indexes(connection: pymysql.Connection, names: Iterable[TableName]) -> tuple[TableName, ...]:
    """Tables with an index on an expression; its hidden column stands in row events of early 8.0 servers."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name in names:
        wanted[name.database].add(name.table)
    result = []
    for schema, tables in sorted(wanted.items()):
        rows = query(
            connection,
            "SELECT DISTINCT TABLE_NAME FROM information_schema.STATISTICS"
            " WHERE TABLE_SCHEMA = %s AND COLUMN_NAME IS NULL",
            (schema,),
        )
        result += [TableName(schema, str(table)) for (table,) in rows if table in tables]
    return tuple(sorted(result))


def doubtful_members(table: TableVersion) -> tuple[str, ...]:
    """ENUM and SET columns with a member that may have lost a character on its way through the catalog."""
    return tuple(
        column.name for column in table.columns if any(UNPRINTED in member for member in column.members)
    )

"""Which columns a view log holds, and which tables cannot have one.

Source: OceanBase, "CREATE MATERIALIZED VIEW LOG"; seen on OceanBase 4.3.5 (seekdb 1.3).
"""

from msgspec.structs import replace

from obsync_tui.model.table import Column, TableVersion

LOB_TYPES = frozenset(
    {"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json"}
)
_SPATIAL = frozenset(
    {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"}
    | {"geometrycollection", "geomcollection", "roaringbitmap", "vector"}
)
# With the prefix it stays under the 64 characters of a name.
_LONGEST_NAME = 58
# PURGE_LOG takes the name as one text, database and table with a dot between, and knows no quotes.
_UNPURGEABLE = ".`'"


def unfit(table: TableVersion) -> str:
    """Why the table cannot have a log that tells every change; empty when it can."""
    name = table.name
    if len(name.table) > _LONGEST_NAME:
        return f"a table with a view log may have a name of {_LONGEST_NAME} characters at most"
    if any(character in name.database + name.table for character in _UNPURGEABLE):
        return f"a view log cannot be purged when a name has one of {' '.join(_UNPURGEABLE)}"
    generated = [column.name for column in table.columns if column.generated is not None]
    if generated:
        return f"a view log cannot hold generated columns: {', '.join(generated)}"
    others = [
        f"{column.name} ({column.data_type})" for column in table.columns if column.data_type in _SPATIAL
    ]
    if others:
        return f"a view log cannot hold columns of these types: {', '.join(others)}"
    return ""


def logged_columns(table: TableVersion, without_lobs: bool) -> tuple[Column, ...]:
    """The columns that the log holds, in the table's order."""
    if not without_lobs:
        return table.columns
    return tuple(column for column in table.columns if column.data_type not in LOB_TYPES)


def logged_version(table: TableVersion, without_lobs: bool) -> TableVersion:
    """The table as its log knows it."""
    columns = logged_columns(table, without_lobs)
    return table if len(columns) == len(table.columns) else replace(table, columns=columns)

"""Members of ENUM and SET that MySQL's catalog cannot print, read from the rows that hold them.

The catalog is in three-byte UTF-8, also under 8.0: it shows a character above U+FFFF as "?", like a question mark.
"""

import re
from collections.abc import Iterable

import pymysql
from msgspec.structs import replace

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.mysql.connection import error_number, query
from obsync_tui.model.table import UNPRINTED, Column, TableVersion, quote_identifier

_CHARSETS = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030"})
_WAIT_MS = 5000
# The table or column is gone since, or the rows are too many to look through.
_NO_ANSWER = (1054, 1146, 3024)


def unprinted(members: tuple[str, ...], charset: str | None) -> tuple[str, ...]:
    """The members with UNPRINTED for each character that the catalog may not have been able to print."""
    if charset not in _CHARSETS:
        return members
    return tuple(member.replace("?", UNPRINTED) for member in members)


def incomplete(tables: Iterable[TableVersion]) -> bool:
    """Whether a table has a member that is not known in full."""
    return any(UNPRINTED in member for t in tables for column in t.columns for member in column.members)


def with_members(connection: pymysql.Connection, table: TableVersion) -> TableVersion:
    """The table with each such member that a row holds; the others stay unknown. Raises SourceError."""
    if not incomplete((table,)):
        return table
    return replace(table, columns=tuple(_completed(connection, table, column) for column in table.columns))


def _completed(connection: pymysql.Connection, table: TableVersion, column: Column) -> Column:
    members = [
        _from_a_row(connection, table, column, i) if UNPRINTED in member else member
        for i, member in enumerate(column.members)
    ]
    return replace(column, members=tuple(members)) if members else column


def _from_a_row(connection: pymysql.Connection, table: TableVersion, column: Column, index: int) -> str:
    name, member = f"t.{quote_identifier(column.name)}", column.members[index]
    bit = 1 << index
    condition = f"{name} & {bit}" if column.data_type == "set" else f"{name} + 0 = {index + 1}"
    sql = (
        f"SELECT /*+ MAX_EXECUTION_TIME({_WAIT_MS}) */ HEX(CONVERT({name} USING utf8mb4)), CAST({name} AS UNSIGNED)"
        f" FROM {table.name.quoted} t WHERE {condition} LIMIT 1"
    )
    try:
        rows = query(connection, sql)
    except SourceError as error:
        if error_number(error) in _NO_ANSWER:
            return member
        raise
    for data, value in rows:
        text = bytes.fromhex(str(data)).decode()
        if column.data_type == "set":
            text = text.split(",")[(int(str(value)) & (bit - 1)).bit_count()]
        # Members may have been altered since: only what the catalog could have shown so is believed.
        if re.fullmatch("[?\U00010000-\U0010ffff]".join(map(re.escape, member.split(UNPRINTED))), text):
            return text
    return member

"""Single rows as of one commit version, by their keys."""

from collections.abc import Collection, Iterable

import pymysql
from pymysql.err import MySQLError

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.mysql.connection import error_number, translate
from obsync_tui.engine.mysql.keysql import column_expression, literal
from obsync_tui.engine.mysql.resultset import RawResults, text_fields
from obsync_tui.model.table import TableVersion, quote_identifier

# The snapshot is too old, the table's definition has changed since, or it is gone.
_OUT_OF_REACH = (1412, 4138, 4344, 1146, 1054)
_KEYS = 500

Values = tuple[bytes | None, ...]


def values_as_of(
    connection: pymysql.Connection,
    table: TableVersion,
    columns: tuple[int, ...],
    keys: Collection[Key],
    scn: int,
    where: str,
) -> dict[Key, Values] | None:
    """The columns' values, by ordinal, of the rows that were there; None when the tenant no longer knows that point.

    `connection` has no character set for results: values come as stored. Raises SourceError.
    """
    key_columns = [table.columns[table.column_index(name)] for name in table.primary_key]
    wanted = [*key_columns, *(table.columns[i] for i in columns)]
    names = ", ".join(f"t.{quote_identifier(column.name)}" for column in key_columns)
    selected = ", ".join(column_expression(column) for column in wanted)
    found: dict[Key, Values] = {}

    def same(key: Iterable[bytes]) -> Key:
        """The key without the zeros that end a fraction of seconds: the log leaves them out."""
        return tuple(
            value.rstrip(b"0").rstrip(b".") if column.fsp and b"." in value else value
            for column, value in zip(key_columns, key, strict=True)
        )

    asked = {same(key): key for key in keys}
    listed = list(keys)
    for start in range(0, len(listed), _KEYS):
        literals = ", ".join(
            f"({', '.join(literal(column, value) for column, value in zip(key_columns, key, strict=True))})"
            for key in listed[start : start + _KEYS]
        )
        sql = f"SELECT {selected} FROM {table.name.quoted} AS OF SNAPSHOT {scn} t WHERE ({names}) IN ({literals})"
        try:
            for packets in RawResults(connection, where).rows(sql):
                for packet in packets:
                    row = text_fields(packet)
                    key = same(value or b"" for value in row[: len(key_columns)])
                    if key in asked:
                        found[asked[key]] = tuple(row[len(key_columns) :])
        except MySQLError as error:
            refused: SourceError = translate(error, where)
            if error_number(error) in _OUT_OF_REACH:
                return None
            raise refused from error
    return found

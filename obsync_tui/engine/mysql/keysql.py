"""SQL text for full reads: column expressions, key literals, and conditions that use the key's index.

Literals are built from key bytes (see `engine.full.keys`), never from anything typed by a person; character and binary
values go as hexadecimal. The session runs in UTC with `sql_mode=ALLOW_INVALID_DATES`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from obsync_tui.engine.full.keys import Key, key_columns
from obsync_tui.engine.full.reader import ChunkRequest
from obsync_tui.model.table import Column, quote_identifier

_NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"})
_QUOTED = frozenset({"date", "datetime", "time", "year"})
# OceanBase adds the offset to it in 63 bits.
_ALL_ROWS = 1 << 62


def column_expression(column: Column) -> str:
    """The expression whose text equals the stream's.

    FLOAT and DOUBLE times 1e0, for a plain FLOAT is cut to six digits; TIMESTAMP as UNIX seconds, for local time has
    hours that come twice.
    """
    name = quote_identifier(column.name)
    if column.data_type in ("float", "double"):
        return f"t.{name}*1e0"
    if column.data_type == "timestamp":
        return f"UNIX_TIMESTAMP(t.{name})"
    return f"t.{name}"


def literal(column: Column, value: bytes) -> str:
    """A key column's value as an SQL literal of the column's type; ValueError when the bytes cannot be one."""
    data_type = column.data_type
    if data_type in _NUMBERS:
        return _checked(value, b"-.0123456789")
    if data_type in _QUOTED:
        return f"'{_checked(value, b'-:. 0123456789')}'"
    if data_type == "timestamp":
        return f"'{_timestamp(_checked(value, b'.0123456789'))}'"
    if column.charset:
        return f"_{column.charset} x'{value.hex()}' COLLATE {column.collation}"
    return f"x'{value.hex()}'"


def _checked(value: bytes, allowed: bytes) -> str:
    if not value or value.strip(allowed):
        raise ValueError(f"not a key value: {value!r}")
    return value.decode("ascii")


def _timestamp(text: str) -> str:
    seconds, _, fraction = text.partition(".")
    if int(seconds) == 0:
        return "0000-00-00 00:00:00"
    whole = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{whole}.{fraction}" if fraction else whole


def _compare(columns: Sequence[str], values: Sequence[str], sign: str, last_sign: str) -> str:
    """`(a > x OR (a = x AND b > y))`: MySQL 5.7 reads a range for this, but not for `(a, b) > (x, y)`."""
    text = f"{columns[-1]} {last_sign} {values[-1]}"
    for column, value in zip(reversed(columns[:-1]), reversed(values[:-1]), strict=True):
        text = f"({column} {sign} {value} OR ({column} = {value} AND {text}))"
    return text


def _condition(request: ChunkRequest, row_ranges: bool) -> str:
    columns = key_columns(request.table, request.key)
    names = [f"t.{quote_identifier(column.name)}" for column in columns]
    parts = []
    for bound, sign, last_sign in ((request.after, ">", ">"), (request.upto, "<", "<=")):
        if bound is not None:
            values = [literal(column, value) for column, value in zip(columns, bound, strict=True)]
            if row_ranges and len(names) > 1:
                parts.append(f"({', '.join(names)}) {last_sign} ({', '.join(values)})")
            else:
                parts.append(_compare(names, values, sign, last_sign))
    return f" WHERE {' AND '.join(parts)}" if parts else ""


class Place(msgspec.Struct, frozen=True):
    """What of a SELECT is the server's own way: the table as `t`, a hint, the order of rows without a key.

    `row_ranges` says that `(a, b) > (x, y)` reads a range of the index.
    """

    table: str
    hint: str = ""
    keyless_order: str = ""
    row_ranges: bool = False


def mysql_place(request: ChunkRequest) -> Place:
    """The table in a MySQL transaction."""
    hint = ""
    if not request.key:
        # The clustered index, whose order is the same for every reader of a snapshot.
        hint = " USE INDEX ()"
    elif request.key == request.table.primary_key:
        hint = " FORCE INDEX (PRIMARY)"
    return Place(f"{request.table.name.quoted} t{hint}")


def _tail(request: ChunkRequest, place: Place) -> str:
    order = ", ".join(f"t.{quote_identifier(name)}" for name in request.key) or place.keyless_order
    condition = _condition(request, place.row_ranges)
    return f" FROM {place.table}{condition}" + (f" ORDER BY {order}" if order else "")


def select_rows(request: ChunkRequest, place: Place) -> str:
    """The rows of a request, all columns in the table's order."""
    columns = ", ".join(column_expression(column) for column in request.table.columns)
    text = f"SELECT {place.hint}{columns}{_tail(request, place)}"
    return text + (f" LIMIT {_ALL_ROWS} OFFSET {request.skip_rows}" if request.skip_rows else "")


def select_split_point(request: ChunkRequest, rows: int, place: Place) -> str:
    """The key of the request's `rows`-th row."""
    columns = ", ".join(column_expression(column) for column in key_columns(request.table, request.key))
    return f"SELECT {place.hint}{columns}{_tail(request, place)} LIMIT 1 OFFSET {rows - 1}"


def select_ranks(columns: tuple[Column, ...], boundaries: Sequence[Key], keys: Sequence[Key]) -> str:
    """One row with, for each key, how many boundaries lie below it."""
    bounds = [[literal(c, v) for c, v in zip(columns, bound, strict=True)] for bound in boundaries]
    ranks = []
    for key in keys:
        values = [literal(column, value) for column, value in zip(columns, key, strict=True)]
        ranks.append("+".join(f"({_compare(values, bound, '>', '>')})" for bound in bounds))
    return "SELECT " + ", ".join(ranks)

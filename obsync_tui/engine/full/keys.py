"""Row keys that divide a table: which columns can, and how keys compare outside the server.

A key is one `bytes` per key column, as a row of the full read carries it: numbers and temporals in the server's own
text (TIMESTAMP as UNIX seconds, for that is how it is read), character columns in the bytes of their charset, binary
columns as stored.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Protocol

from obsync_tui.model.table import Column, TableVersion

Key = tuple[bytes, ...]
Sortable = int | Decimal | bytes | tuple[int, int]

_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year"})
_DATES = frozenset({"date", "datetime"})
_CHARACTERS = frozenset({"char", "varchar"})
_BINARIES = frozenset({"binary", "varbinary"})
# ENUM, SET, FLOAT and DOUBLE are missing on purpose: the server's comparison with a literal disagrees with its order.
_DIVISIBLE = _INTEGERS | _DATES | _CHARACTERS | _BINARIES | {"decimal", "time", "timestamp"}


def chunk_key(table: TableVersion) -> tuple[str, ...]:
    """The columns by which a table is read in ranges: its first identifying key of comparable types, else none."""
    for names in (table.primary_key, *table.unique_keys):
        if names and all(table.columns[table.column_index(name)].data_type in _DIVISIBLE for name in names):
            return names
    return ()


def key_columns(table: TableVersion, names: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of a key; KeyError when the table has none of a name."""
    return tuple(table.columns[table.column_index(name)] for name in names)


class KeyRanker(Protocol):
    """Places keys between boundaries, in the order in which the server sorts the columns."""

    def rank(self, columns: tuple[Column, ...], boundaries: Sequence[Key], keys: Sequence[Key]) -> list[int]:
        """How many of the ascending boundaries lie below each key."""
        ...


def compares_here(columns: tuple[Column, ...]) -> bool:
    """Whether keys of these columns compare without the server: no character column among them."""
    return all(column.data_type not in _CHARACTERS for column in columns)


def rank_here(columns: tuple[Column, ...], boundaries: Sequence[Key], keys: Sequence[Key]) -> list[int]:
    """What a KeyRanker answers, for columns that compare without the server."""
    sorters = [_sorter(column) for column in columns]

    def order(key: Key) -> tuple[Sortable, ...]:
        return tuple(sorter(value) for sorter, value in zip(sorters, key, strict=True))

    ordered = [order(boundary) for boundary in boundaries]
    return [bisect_left(ordered, order(key)) for key in keys]


def _sorter(column: Column) -> Callable[[bytes], Sortable]:
    data_type = column.data_type
    if data_type in _INTEGERS:
        return int
    if data_type in ("decimal", "timestamp"):
        return lambda text: Decimal(text.decode("ascii"))
    if data_type in _DATES:
        return _date_order
    if data_type == "time":
        return _time_order
    if data_type == "binary":
        return lambda value: value.ljust(column.length, b"\0")
    return bytes


def _date_order(text: bytes) -> bytes:
    whole, _, fraction = text.partition(b".")
    return whole + b"." + fraction.ljust(6, b"0")


def _time_order(text: bytes) -> int:
    hours, minutes, seconds = text.lstrip(b"-").split(b":")
    whole, _, fraction = seconds.partition(b".")
    us = ((int(hours) * 60 + int(minutes)) * 60 + int(whole)) * 1_000_000 + int(fraction.ljust(6, b"0"))
    return -us if text.startswith(b"-") else us

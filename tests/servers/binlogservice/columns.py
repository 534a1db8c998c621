"""Columns of a table: how their values are read from the engine, and how a row image and TABLE_MAP hold them.

Spatial types and those beyond MySQL's (vectors, bitmaps, arrays) are refused. BINARY comes with all its bytes, as the
engine prints it; whether Binlog Service cuts trailing zeros is not known.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.binlogservice.jsonbinary import encode_json
from tests.servers.binlogservice.numbers import (
    Encode,
    datetime_encoder,
    decimal_encoder,
    encode_date,
    encode_year,
    time_encoder,
    timestamp_encoder,
)

LOB_TYPES = frozenset(
    {"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json"}
)
_BYTES_OF_CHARACTER = {
    **dict.fromkeys(("binary", "ascii", "latin1"), 1),
    **dict.fromkeys(("gbk", "utf16le"), 2),
    **dict.fromkeys(("utf8", "utf8mb3"), 3),
    **dict.fromkeys(("utf8mb4", "utf16", "gb18030", "gb18030_2022"), 4),
}
_INTEGERS = {
    "tinyint": (1, 1),
    "smallint": (2, 2),
    "mediumint": (9, 3),
    "int": (3, 4),
    "integer": (3, 4),
    "bigint": (8, 8),
}
_LENGTH_BYTES = {
    **dict.fromkeys(("tinytext", "tinyblob"), 1),
    **dict.fromkeys(("text", "blob"), 2),
    **dict.fromkeys(("mediumtext", "mediumblob"), 3),
    **dict.fromkeys(("longtext", "longblob"), 4),
}
_STRING, _ENUM, _SET = 254, 247, 248


class Unfit(ValueError):
    """A table that cannot be followed, with the reason."""


@dataclass(frozen=True)
class Wire:
    """A column in TABLE_MAP (type and metadata) and the encoder of its values; `select` wraps its quoted name."""

    type: int
    metadata: bytes
    encode: Encode
    select: str = "{}"


@dataclass(frozen=True)
class Column:
    """A column as the engine's catalog has it; `stored` is the expression of a STORED generated column."""

    name: str
    data_type: str
    column_type: str
    nullable: bool
    wire: Wire
    stored: str = ""

    @property
    def lob(self) -> bool:
        """Whether long values are kept outside of the row."""
        return self.data_type in LOB_TYPES

    @property
    def expression(self) -> str:
        """What is selected from the view log."""
        source = f"({self.stored})" if self.stored else quoted(self.name)
        return self.wire.select.format(source)


def quoted(name: str) -> str:
    """The name as SQL takes it."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class CatalogColumn:
    """What information_schema.COLUMNS says of a column."""

    name: str
    data_type: str
    column_type: str
    characters: int | None
    precision: int | None
    scale: int | None
    fraction_digits: int | None
    charset: str | None


def wire_of(column: CatalogColumn) -> Wire:
    """How the column's values travel; raises Unfit."""
    kind = column.data_type
    if kind in _INTEGERS:
        return _integer(kind, "unsigned" in column.column_type)
    if kind in _LENGTH_BYTES:
        size = _LENGTH_BYTES[kind]
        return Wire(252, bytes([size]), lambda raw: len(raw).to_bytes(size, "little") + raw)
    if kind in ("varchar", "varbinary"):
        limit = _limit(column)
        return Wire(15, struct.pack("<H", limit), _prefixed(limit))
    if kind in ("char", "binary"):
        limit = _limit(column)
        # The two upper bits of a length above 255 hide, inverted, in the type.
        metadata = bytes([_STRING ^ (limit & 0x300) >> 4, limit & 0xFF])
        return Wire(_STRING, metadata, _prefixed(limit))
    make = _OTHERS.get(kind)
    if make is None:
        raise Unfit(f"column {column.name} of type {column.column_type} cannot be followed")
    return make(column)


def _integer(kind: str, unsigned: bool) -> Wire:
    code, size = _INTEGERS[kind]
    return Wire(code, b"", lambda text: int(text).to_bytes(size, "little", signed=not unsigned))


def _limit(column: CatalogColumn) -> int:
    charset = column.charset or "binary"
    if charset not in _BYTES_OF_CHARACTER:
        raise Unfit(f"column {column.name} has character set {charset}")
    return (column.characters or 0) * _BYTES_OF_CHARACTER[charset]


def _prefixed(limit: int) -> Encode:
    size = 1 if limit < 256 else 2
    return lambda raw: len(raw).to_bytes(size, "little") + raw


def _bit(column: CatalogColumn) -> Wire:
    bits = column.precision or 1
    size = (bits + 7) // 8
    return Wire(
        16, bytes([bits % 8, bits // 8]), lambda text: int(text).to_bytes(size, "big"), "CAST({} AS UNSIGNED)"
    )


def _members(column: CatalogColumn) -> int:
    return column.column_type.count("','") + 1


def _enum(column: CatalogColumn) -> Wire:
    size = 1 if _members(column) < 256 else 2
    return Wire(
        _STRING, bytes([_ENUM, size]), lambda text: int(text).to_bytes(size, "little"), "CAST({} AS UNSIGNED)"
    )


def _set(column: CatalogColumn) -> Wire:
    size = (_members(column) + 7) // 8
    size = 8 if size > 4 else size
    return Wire(
        _STRING, bytes([_SET, size]), lambda text: int(text).to_bytes(size, "little"), "CAST({} AS UNSIGNED)"
    )


def _decimal(column: CatalogColumn) -> Wire:
    precision, scale = column.precision or 10, column.scale or 0
    return Wire(246, bytes([precision, scale]), decimal_encoder(precision, scale))


def _json(column: CatalogColumn) -> Wire:
    def encode(text: bytes) -> bytes:
        data = encode_json(text)
        return len(data).to_bytes(4, "little") + data

    return Wire(245, b"\x04", encode)


def _timestamp(column: CatalogColumn) -> Wire:
    digits = column.fraction_digits or 0
    # As seconds: the text of a time zone's repeated hour would not tell which is meant.
    return Wire(17, bytes([digits]), timestamp_encoder(digits), "UNIX_TIMESTAMP({})")


_OTHERS: dict[str, Callable[[CatalogColumn], Wire]] = {
    "bit": _bit,
    "enum": _enum,
    "set": _set,
    "decimal": _decimal,
    "json": _json,
    "timestamp": _timestamp,
    # A plain SELECT gives a FLOAT rounded to six digits.
    "float": lambda column: Wire(4, b"\x04", lambda text: struct.pack("<f", float(text)), "{}*1e0"),
    "double": lambda column: Wire(5, b"\x08", lambda text: struct.pack("<d", float(text))),
    "year": lambda column: Wire(13, b"", encode_year),
    "date": lambda column: Wire(10, b"", encode_date),
    "time": lambda column: Wire(
        19, bytes([column.fraction_digits or 0]), time_encoder(column.fraction_digits or 0)
    ),
    "datetime": lambda column: Wire(
        18, bytes([column.fraction_digits or 0]), datetime_encoder(column.fraction_digits or 0)
    ),
}

"""How the kernel reads a column: codes and widths, as `engine/native/program.h` numbers them."""

from enum import IntEnum

import msgspec

from obsync_tui.engine.formats.plan import Renderer
from obsync_tui.engine.rowplan.binlog import string_metadata
from obsync_tui.engine.rowplan.code import Quoting, quoting_of
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.values import charsets
from obsync_tui.engine.values.jsonbinary import JsonDialect, json_text
from obsync_tui.engine.values.rowimage import decimal_bytes
from obsync_tui.model.table import UNPRINTED, Column

QUOTINGS = (Quoting.PLAIN, Quoting.QUOTED, Quoting.ESCAPED)


class Code(IntEnum):
    """How a raw value becomes text."""

    SIGNED = 0
    UNSIGNED = 1
    FLOAT = 2
    DOUBLE = 3
    YEAR = 4
    DATE = 5
    TIMESTAMP = 6
    DATETIME = 7
    TIME = 8
    DECIMAL = 9
    BASE64 = 10
    ENUM = 11
    SET = 12
    UTF8 = 13
    SINGLE = 14
    CALL = 15
    READY = 16
    READY_TIMESTAMP = 17
    READY_FRACTION = 18
    READY_INTEGER = 19
    READY_DECIMAL = 20
    READY_FLOAT = 21
    READY_DOUBLE = 22


_TEXTS = (Code.ENUM, Code.SET, Code.UTF8, Code.SINGLE, Code.CALL)


class KernelColumn(msgspec.Struct, frozen=True):
    """One column of a program: `width` bytes of a fixed value, or minus the bytes of the length in front of it."""

    code: Code
    width: int = 1
    first: int = 0
    second: int = 0
    extra: object = None

    def described(self, column: Column, renderer: Renderer) -> tuple[object, ...] | None:
        """The tuple that the kernel takes, None when it does not write the type as the renderer asks."""
        quoting = quoting_of(column, renderer)
        if (self.code in _TEXTS and quoting is not Quoting.ESCAPED) or (
            self.code not in (*_TEXTS, Code.BASE64) and quoting is Quoting.ESCAPED
        ):
            return None
        place = QUOTINGS.index(quoting)
        return self.width, int(self.code), place, column.nullable, self.first, self.second, self.extra


_SIZES = {WireType.TINY: 1, WireType.SHORT: 2, WireType.INT24: 3, WireType.LONG: 4, WireType.LONGLONG: 8}
_TIMES = {
    WireType.TIMESTAMP2: (Code.TIMESTAMP, 4),
    WireType.DATETIME2: (Code.DATETIME, 5),
    WireType.TIME2: (Code.TIME, 3),
}


def binlog_column(column: Column, wire_type: int, metadata: int, dialect: JsonDialect) -> KernelColumn | None:
    """A column of a row image; None when the kernel does not know the type."""
    match wire_type:
        case WireType.TINY | WireType.SHORT | WireType.INT24 | WireType.LONG | WireType.LONGLONG:
            code = Code.UNSIGNED if column.unsigned else Code.SIGNED
            return KernelColumn(code, _SIZES[WireType(wire_type)])
        case WireType.FLOAT:
            return KernelColumn(Code.FLOAT, 4)
        case WireType.DOUBLE:
            return KernelColumn(Code.DOUBLE, 8)
        case WireType.YEAR:
            return KernelColumn(Code.YEAR, 1)
        case WireType.DATE:
            return KernelColumn(Code.DATE, 3)
        case WireType.TIMESTAMP2 | WireType.DATETIME2 | WireType.TIME2 if metadata <= 6:
            code, size = _TIMES[WireType(wire_type)]
            fraction = (metadata + 1) // 2
            return KernelColumn(code, size + fraction, fraction)
        case WireType.NEWDECIMAL:
            return _decimal(metadata >> 8, metadata & 0xFF)
        case WireType.BIT if 0 < metadata <= 8 << 8:
            return KernelColumn(Code.BASE64, (metadata >> 8) + (1 if metadata & 0xFF else 0))
        case WireType.STRING:
            return _string(column, metadata)
        case WireType.VARCHAR | WireType.VAR_STRING:
            return _counted(column, 1 if metadata < 256 else 2)
        case WireType.JSON if 1 <= metadata <= 4:
            return KernelColumn(Code.CALL, -metadata, extra=lambda data: json_text(data, dialect))
        case WireType.BLOB | WireType.GEOMETRY if 1 <= metadata <= 4:
            return _counted(column, metadata)
    return None


def _decimal(precision: int, scale: int) -> KernelColumn | None:
    if not 0 < precision <= 65 or not 0 <= scale <= min(30, precision):
        return None
    return KernelColumn(Code.DECIMAL, decimal_bytes(precision, scale), precision, scale)


def _string(column: Column, metadata: int) -> KernelColumn | None:
    real_type, length = string_metadata(metadata)
    if real_type == WireType.ENUM:
        return (
            KernelColumn(Code.ENUM, length, extra=_members(("", *column.members)))
            if length in (1, 2)
            else None
        )
    if real_type == WireType.SET:
        return KernelColumn(Code.SET, length, extra=_members(column.members)) if 1 <= length <= 8 else None
    prefix = 1 if length < 256 else 2
    if column.data_type == "binary":
        return KernelColumn(Code.BASE64, -prefix, length)
    return _counted(column, prefix)


def _members(members: tuple[str, ...]) -> tuple[bytes | None, ...]:
    return tuple(None if UNPRINTED in text else text.encode("utf-8", "surrogatepass") for text in members)


def _counted(column: Column, length_bytes: int) -> KernelColumn:
    return msgspec.structs.replace(_text_of(column), width=-length_bytes)


def _text_of(column: Column) -> KernelColumn:
    if column.data_type == "json":
        return KernelColumn(Code.UTF8)
    if column.charset is None or column.charset == "binary":
        return KernelColumn(Code.BASE64)
    codec = charsets.exact_codec(column.charset)
    if codec is not None and codec.codec == "utf-8":
        return KernelColumn(Code.UTF8, first=codec.errors == "surrogatepass")
    decode = charsets.decoder(column.charset)
    table = charsets.single_bytes(column.charset)
    if table is not None and table[:128] == tuple(map(chr, range(128))):
        return KernelColumn(Code.SINGLE, extra=tuple(text and text.encode() for text in table))
    return KernelColumn(Code.CALL, first=charsets.is_ascii_superset(column.charset), extra=decode)


_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")


def result_column(column: Column) -> KernelColumn:
    """A column of a result set's row, as `text.py` has it."""
    data_type, zerofill = column.data_type, "zerofill" in column.column_type
    if data_type in _INTEGERS or data_type == "year":
        return KernelColumn(Code.READY_INTEGER if zerofill or data_type == "year" else Code.READY)
    if data_type in ("decimal", "numeric"):
        return KernelColumn(Code.READY_DECIMAL if zerofill else Code.READY)
    if data_type == "float":
        return KernelColumn(Code.READY_FLOAT)
    if data_type == "double":
        return KernelColumn(Code.READY_DOUBLE)
    if data_type == "timestamp":
        return KernelColumn(Code.READY_TIMESTAMP, first=bool(column.fsp))
    if data_type in ("date", "datetime", "time"):
        return KernelColumn(Code.READY_FRACTION if column.fsp else Code.READY)
    if data_type == "json" or (column.charset is None and data_type in ("enum", "set")):
        return KernelColumn(Code.UTF8)
    return _text_of(column)

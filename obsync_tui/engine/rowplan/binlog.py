"""Columns of a binlog row image.

Formats: MySQL internals, `Table_map_log_event` and `Rows_log_event` of row events version 2.
"""

from binascii import b2a_base64

from obsync_tui.engine.formats.plan import Renderer
from obsync_tui.engine.rowplan.code import ColumnCode, Quoting, Reader, quoting_of
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.values import charsets, rowimage
from obsync_tui.engine.values.jsonbinary import JsonDialect, json_text
from obsync_tui.engine.values.numbers import float32_text, float64_text
from obsync_tui.model.table import Column

_INTEGERS = {
    WireType.TINY: ("b", 1),
    WireType.SHORT: ("h", 2),
    WireType.LONG: ("i", 4),
    WireType.LONGLONG: ("q", 8),
}


def column_code(
    column: Column, wire_type: int, metadata: int, renderer: Renderer, dialect: JsonDialect
) -> ColumnCode:
    """How the column is read from a row image and written by the renderer.

    ValueError when the type is unknown, or the schema's type cannot lie in this wire type.
    """
    quoting = quoting_of(column, renderer)
    if wire_type in _INTEGERS:
        token, size = _INTEGERS[WireType(wire_type)]
        return ColumnCode("{r}", quoting, fixed=token.upper() if column.unsigned else token, size=size)
    if wire_type == WireType.STRING:
        return _string(column, metadata, quoting)
    if wire_type in (WireType.VARCHAR, WireType.VAR_STRING):
        return _counted(column, 1 if metadata < 256 else 2, quoting)
    if wire_type == WireType.JSON:
        read = _counted(column, metadata, quoting).read
        return ColumnCode("{h}({r})", quoting, read=read, reader=lambda data: json_text(data, dialect))
    if wire_type in (WireType.BLOB, WireType.GEOMETRY):
        return _counted(column, metadata, quoting)
    fixed = _fixed(column, wire_type, metadata)
    if fixed is None:
        raise ValueError(
            f"column {column.name}: type code {wire_type} is not supported; a table made before MySQL 5.6 needs "
            f"ALTER TABLE … FORCE"
        )
    token, size, text, reader = fixed
    return ColumnCode(text, quoting, fixed=token, size=size, reader=reader)


def _fixed(column: Column, wire_type: int, metadata: int) -> tuple[str, int, str, Reader | None] | None:
    fraction = (metadata + 1) // 2
    match wire_type:
        case WireType.INT24:
            signed = "" if column.unsigned else ", signed=True"
            return "3s", 3, f"from_bytes({{r}}, 'little'{signed})", None
        case WireType.FLOAT:
            return "f", 4, "{h}({r})", float32_text
        case WireType.DOUBLE:
            # What float64_text does, without a call; it refuses infinity and NaN, which end in a letter.
            short = "x[:-2] if (x := repr({r}))[-2:] == '.0' else x if x[-1] <= '9' else {h}({r})"
            return "d", 8, f"({short})", float64_text
        case WireType.YEAR:
            return "B", 1, "{h}({r})", rowimage.year_text
        case WireType.DATE:
            return "3s", 3, "{h}(from_bytes({r}, 'little'))", rowimage.DATES.__getitem__
        case WireType.TIMESTAMP2 if not fraction:
            return "4s", 4, "(w if (w := from_bytes({r})) else '0000-00-00 00:00:00')", None
        case WireType.DATETIME2 if not fraction:
            return (
                "5s",
                5,
                "datetime_dates[(w := from_bytes({r}) - 549755813888) >> 17] + clocks[w & 131071]",
                None,
            )
        case WireType.TIMESTAMP2:
            return f"{4 + fraction}s", 4 + fraction, "{h}({r})", rowimage.timestamp_text
        case WireType.DATETIME2:
            return f"{5 + fraction}s", 5 + fraction, "{h}({r})", rowimage.datetime_text
        case WireType.TIME2:
            return f"{3 + fraction}s", 3 + fraction, "{h}({r})", rowimage.time_text
        case WireType.NEWDECIMAL:
            precision, scale = metadata >> 8, metadata & 0xFF
            size = rowimage.decimal_bytes(precision, scale)
            return (
                f"{size}s",
                size,
                _decimal(precision, scale, size),
                rowimage.decimal_reader(precision, scale),
            )
        case WireType.BIT:
            size = (metadata >> 8) + (1 if metadata & 0xFF else 0)
            return f"{size}s", size, "{h}({r}, newline=False).decode()", b2a_base64
    return None


def _decimal(precision: int, scale: int, size: int) -> str:
    """Money's usual shape, one group of digits on each side, without a call for what is not negative."""
    if not 0 < scale <= 3 or not 0 < precision - scale <= 9:
        return "{h}({r})"
    top, shift = 1 << (8 * size - 1), 8 * rowimage.decimal_bytes(scale, scale)
    digits = f"f'{{{{w >> {shift}}}}}.{{{{fractions{scale}[w & {(1 << shift) - 1}]}}}}'"
    return f"({digits} if not (w := from_bytes({{r}}) ^ {top}) & {top} else {{h}}({{r}}))"


def string_metadata(metadata: int) -> tuple[int, int]:
    """The real type and the length in bytes that STRING's metadata (first byte high) packs."""
    high, low = metadata >> 8, metadata & 0xFF
    if high & 0x30 != 0x30:
        return high | 0x30, low | ((high & 0x30) ^ 0x30) << 4
    return high, low


def _string(column: Column, metadata: int, quoting: Quoting) -> ColumnCode:
    real_type, length = string_metadata(metadata)
    if real_type == WireType.ENUM:
        return ColumnCode(
            "{h}({r})",
            quoting,
            "B" if length == 1 else "H",
            length,
            reader=rowimage.enum_reader(column.members),
        )
    if real_type == WireType.SET:
        return ColumnCode(
            "{h}(from_bytes({r}, 'little'))",
            quoting,
            f"{length}s",
            length,
            reader=rowimage.set_reader(column.members),
        )
    if column.data_type == "binary":
        # Trailing zero bytes are not in the image; the column always has its full length.
        pad = f"{{r}}.ljust({length}, b'\\0')"
        read = _counted(column, 1 if length < 256 else 2, quoting).read
        return ColumnCode(f"{{h}}({pad}, newline=False).decode()", quoting, read=read, reader=b2a_base64)
    return _counted(column, 1 if length < 256 else 2, quoting)


def _counted(column: Column, length_bytes: int, quoting: Quoting) -> ColumnCode:
    match length_bytes:
        case 1:
            length = "buf[p]"
        case 2:
            length = "buf[p] | buf[p + 1] << 8"
        case _:
            length = f"from_bytes(buf[p:p + {length_bytes}], 'little')"
    read = (f"{{r}} = buf[p + {length_bytes}:(p := p + {length_bytes} + ({length}))]",)
    text, reader = text_of(column)
    return ColumnCode(text, quoting, read=read, reader=reader)


def text_of(column: Column) -> tuple[str, Reader | None]:
    """An expression that makes bytes of the column text: decoded by its charset, or Base64 where it has none."""
    if column.data_type == "json":
        return "str({r}, 'utf-8')", None
    if column.charset is None or column.charset == "binary":
        return "{h}({r}, newline=False).decode()", b2a_base64
    codec = charsets.exact_codec(column.charset)
    if codec is not None and codec.codec == "utf-8":
        # Decoding ASCII without arguments costs half.
        return f"({{r}}.decode() if {{r}}.isascii() else str({{r}}, 'utf-8', {codec.errors!r}))", None
    if codec is not None:
        return f"str({{r}}, {codec.codec!r}, {codec.errors!r})", None
    return "{h}({r})", charsets.decoder(column.charset)

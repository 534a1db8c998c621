"""MySQL's binary JSON (sql/json_binary.h) to the text that the server prints for the column."""

from base64 import b64encode
from json.encoder import encode_basestring
from struct import Struct
from struct import error as StructError
from typing import NamedTuple

from obsync_tui.engine.values.numbers import decimal_text, mysql_double_text
from obsync_tui.engine.values.temporal import packed_date_text, packed_datetime_text, packed_time_text

MAX_DEPTH = 100
"""Arrays and objects inside each other that the server allows."""


class JsonDialect(NamedTuple):
    """Where servers print the same document differently.

    `whole_double_suffix` follows a double that prints as a whole number. `base64_break` parts the Base64 of
    an opaque value after each 76 characters.
    """

    whole_double_suffix: str
    base64_break: str


MYSQL57 = JsonDialect(whole_double_suffix="", base64_break="\n")
MYSQL80 = JsonDialect(whole_double_suffix=".0", base64_break="\\n")
# ob_json_base.cpp of OceanBase 4: the engine's Base64 has no line breaks.
OCEANBASE = JsonDialect(whole_double_suffix=".0", base64_break="")

_SMALL_OBJECT, _LARGE_ARRAY = 0, 3
_LITERAL, _INT16, _UINT16, _INT32, _UINT32, _INT64, _UINT64 = 4, 5, 6, 7, 8, 9, 10
_DOUBLE, _STRING, _OPAQUE = 11, 12, 15
_TIMESTAMP, _DATE, _TIME, _DATETIME, _NEWDECIMAL = 7, 10, 11, 12, 246

_LITERALS = ("null", "true", "false")
_PAIR = (Struct("<HH"), Struct("<II"))
_KEY_ENTRY = (Struct("<HH"), Struct("<IH"))
_VALUE_ENTRY = (Struct("<BH"), Struct("<BI"))
_INTEGERS = {
    _INT16: Struct("<h"),
    _UINT16: Struct("<H"),
    _INT32: Struct("<i"),
    _UINT32: Struct("<I"),
    _INT64: Struct("<q"),
    _UINT64: Struct("<Q"),
}
_FLOAT64 = Struct("<d")
_BASE64_LINE = 76


def json_text(data: bytes, dialect: JsonDialect = MYSQL80) -> str:
    """The text that the server prints for a JSON column whose stored bytes are `data`, without length prefix.

    Nothing at all is JSON's null: INSERT IGNORE stores it for NULL in a NOT NULL column. A lone surrogate in
    a string stays one. ValueError names what is wrong with a malformed document.
    """
    if not data:
        return "null"
    try:
        if data[0] <= _LARGE_ARRAY:
            return _container(data, data[0], 1, len(data), 1, dialect)
        return _scalar(data, data[0], 1, len(data), dialect)
    except (StructError, IndexError) as e:
        raise ValueError(f"binary JSON ends too early: {e}") from e


def _container(data: bytes, kind: int, start: int, end: int, depth: int, dialect: JsonDialect) -> str:
    """The text of the array or object at `start`; offsets inside it count from there."""
    if depth > MAX_DEPTH:
        raise ValueError(f"binary JSON is nested deeper than {MAX_DEPTH}")
    large = kind & 1
    is_object = kind <= 1
    count, size_bytes = _PAIR[large].unpack_from(data, start)
    if start + size_bytes > end:
        raise ValueError(f"binary JSON at byte {start} claims {size_bytes} bytes, {end - start} are left")
    end = start + size_bytes
    value_entry = _VALUE_ENTRY[large]
    last_inlined = _UINT32 if large else _UINT16
    keys_at = values_at = start + _PAIR[large].size
    if is_object:
        values_at += count * _KEY_ENTRY[large].size
    body_at = values_at + count * value_entry.size
    if body_at > end:
        raise ValueError(f"binary JSON at byte {start} has no room for its {count} entries")
    texts: list[str] = []
    for value_kind, offset in value_entry.iter_unpack(data[values_at:body_at]):
        if _LITERAL <= value_kind <= last_inlined:
            texts.append(_inlined(value_kind, offset))
            continue
        at = start + offset
        if not body_at <= at < end:
            raise ValueError(f"binary JSON at byte {start} has a value outside of it, at {at}")
        if value_kind == _STRING and data[at] < 0x80:
            stop = at + 1 + data[at]
            if stop > end:
                raise ValueError(f"binary JSON has a string at byte {at} that ends behind its parent")
            texts.append(_quoted(data[at + 1 : stop]))
        elif value_kind <= _LARGE_ARRAY:
            texts.append(_container(data, value_kind, at, end, depth + 1, dialect))
        else:
            texts.append(_scalar(data, value_kind, at, end, dialect))
    if not is_object:
        return f"[{', '.join(texts)}]"
    members: list[str] = []
    key_entries = _KEY_ENTRY[large].iter_unpack(data[keys_at:values_at])
    for (offset, length), text in zip(key_entries, texts, strict=True):
        at = start + offset
        if at < body_at or at + length > end:
            raise ValueError(f"binary JSON at byte {start} has a key outside of it, at {at}")
        members.append(f"{_quoted(data[at : at + length])}: {text}")
    return f"{{{', '.join(members)}}}"


def _inlined(kind: int, field: int) -> str:
    """A value that stands in its entry, in the low bytes of the offset."""
    if kind == _LITERAL:
        return _literal(field & 0xFF)
    if kind == _INT16:
        return str(((field & 0xFFFF) ^ 0x8000) - 0x8000)
    if kind == _UINT16:
        return str(field & 0xFFFF)
    if kind == _INT32:
        return str((field ^ 0x80000000) - 0x80000000)
    return str(field)


def _scalar(data: bytes, kind: int, start: int, end: int, dialect: JsonDialect) -> str:
    if kind == _STRING:
        at, stop = _extent(data, start, end)
        return _quoted(data[at:stop])
    if kind in _INTEGERS:
        return str(_INTEGERS[kind].unpack_from(data, start)[0])
    if kind == _DOUBLE:
        text = mysql_double_text(_FLOAT64.unpack_from(data, start)[0])
        return text if "." in text or "e" in text else text + dialect.whole_double_suffix
    if kind == _LITERAL:
        return _literal(data[start])
    if kind == _OPAQUE:
        at, stop = _extent(data, start + 1, end)
        return _opaque(data[start], data[at:stop], dialect)
    raise ValueError(f"binary JSON has a value of unknown type {kind} at byte {start}")


def _literal(number: int) -> str:
    if number >= len(_LITERALS):
        raise ValueError(f"binary JSON has an unknown literal {number}")
    return _LITERALS[number]


def _extent(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Begin and end of the bytes behind the length at `start`: seven bits a byte, lowest first."""
    length = 0
    for shift in range(5):
        byte = data[start + shift]
        length |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            begin = start + shift + 1
            if begin + length > end:
                raise ValueError(f"binary JSON has {length} bytes at {begin} that end behind their parent")
            return begin, begin + length
    raise ValueError(f"binary JSON has a length of more than five bytes at {start}")


def _quoted(raw: bytes) -> str:
    # The encoder of the standard library escapes what MySQL escapes, the same way: U+0000–U+001F, " and \.
    try:
        return encode_basestring(str(raw, "utf-8"))
    except UnicodeDecodeError:
        return encode_basestring(raw.decode("utf-8", "surrogatepass"))


def _opaque(field_type: int, raw: bytes, dialect: JsonDialect) -> str:
    """A value of an SQL type that JSON does not have: DECIMAL, a time, or bytes with their type's number."""
    if field_type == _NEWDECIMAL:
        return decimal_text(raw[2:], raw[0], raw[1])
    if field_type in (_TIMESTAMP, _DATE, _TIME, _DATETIME):
        if len(raw) != 8:
            raise ValueError(f"binary JSON has a time of {len(raw)} bytes instead of 8")
        packed = int.from_bytes(raw, "little", signed=True)
        if field_type == _DATE:
            return f'"{packed_date_text(packed)}"'
        if field_type == _TIME:
            return f'"{packed_time_text(packed)}"'
        return f'"{packed_datetime_text(packed)}"'
    text = b64encode(raw).decode("ascii")
    lines = [text[at : at + _BASE64_LINE] for at in range(0, len(text), _BASE64_LINE)]
    return f'"base64:type{field_type}:{dialect.base64_break.join(lines)}"'

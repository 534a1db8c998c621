"""JSON text to MySQL's binary JSON.

What the text does not tell is not there: a number with a point or an exponent is a double, dates and binary values
are strings.
"""

from __future__ import annotations

import json
import struct
from typing import Any

_SMALL_OBJECT, _LARGE_OBJECT, _SMALL_ARRAY, _LARGE_ARRAY = 0, 1, 2, 3
_LITERAL, _INT16, _UINT16, _INT32, _UINT32, _INT64, _UINT64, _DOUBLE, _STRING = range(4, 13)
_LITERALS = {None: 0, True: 1, False: 2}
_INTEGERS = (
    (_INT16, "<h", -(1 << 15), 1 << 15),
    (_UINT16, "<H", 0, 1 << 16),
    (_INT32, "<i", -(1 << 31), 1 << 31),
    (_UINT32, "<I", 0, 1 << 32),
    (_INT64, "<q", -(1 << 63), 1 << 63),
    (_UINT64, "<Q", 0, 1 << 64),
)
_SMALL_LIMIT = 1 << 16


class TooLarge(ValueError):
    """The value does not fit offsets of two bytes."""


def encode_json(text: bytes) -> bytes:
    """The document: a type byte and its value."""
    kind, value = _encode(json.loads(text))
    return bytes([kind]) + value


def _encode(value: Any) -> tuple[int, bytes]:
    if value is None or isinstance(value, bool):
        return _LITERAL, bytes([_LITERALS[value]])
    if isinstance(value, int):
        for kind, form, low, end in _INTEGERS:
            if low <= value < end:
                return kind, struct.pack(form, value)
        return _DOUBLE, struct.pack("<d", value)
    if isinstance(value, float):
        return _DOUBLE, struct.pack("<d", value)
    if isinstance(value, str):
        data = value.encode()
        return _STRING, _variable_length(len(data)) + data
    for large in (False, True):
        try:
            return _container(value, large=large)
        except TooLarge:
            continue
    raise ValueError("a JSON document of more than 4 GB")


def _variable_length(size: int) -> bytes:
    found = bytearray()
    while size > 0x7F:
        found.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(found) + bytes([size])


def _container(value: Any, *, large: bool) -> tuple[int, bytes]:
    width = 4 if large else 2
    is_object = isinstance(value, dict)
    members = _sorted(value) if is_object else [(b"", item) for item in value]
    keys = [key for key, _ in members] if is_object else []
    at = 2 * width + len(keys) * (width + 2) + len(members) * (1 + width)
    key_entries, value_entries, content = bytearray(), bytearray(), bytearray()
    for key in keys:
        key_entries += _offset(at + len(content), large=large) + struct.pack("<H", len(key))
        content += key
    for _, item in members:
        kind, data = _encode(item)
        value_entries.append(kind)
        if kind == _LITERAL or (kind in (_INT16, _UINT16)) or (large and kind in (_INT32, _UINT32)):
            value_entries += _inlined(kind, data, width)
        else:
            value_entries += _offset(at + len(content), large=large)
            content += data
    size = at + len(content)
    head = _offset(len(members), large=large) + _offset(size, large=large)
    kind = (
        (_LARGE_OBJECT if large else _SMALL_OBJECT) if is_object else _LARGE_ARRAY if large else _SMALL_ARRAY
    )
    return kind, head + bytes(key_entries) + bytes(value_entries) + bytes(content)


def _sorted(value: dict[str, Any]) -> list[tuple[bytes, Any]]:
    """Members by the length of their key, then its bytes."""
    return sorted(
        ((key.encode(), item) for key, item in value.items()), key=lambda pair: (len(pair[0]), pair[0])
    )


def _inlined(kind: int, data: bytes, width: int) -> bytes:
    # A short negative number fills its place with its sign.
    filler = b"\xff" if kind == _INT16 and data[-1] & 0x80 else b"\0"
    return data.ljust(width, filler)


def _offset(number: int, *, large: bool) -> bytes:
    if large:
        return struct.pack("<I", number)
    if number >= _SMALL_LIMIT:
        raise TooLarge
    return struct.pack("<H", number)

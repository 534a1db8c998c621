"""MySQL's binary JSON (sql/json_binary.h) as a tree that can be changed, and back to bytes.

A scalar is its type byte and its bytes, never a number: what is not touched stays as the server wrote it.
"""

from struct import Struct, pack
from struct import error as StructError

from obsync_tui.engine.values.jsonbinary import MAX_DEPTH

Node = dict[bytes, "Node"] | list["Node"] | bytes

_LARGE_OBJECT, _LARGE_ARRAY = 1, 3
_INT16, _UINT32, _STRING, _OPAQUE = 5, 8, 12, 15
# Bytes of the scalars that have a fixed length, by type.
_SIZES = {4: 1, 5: 2, 6: 2, 7: 4, 8: 4, 9: 8, 10: 8, 11: 8}
_LITERAL = 4
_JSON_NULL = b"\x04\x00"
_PAIR = (Struct("<HH"), Struct("<II"))
_KEY_ENTRY = (Struct("<HH"), Struct("<IH"))
_VALUE_ENTRY = (Struct("<BH"), Struct("<BI"))


def read_tree(data: bytes) -> Node:
    """The tree of a document; nothing at all is JSON's null. ValueError when it is malformed."""
    if not data:
        return _JSON_NULL
    try:
        return _read(data, data[0], 1, 1)
    except (StructError, IndexError) as e:
        raise ValueError(f"binary JSON ends too early: {e}") from e


def write_tree(node: Node) -> bytes:
    """The document of a tree, its containers in the form for large ones."""
    kind, body = _write(node)
    return bytes([kind]) + body


def _read(data: bytes, kind: int, start: int, depth: int) -> Node:
    if kind > _LARGE_ARRAY:
        return _scalar(data, kind, start)
    if depth > MAX_DEPTH:
        raise ValueError(f"binary JSON is nested deeper than {MAX_DEPTH}")
    large, is_object = kind & 1, kind <= 1
    count, _ = _PAIR[large].unpack_from(data, start)
    keys_at = values_at = start + _PAIR[large].size
    if is_object:
        values_at += count * _KEY_ENTRY[large].size
    entry = _VALUE_ENTRY[large]
    last_inlined = _UINT32 if large else _INT16 + 1
    nodes: list[Node] = []
    for at in range(values_at, values_at + count * entry.size, entry.size):
        value_kind, offset = entry.unpack_from(data, at)
        if _LITERAL <= value_kind <= last_inlined:
            nodes.append(_scalar(data, value_kind, at + 1))
        else:
            nodes.append(_read(data, value_kind, start + offset, depth + 1))
    if not is_object:
        return nodes
    keys: list[bytes] = []
    for at in range(keys_at, values_at, _KEY_ENTRY[large].size):
        offset, length = _KEY_ENTRY[large].unpack_from(data, at)
        keys.append(data[start + offset : start + offset + length])
    return dict(zip(keys, nodes, strict=True))


def _scalar(data: bytes, kind: int, start: int) -> bytes:
    if kind in _SIZES:
        end = start + _SIZES[kind]
    elif kind in (_STRING, _OPAQUE):
        at = start + 1 if kind == _OPAQUE else start
        length = shift = 0
        while True:
            length |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if data[at - 1] < 0x80:
                break
        end = at + length
    else:
        raise ValueError(f"binary JSON has a value of unknown type {kind} at byte {start}")
    if end > len(data):
        raise ValueError(f"binary JSON has a value at byte {start} that ends behind the document")
    return bytes([kind]) + data[start:end]


def _write(node: Node) -> tuple[int, bytes]:
    if isinstance(node, bytes):
        return node[0], node[1:]
    # Members stand in the order of their keys' lengths, then bytes, and are printed in it.
    keys = sorted(node, key=lambda key: (len(key), key)) if isinstance(node, dict) else []
    values = [node[key] for key in keys] if isinstance(node, dict) else node
    at = 8 + 6 * len(keys) + 5 * len(values)
    entries, content = bytearray(), bytearray()
    for key in keys:
        entries += pack("<IH", at + len(content), len(key))
        content += key
    for value in values:
        kind, body = _write(value)
        if _LITERAL <= kind <= _UINT32:
            # A short negative number fills its place with its sign.
            filler = b"\xff" if kind == _INT16 and body[1] & 0x80 else b"\0"
            entries += bytes([kind]) + body.ljust(4, filler)
        else:
            entries += pack("<BI", kind, at + len(content))
            content += body
    head = pack("<II", len(values), at + len(content))
    return _LARGE_OBJECT if isinstance(node, dict) else _LARGE_ARRAY, head + bytes(entries) + bytes(content)

"""Applies what changed in a JSON document, as a log that holds updates in part tells it.

Format: sql/json_diff.cc of MySQL 8.0: an operation, a path, and a value unless something is removed; lengths before
path and value. Paths: sql/json_path.cc.
"""

import json
from typing import NamedTuple

from obsync_tui.engine.values.jsontree import Node, read_tree, write_tree

_REPLACE, _INSERT, _REMOVE = 0, 1, 2
_QUOTED = json.JSONDecoder()

Leg = bytes | int
"""A member's key, or a cell's number; from the array's end when it is negative."""


class _Diff(NamedTuple):
    operation: int
    path: str
    value: Node


def apply_diffs(document: bytes, diffs: bytes) -> bytes:
    """The document after the changes. ValueError when one does not fit it."""
    if not diffs:
        return document
    root = read_tree(document)
    for diff in _parse(diffs):
        legs = _legs(diff.path)
        if not legs:
            if diff.operation != _REPLACE:
                raise ValueError("a change of a whole JSON document that does not replace it")
            root = diff.value
        else:
            _change(_seek(root, legs[:-1], diff.path), legs[-1], diff)
    return write_tree(root)


def _parse(diffs: bytes) -> list[_Diff]:
    found: list[_Diff] = []
    at = 0
    try:
        while at < len(diffs):
            operation, at = diffs[at], at + 1
            length, at = _length(diffs, at)
            path, at = diffs[at : at + length].decode(), at + length
            value: Node = b""
            if operation != _REMOVE:
                length, at = _length(diffs, at)
                value, at = read_tree(diffs[at : at + length]), at + length
            found.append(_Diff(operation, path, value))
    except IndexError as error:
        raise ValueError("a change of a JSON document ends too early") from error
    return found


def _length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 251:
        return first, at + 1
    width = {252: 2, 253: 3, 254: 8}.get(first, 0)
    if not width:
        raise ValueError(f"a change of a JSON document has the length {first}")
    return int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width


def _legs(path: str) -> list[Leg]:
    """`$.key."other key"[3][last-1]` as its legs."""
    legs: list[Leg] = []
    at = 1
    if not path.startswith("$"):
        raise ValueError(f"not a JSON path: {path!r}")
    while at < len(path):
        if path[at] == "[":
            end = path.index("]", at)
            legs.append(_cell(path[at + 1 : end].replace(" ", "")))
            at = end + 1
        elif path[at : at + 2] == '."':
            key, at = _QUOTED.raw_decode(path, at + 1)
            legs.append(key.encode("utf-8", "surrogatepass"))
        elif path[at] == ".":
            end = min(
                (found for found in (path.find(c, at + 1) for c in ".[") if found > 0), default=len(path)
            )
            legs.append(path[at + 1 : end].encode("utf-8", "surrogatepass"))
            at = end
        else:
            raise ValueError(f"not a JSON path: {path!r}")
    return legs


def _cell(text: str) -> int:
    if text.startswith("last"):
        return -1 - int(text[5:] or 0)
    return int(text)


def _seek(node: Node, legs: list[Leg], path: str) -> Node:
    for leg in legs:
        child = _child(node, leg)
        if child is None:
            raise ValueError(f"the JSON document has nothing at {path}")
        node = child
    return node


def _child(node: Node, leg: Leg) -> Node | None:
    if isinstance(node, dict):
        return node.get(leg) if isinstance(leg, bytes) else None
    if isinstance(node, list) and isinstance(leg, int) and -len(node) <= leg < len(node):
        return node[leg]
    return None


def _change(parent: Node, leg: Leg, diff: _Diff) -> None:
    there = _child(parent, leg) is not None
    if isinstance(parent, list) and isinstance(leg, int):
        if diff.operation == _INSERT:
            # Behind the end it is added there.
            parent.insert(leg, diff.value)
            return
        if there and diff.operation == _REMOVE:
            del parent[leg]
            return
        if there:
            parent[leg] = diff.value
            return
    elif isinstance(parent, dict) and isinstance(leg, bytes) and there != (diff.operation == _INSERT):
        if diff.operation == _REMOVE:
            del parent[leg]
        else:
            parent[leg] = diff.value
        return
    raise ValueError(f"the JSON document cannot be changed at {diff.path}")

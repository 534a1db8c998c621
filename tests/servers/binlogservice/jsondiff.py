"""The difference of two JSON documents as PARTIAL_UPDATE_ROWS holds it: MySQL's `Json_diff` records.

Only members of the outermost object are told one by one; documents of another form have no difference here, and come
whole. When Binlog Service writes such events, and how deep its paths go, is not known (reference, appendix B 4).
"""

from __future__ import annotations

import json

from tests.servers.binlogservice.events import length_encoded
from tests.servers.binlogservice.jsonbinary import encode_json

_REPLACE, _INSERT, _REMOVE = 0, 1, 2


def json_diff(before: bytes, after: bytes) -> bytes | None:
    """The records that lead from one document to the other, None when it must come whole."""
    old, new = json.loads(before), json.loads(after)
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return None
    records = [_record(_REMOVE, key) for key in old if key not in new]
    for key, value in new.items():
        if key not in old:
            records.append(_record(_INSERT, key, value))
        # Equal and of one type: 1, 1.0 and true are three values.
        elif json.dumps(old[key]) != json.dumps(value):
            records.append(_record(_REPLACE, key, value))
    return b"".join(records)


def _record(operation: int, key: str, *values: object) -> bytes:
    parts = [f"$.{json.dumps(key, ensure_ascii=False)}".encode()]
    parts += [encode_json(json.dumps(value).encode()) for value in values]
    return bytes([operation]) + b"".join(length_encoded(len(part)) + part for part in parts)

"""A stream that goes back in the log is a fault of the connection, never a second delivery."""

from __future__ import annotations

import struct
import zlib

import pytest

from obsync_tui.engine.errors import SourceUnreachable
from obsync_tui.engine.store.binlog.assembly import Assembly
from obsync_tui.engine.store.binlog.events import EventType
from obsync_tui.engine.store.binlog.schemas import Schemas
from obsync_tui.engine.values.jsonbinary import MYSQL80
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import Objects

UUID = "3590c375-e88b-11f1-9cfd-02fc00000001"


def event(kind: EventType, body: bytes) -> bytes:
    content = struct.pack("<IBIIIH", 1, kind, 1, 19 + len(body) + 4, 0, 0) + body
    return b"\0" + content + struct.pack("<I", zlib.crc32(content))


def transaction(gno: int) -> list[bytes]:
    gtid = b"\1" + bytes.fromhex(UUID.replace("-", "")) + struct.pack("<q", gno) + bytes(25)
    return [event(EventType.GTID, gtid), event(EventType.XID, bytes(8))]


def assembly(executed: str) -> Assembly:
    schemas = Schemas((), ObjectRules(Objects(include=("shop.*",))), True, MYSQL80)
    return Assembly(
        schemas, GtidSet.parse(executed), True, lambda *_: [], "shop", oceanbase=False, lower_case=False
    )


@pytest.mark.parametrize(
    ("executed", "again"), [("", 1), ("", 2), (f"{UUID}:1-9", 5), (f"{UUID}:1-3:7-9", 8)]
)
def test_what_was_read_is_not_read_again(executed: str, again: int) -> None:
    reading = assembly(executed)
    if not executed:
        reading.take([*transaction(1), *transaction(2)])
        assert str(reading.executed) == f"{UUID}:1-2"
    with pytest.raises(
        SourceUnreachable, match=f"went back to {UUID}:{again}, which was read already"
    ) as caught:
        reading.take(transaction(again))
    assert caught.value.retryable


def test_a_number_that_was_left_out_is_read() -> None:
    reading = assembly(f"{UUID}:1-3:7-9")
    reading.take([*transaction(5), *transaction(10)])
    assert str(reading.executed) == f"{UUID}:1-3:5:7-10"

"""Packets and events come out the same with and without the kernel."""

from __future__ import annotations

import random
import socket
import struct
import threading
import zlib
from uuid import UUID

import pytest

from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.mysql.packets import PacketReader
from obsync_tui.engine.native.backend import VARIABLE, Backend, built
from obsync_tui.engine.store.binlog.assembly import Assembly
from obsync_tui.engine.store.binlog.events import EventType
from obsync_tui.engine.store.binlog.schemas import Schemas
from obsync_tui.engine.store.store import Begin, LogItem, RowGroup
from obsync_tui.engine.values.jsonbinary import MYSQL80
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import Objects
from obsync_tui.model.table import Column, TableName, TableVersion

pytestmark = pytest.mark.skipif(not built(), reason="the kernel is not built here")
LONGEST = 0xFFFFFF
SID = UUID("3e11fa47-71ca-11e1-9e33-c80aa9429562").bytes


def packets_of(payload: bytes) -> bytes:
    pieces = [payload[at : at + LONGEST] for at in range(0, len(payload) + 1, LONGEST)]
    return b"".join(len(piece).to_bytes(3, "little") + b"\0" + piece for piece in pieces)


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("seed", range(6))
def test_payloads(backend: Backend, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, backend)
    chance = random.Random(seed)
    payloads = [chance.randbytes(chance.choice((0, 1, 3, 100, 70_000))) for _ in range(400)]
    if not seed:
        payloads[100:103] = [b"x" * LONGEST, b"", b"y" * (2 * LONGEST + 5)]
    stream = b"".join(map(packets_of, payloads))
    here, there = socket.socketpair()

    class Connection:
        _sock = here

    with here, there:
        reader = PacketReader(Connection(), "test")
        sizes = [chance.choice((1, 7, 500, 100_000)) for _ in range(200)]

        def send() -> None:
            at = 0
            for size in sizes:
                there.sendall(stream[at : at + size])
                at += size
            there.sendall(stream[at:])

        sender = threading.Thread(target=send)
        sender.start()
        found: list[bytes] = []
        while len(found) < len(payloads):
            found += reader.read()
        sender.join()
    assert found == payloads


def table(name: str) -> TableVersion:
    columns = (Column("id", "int", "int(11)", nullable=False), Column("n", "int", "int(11)"))
    return TableVersion(TableName("shop", name), columns, ("id",))


class Log:
    """Events of two tables in scope and one that is not; rows often go on with the group before."""

    def __init__(self, seed: int, checksum: bool) -> None:
        self.chance = random.Random(seed)
        self._checksum = checksum
        self._gno = 0

    def event(self, kind: EventType, body: bytes) -> bytes:
        event = struct.pack("<IBIIIH", 1_700_000_000, kind, 1, 0, 0, 0) + body
        return b"\0" + event + (zlib.crc32(event).to_bytes(4, "little") if self._checksum else b"")

    def table_map(self, table_id: int, name: str) -> bytes:
        texts = b"\x04shop\0" + bytes([len(name)]) + name.encode() + b"\0"
        body = table_id.to_bytes(6, "little") + b"\1\0" + texts + b"\x02\x03\x03\x00\x02"
        return self.event(EventType.TABLE_MAP, body)

    def rows(self, table_id: int) -> bytes:
        kind = self.chance.choice(
            (EventType.WRITE_ROWS,) * 4 + (EventType.UPDATE_ROWS, EventType.DELETE_ROWS)
        )
        update = kind is EventType.UPDATE_ROWS
        flags = self.chance.choice((b"\0\0", b"\1\0"))
        # The bitmap's unused bits are now and then spelled otherwise.
        bitmap = self.chance.choice((b"\xff", b"\xff", b"\xff", b"\x03")) * (2 if update else 1)
        image = b"\0" + struct.pack("<ii", self.chance.randrange(9), 5)
        return self.event(
            kind, table_id.to_bytes(6, "little") + flags + b"\x02\x00\x02" + bitmap + image * (1 + update)
        )

    def transaction(self) -> list[bytes]:
        self._gno += 1
        packets = [self.event(EventType.GTID, b"\1" + SID + struct.pack("<QBQQ", self._gno, 2, 0, 0))]
        packets.append(self.event(EventType.QUERY, struct.pack("<IIBHH", 1, 0, 4, 0, 0) + b"shop\0BEGIN"))
        for _ in range(self.chance.randrange(4)):
            # An id is given to another table now and then.
            name, table_id = self.chance.choice(("pen", "ink", "other")), self.chance.randrange(1, 4)
            for turn in range(self.chance.choice((1, 3, 12))):
                if not turn or self.chance.random() < 0.7:
                    packets.append(self.table_map(table_id, name))
                packets.append(
                    self.rows(table_id)
                    if self.chance.random() < 0.95
                    else self.event(EventType.HEARTBEAT, b"f")
                )
        return [*packets, self.event(EventType.XID, bytes(8))]


def assembled(packets: list[list[bytes]], checksum: bool) -> object:
    rules = Objects(include=("shop.pen", "shop.ink"))
    schemas = Schemas((table("pen"), table("ink")), ObjectRules(rules), checksum, MYSQL80)
    assembly = Assembly(
        schemas, GtidSet(), checksum, lambda *_: [], "test", oceanbase=False, lower_case=False
    )
    items: list[LogItem] = []
    sizes: list[int] = []
    try:
        for some in packets:
            assembly.take(some)
            batch = assembly.cut_batch(more=False)
            items += batch.items
            sizes.append(batch.size_bytes)
    except EngineError as error:
        return f"{type(error).__name__}: {error}", len(items), sizes
    told = [
        (i.table.name, i.kind, i.bodies, i.start) if isinstance(i, RowGroup) else (type(i), i.gtid)  # type: ignore[union-attr]
        for i in items
    ]
    assert any(isinstance(i, Begin) for i in items)
    return told, sizes, str(assembly.executed)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_events(seed: int, checksum: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(seed, checksum)
    flat = [packet for _ in range(40) for packet in log.transaction()]
    if seed % 3 == 1:  # A byte that changed on its way, and a packet cut off.
        at = log.chance.randrange(len(flat) // 2, len(flat))
        damaged = bytearray(flat[at])
        damaged[log.chance.randrange(1, len(damaged))] ^= 4
        flat[at] = bytes(damaged)
    packets: list[list[bytes]] = []
    while flat:
        size = log.chance.choice((1, 5, 50))
        packets.append(flat[:size])
        flat = flat[size:]
    monkeypatch.setenv(VARIABLE, "python")
    expected = assembled(packets, checksum)
    monkeypatch.setenv(VARIABLE, "native")
    assert assembled(packets, checksum) == expected
    if checksum and seed % 3 == 1:
        assert "checksum" in str(expected)


def test_a_packet_that_is_not_an_event_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too short, an error packet, no bytes at all: Python says what it is."""
    from obsync_tui.engine.native import _kernel

    log = Log(1, checksum=True)
    rows = log.event(EventType.WRITE_ROWS, bytes(6) + b"\0\0" + b"head" + b"image")
    head = bytes(8) + b"head"
    for other in (b"", b"\0", b"\xff" + rows[1:], rows[:20], rows[:23], rows[:-1], rows[:-5] + rows[-4:]):
        bodies: list[bytes] = []
        given = [rows, rows, other, rows]
        assert _kernel.joining(given, 1, True, b"", EventType.WRITE_ROWS, head, bodies) == (2, len(rows))
        assert bodies == [rows]
    with pytest.raises(ValueError):
        _kernel.joining([rows], -1, True, b"", 30, head, [])
    with pytest.raises(ValueError):
        _kernel.joining([rows], 0, True, b"", 30, b"short", [])

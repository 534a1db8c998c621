"""What a compiled plan does with rows: keys, partitions, splits, counts, and values that cannot be."""

from __future__ import annotations

import json
import struct
import zlib

import msgspec
import pytest

from obsync_tui.engine.errors import SchemaMismatch, ValueUnreadable
from obsync_tui.engine.formats.plan import RecordKind
from obsync_tui.engine.rowplan.hashing import murmur2_partition
from obsync_tui.engine.store.store import BinlogShape, TextShape
from obsync_tui.model.project import HashFunction, KeyForm
from obsync_tui.model.table import Column, TableName, TableVersion
from tests.engine.rowplan.images import COMMIT_S, GTID, PARTITIONS, Planned, item, routing, text_row

FIRST = COMMIT_S * 100_000 + 1


def kinds_and_places(plan: Planned) -> list[tuple[str, str]]:
    """Kind and `place` of each message in the order of their sequence."""
    bodies = sorted(map(json.loads, plan.values()), key=lambda body: body["allMetaData"]["storeDataSequence"])
    return [(b["recordType"], (b["postStruct"] or b["prevStruct"])["place"]) for b in bodies]


@pytest.mark.parametrize(
    ("form", "key"),
    [(KeyForm.PRIMARY_KEY, b'-7\x01A"'), (KeyForm.JSON, b'[-7,"A\\""]'), (KeyForm.NONE, None)],
)
def test_key_and_partition(form: KeyForm, key: bytes | None) -> None:
    plan = Planned(RecordKind.INSERT, route=routing(form, (0, 2), (0, 2)))
    plan.run(item(-7, "pen", 'A"'))
    # The partition does not depend on the key's form.
    assert [(p, k) for p, k, _ in plan.messages()] == [(zlib.crc32(b'-7\x01A"') % PARTITIONS, key)]


def test_hash_columns_apart_from_the_key() -> None:
    plan = Planned(RecordKind.INSERT, route=routing(hash_columns=(1,)))
    plan.run(*(item(i, name) for i, name in enumerate(("pen", "ñ", "", None))))
    expected = {
        str(i).encode(): zlib.crc32(t.encode()) % PARTITIONS for i, t in enumerate(("pen", "ñ", "", "null"))
    }
    assert {key: partition for partition, key, _ in plan.messages()} == expected


def test_fixed_partition_and_murmur2() -> None:
    plan = Planned(RecordKind.INSERT, route=msgspec.structs.replace(routing(), fixed_partition=2))
    plan.run(*(item(i, "x") for i in range(9)))
    assert [partition for partition, _, _ in plan.messages()] == [2] * 9
    plan = Planned(RecordKind.INSERT, route=msgspec.structs.replace(routing(), hash=HashFunction.MURMUR2))
    plan.run(*(item(i, "x") for i in range(9)))
    assert {(key, p) for p, key, _ in plan.messages()} == {
        (b"%d" % i, murmur2_partition(b"%d" % i, PARTITIONS)) for i in range(9)
    }


def test_murmur2_without_a_key_hashes_the_hash_columns() -> None:
    route = msgspec.structs.replace(routing(KeyForm.NONE, hash_columns=(2,)), hash=HashFunction.MURMUR2)
    plan = Planned(RecordKind.INSERT, route=route)
    plan.run(item(1, "x", "foobar"))
    assert [(p, k) for p, k, _ in plan.messages()] == [(murmur2_partition(b"foobar", PARTITIONS), None)]


def test_sequence_is_monotone_and_starts_with_the_second() -> None:
    plan = Planned(RecordKind.INSERT)
    rows, last, size, largest = plan.run(item(1, "a") + item(2, "b"), item(3, None))
    sizes = [len(value) for value in plan.values()]
    assert (rows, last, size, largest) == (3, FIRST + 2, sum(sizes), max(sizes))
    assert plan.run(item(4, "d"), sequence=FIRST + 99)[1] == FIRST + 100
    assert plan.run(item(4, "d"), sequence=5)[1] == FIRST


def test_split_on_a_changed_key_in_every_rule() -> None:
    for fixed in (None, 1):
        plan = Planned(RecordKind.UPDATE, route=msgspec.structs.replace(routing(), fixed_partition=fixed))
        rows, last, _, _ = plan.run(item(1, "a") + item(2, "a"), item(3, "a") + item(3, "b"))
        assert (rows, last) == (2, FIRST + 2)
        assert kinds_and_places(plan) == [("DELETE", "A"), ("INSERT", "A"), ("UPDATE", "A")]
        where = {key: partition for partition, key, value in plan.messages()}
        for key in (b"1", b"2", b"3"):
            assert where[key] == (zlib.crc32(key) % PARTITIONS if fixed is None else fixed)


def test_split_on_a_changed_hash_column() -> None:
    plan = Planned(RecordKind.UPDATE, route=routing(hash_columns=(2,)))
    plan.run(item(1, "a", "A") + item(1, "a", "B"), item(1, "a", "B") + item(1, "b", "B"))
    assert kinds_and_places(plan) == [("DELETE", "A"), ("INSERT", "B"), ("UPDATE", "B")]
    # From and to NULL.
    plan = Planned(RecordKind.UPDATE, route=routing(hash_columns=(1,)))
    plan.run(item(1, None, "A") + item(1, "null", "B"), item(1, "x", "C") + item(1, None, "D"))
    assert kinds_and_places(plan) == [("DELETE", "A"), ("INSERT", "B"), ("DELETE", "C"), ("INSERT", "D")]


def test_split_when_only_the_sign_of_zero_changes() -> None:
    table = TableVersion(
        TableName("shop", "f"),
        (
            Column("id", "double", "double", nullable=False),
            Column("place", "varchar", "varchar(9)", charset="utf8"),
        ),
        ("id",),
    )
    plan = Planned(RecordKind.UPDATE, table, BinlogShape(bytes([5, 15]), (8, 27), checksum=False))
    zero, minus = b"\x00" + struct.pack("<d", 0.0) + b"\x01A", b"\x00" + struct.pack("<d", -0.0) + b"\x01B"
    plan.run(zero + minus)
    assert kinds_and_places(plan) == [("DELETE", "A"), ("INSERT", "B")]


def test_kinds_left_out_are_counted_and_take_no_number() -> None:
    plan = Planned(RecordKind.UPDATE, emit=False)
    rows, last, size, _ = plan.run(item(1, "a") + item(2, "a") + item(3, "a") + item(3, "b"))
    assert (rows, size, plan.values()) == (2, 0, [])
    assert last < FIRST
    assert plan.run(item(1, "a") + item(2, "a"), sequence=FIRST)[1] == FIRST


def test_rows_already_sent_are_skipped_by_count() -> None:
    plan = Planned(RecordKind.INSERT, careful=True)
    rows, last, _, _ = plan.run(
        item(1, "a", "A") + item(2, None, "B") + item(3, "c", "C"), item(4, "d", "D"), skip=2
    )
    assert (rows, last) == (4, FIRST + 1)
    assert kinds_and_places(plan) == [("INSERT", "C"), ("INSERT", "D")]


def test_images_are_kept_by_their_key() -> None:
    """`keep` sees key bytes as a row of the full read carries them."""
    asked: list[tuple[bytes, ...]] = []

    def keep(key: tuple[bytes, ...]) -> bool:
        asked.append(key)
        return int(key[0]) >= 10

    plan = Planned(RecordKind.UPDATE, careful=True, cut_columns=(0, 2))
    pairs = ((1, 2), (10, 11), (1, 11), (12, 2), (12, 12), (3, 3))
    rows, *_ = plan.run(*(item(a, "x", "ä") + item(b, "y", "B") for a, b in pairs), keep=keep)
    assert rows == len(pairs)
    bodies = sorted(map(json.loads, plan.values()), key=lambda b: b["allMetaData"]["storeDataSequence"])
    found = [(b["recordType"], (b["postStruct"] or b["prevStruct"])["id"]) for b in bodies]
    # Of an UPDATE whose images lie on two sides only the half that is not yet there goes.
    assert found == [("DELETE", 10), ("INSERT", 11), ("INSERT", 11), ("DELETE", 12), ("UPDATE", 12)]
    assert asked[:2] == [(b"1", "ä".encode()), (b"2", b"B")]
    for kind in (RecordKind.INSERT, RecordKind.DELETE):
        plan = Planned(kind, careful=True, cut_columns=(0,))
        assert plan.run(item(1, "a", "A") + item(10, "b", "B"), keep=keep)[0] == 2
        assert kinds_and_places(plan) == [(str(kind), "B")]


def refused(plan: Planned, *bodies: bytes) -> str:
    with pytest.raises(ValueUnreadable) as caught:
        plan.run(*bodies)
    return str(caught.value)


def test_null_where_the_table_has_none() -> None:
    image = bytearray(item(1, "a"))
    image[0] = 4
    text = refused(Planned(RecordKind.INSERT), bytes(image[:-2]))
    assert "NULL in NOT NULL column place" in text and "shop.item" in text and GTID in text
    row = Planned(RecordKind.ROW, shape=TextShape(3))
    text = refused(row, text_row(b"1", b"a", None))
    assert "column place" in text and "NULL" in text and "shop.item" in text


def test_an_unreadable_value_names_table_column_and_gtid() -> None:
    table = TableVersion(
        TableName("shop", "odd"),
        (
            Column("id", "int", "int(11)", nullable=False),
            Column("size", "enum", "enum('s','m')", charset="utf8mb4", members=("s", "m")),
            Column("flags", "set", "set('x')", charset="utf8mb4", members=("x",)),
            Column("d", "double", "double"),
            Column("note", "varchar", "varchar(9)", charset="utf8mb4"),
        ),
        ("id",),
    )
    shape = BinlogShape(bytes([3, 254, 254, 5, 15]), (0, 247 << 8 | 1, 248 << 8 | 1, 8, 36), checksum=False)

    def image(size: int = 1, flags: int = 1, d: float = 0.5, note: bytes = b"ok") -> bytes:
        return b"\0" + struct.pack("<iBBd", 1, size, flags, d) + bytes([len(note)]) + note

    Planned(RecordKind.INSERT, table, shape).run(image())
    bad = {
        "size": image(size=3),
        "flags": image(flags=2),
        "d": image(d=float("inf")),
        "note": image(note=b"\xff"),
    }
    for column, body in bad.items():
        text = refused(Planned(RecordKind.INSERT, table, shape), image() + body)
        assert f"column {column} cannot be converted" in text, text
        assert f"shop.odd, transaction {GTID}" in text


# Seven bytes of zero would be a row.
@pytest.mark.parametrize("cut", range(1, 7))
def test_an_image_that_ends_early_or_late_is_refused(cut: int) -> None:
    whole = item(1, "abc")
    assert "shop.item" in refused(Planned(RecordKind.INSERT), whole + whole[:-cut])
    assert "shop.item" in refused(Planned(RecordKind.INSERT), whole + b"\0" * cut)


def test_a_type_that_is_not_known_is_refused_at_once() -> None:
    with pytest.raises(SchemaMismatch, match=r"shop\.item.*|.*type code 11.*"):
        Planned(RecordKind.INSERT, shape=BinlogShape(bytes([11, 15, 15]), (0, 160, 40), checksum=False))


def test_timestamps_after_2038() -> None:
    """OceanBase's log carries them unsigned."""
    table = TableVersion(
        TableName("shop", "t"),
        (Column("id", "int", "int(11)", nullable=False), Column("ts", "timestamp", "timestamp(3)", fsp=3)),
        ("id",),
    )
    plan = Planned(RecordKind.INSERT, table, BinlogShape(bytes([3, 17]), (0, 3), checksum=False))
    plan.run(b"\0" + struct.pack("<i", 1) + (4_102_444_800).to_bytes(4, "big") + (1230).to_bytes(2, "big"))
    assert json.loads(plan.values()[0])["postStruct"] == {"id": 1, "ts": "4102444800.123"}


def test_a_wide_table_has_no_room_for_errors() -> None:
    """More columns than a NULL bitmap's byte, every pattern of NULLs in runs of fixed width."""
    columns = tuple(
        Column(f"c{i}", "int", "int(11)", nullable=i % 3 > 0)
        if i % 7
        else Column(f"c{i}", "varchar", "varchar(9)", charset="latin1")
        for i in range(200)
    )
    table = TableVersion(TableName("shop", "wide"), columns)
    shape = BinlogShape(
        bytes(3 if i % 7 else 15 for i in range(200)),
        tuple(0 if i % 7 else 9 for i in range(200)),
        checksum=False,
    )
    for step in (2, 3, 5, 11, 300):
        nulls = [bool(c.nullable and i % step == 1) for i, c in enumerate(columns)]
        image = sum(1 << i for i, null in enumerate(nulls) if null).to_bytes(25, "little")
        for i, null in enumerate(nulls):
            if not null:
                image += struct.pack("<i", -i) if i % 7 else b"\x02\xe9" + bytes([65 + i % 26])
        route = msgspec.structs.replace(routing(key_columns=(), hash_columns=()), fixed_partition=0)
        plan = Planned(RecordKind.INSERT, table, shape, route)
        assert plan.run(image * 3)[0] == 3
        expected = {
            f"c{i}": None if null else -i if i % 7 else "é" + chr(65 + i % 26) for i, null in enumerate(nulls)
        }
        assert [json.loads(value)["postStruct"] for value in plan.values()] == [expected] * 3

"""LOB values that OceanBase's log leaves out: put in where they can be read, named unknown where they cannot."""

from __future__ import annotations

import json
from collections.abc import Sequence

from obsync_tui.engine.formats.default import DEFAULT
from obsync_tui.engine.formats.plan import Identity, RecordKind
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.oceanbase.asof import Values
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, Routing
from obsync_tui.engine.store.binlog.lobs import Lobs
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.store.store import Begin, BinlogShape, Commit, LogBatch, LogItem, RowGroup
from obsync_tui.model.position import Gtid
from obsync_tui.model.project import DmlKind, KeyForm
from obsync_tui.model.table import Column, TableName, TableVersion

UUID = "11111111-2222-3333-4444-555555555555"
TABLE = TableVersion(
    TableName("shop", "page"),
    (
        Column("id", "int", "int(11)", nullable=False),
        Column("n", "int", "int(11)"),
        Column("body", "longtext", "longtext", charset="utf8mb4", collation="utf8mb4_bin"),
        Column("doc", "json", "json"),
    ),
    ("id",),
)
SHAPE = BinlogShape(bytes([WireType.LONG, WireType.LONG, WireType.BLOB, WireType.JSON]), (0, 0, 4, 4))
# MySQL's binary JSON of `true`: a literal.
TRUE = b"\x04\x01"


def image(id: int, n: int, body: str | None, doc: bytes | None = TRUE) -> bytes:
    nulls = 0xF0 | (4 if body is None else 0) | (8 if doc is None else 0)
    parts = [bytes([nulls]), id.to_bytes(4, "little"), n.to_bytes(4, "little")]
    for value in (None if body is None else body.encode(), doc):
        if value is not None:
            parts.append(len(value).to_bytes(4, "little") + value)
    return b"".join(parts)


def group(kind: DmlKind, *images: bytes) -> RowGroup:
    return RowGroup(TABLE, SHAPE, kind, [b"head" + b"".join(images) + b"csum"], 4)


def batch(*transactions: tuple[int, list[RowGroup]], whole: bool = True) -> LogBatch:
    items: list[LogItem] = []
    for number, (commit_us, groups) in enumerate(transactions):
        gtid = Gtid(UUID, number + 1)
        items += [Begin(gtid, commit_us), *groups, Commit(gtid)]
    if not whole:
        items.pop()
    return LogBatch(items, 1, 1, whole, False, transactions[-1][0], f"{UUID}:1-9")


class Source:
    """What the tenant held of (body, doc) by key: a list of (from scn, values); None as values: no row."""

    def __init__(self, history: dict[int, list[tuple[int, Values | None]]], oldest_scn: int = 0) -> None:
        self._history = history
        self._oldest_scn = oldest_scn
        self.asked: list[tuple[int, list[Key]]] = []

    def __call__(
        self, table: TableVersion, columns: tuple[int, ...], keys: Sequence[Key], scn: int
    ) -> dict[Key, Values] | None:
        assert (table, columns) == (TABLE, (2, 3))
        self.asked.append((scn, list(keys)))
        if scn < self._oldest_scn:
            return None
        found: dict[Key, Values] = {}
        for key in keys:
            values = [values for since, values in self._history.get(int(key[0]), []) if since <= scn]
            if values and values[-1] is not None:
                found[key] = values[-1]
        return found


def messages(found: LogBatch) -> list[tuple[str, object, object, object]]:
    """Kind, before, after and unknown columns of each message."""
    told = []
    for item in found.items:
        if not isinstance(item, RowGroup):
            continue
        kinds = {
            DmlKind.INSERT: (RecordKind.INSERT,),
            DmlKind.DELETE: (RecordKind.DELETE,),
            DmlKind.UPDATE: (RecordKind.UPDATE, RecordKind.DELETE, RecordKind.INSERT),
        }[item.kind]
        plans = tuple((kind, DEFAULT.row(item.table, kind, Identity("OB_MYSQL", "x"))) for kind in kinds)
        routing = Routing(KeyForm.PRIMARY_KEY, (0,), (0,), 1)
        plan = compile_row_plan(PlanRequest(item.table, item.shape, kinds[0], plans, routing))
        lanes: list[list[dict[str, bytes]]] = [[]]
        plan(item.bodies, item.start, 1, "g", 1, 0, lanes, 0, lambda key: True)  # type: ignore[arg-type]
        for message in lanes[0]:
            value = json.loads(message["value"])
            told.append(
                (
                    value["recordType"],
                    value["prevStruct"],
                    value["postStruct"],
                    value["allMetaData"].get("unknownColumns"),
                )
            )
    return told


def row(id: int, n: int, body: object, doc: object = "true") -> dict[str, object]:
    return {"id": id, "n": n, "body": body, "doc": doc}


def test_an_unchanged_value_is_read_at_the_end_of_the_batch() -> None:
    source = Source({1: [(0, (b"long", b"true"))], 2: [(0, (None, b'{"a": 1}'))]})
    found = Lobs(source).complete(
        batch(
            (100, [group(DmlKind.UPDATE, image(1, 1, None), image(1, 2, None))]),
            (200, [group(DmlKind.UPDATE, image(2, 1, None, None), image(2, 2, None, None))]),
        )
    )
    assert messages(found) == [
        ("UPDATE", row(1, 1, "long"), row(1, 2, "long"), None),
        ("UPDATE", row(2, 1, None, '{"a": 1}'), row(2, 2, None, '{"a": 1}'), None),
    ]
    # All keys by one question at the last commit; what was NULL there, before the first.
    assert source.asked == [(200_999, [(b"1",), (b"2",)]), (99_999, [(b"2",)])]


def test_a_real_null_stays_null() -> None:
    source = Source({1: [(0, (b"long", b"true")), (100_000, (None, b"true"))]})
    found = Lobs(source).complete(batch((100, [group(DmlKind.UPDATE, image(1, 1, None), image(1, 2, None))])))
    assert messages(found) == [("UPDATE", row(1, 1, "long"), row(1, 2, None), None)]


def test_what_a_row_held_before_is_read_before_the_batch_or_follows_from_its_last_change() -> None:
    source = Source({1: [(0, (b"first", b"true")), (100_000, (b"second", b"true"))]})
    found = Lobs(source).complete(
        batch(
            (100, [group(DmlKind.UPDATE, image(1, 1, None), image(1, 2, "second"))]),
            (200, [group(DmlKind.DELETE, image(1, 2, None))]),
        )
    )
    assert messages(found) == [
        ("UPDATE", row(1, 1, "first"), row(1, 2, "second"), None),
        ("DELETE", row(1, 2, "second"), None, None),
    ]


def test_a_row_that_several_transactions_change_is_read_at_each_commit() -> None:
    source = Source({1: [(0, (b"a", b"true")), (200_000, (b"b", b"true"))]})
    found = Lobs(source).complete(
        batch(
            (100, [group(DmlKind.UPDATE, image(1, 1, None), image(1, 2, None))]),
            (200, [group(DmlKind.UPDATE, image(1, 2, None), image(1, 3, "b"))]),
        )
    )
    assert messages(found) == [
        ("UPDATE", row(1, 1, "a"), row(1, 2, "a"), None),
        ("UPDATE", row(1, 2, "a"), row(1, 3, "b"), None),
    ]
    assert source.asked == [(100_999, [(b"1",)])]


def test_what_is_out_of_reach_is_left_out_and_named() -> None:
    source = Source({1: [(0, (b"long", b"true"))]}, oldest_scn=1 << 62)
    found = Lobs(source).complete(
        batch(
            (100, [group(DmlKind.UPDATE, image(1, 1, None), image(1, 2, None))]),
            (200, [group(DmlKind.UPDATE, image(2, 1, None), image(2, 2, "known"))]),
            (300, [group(DmlKind.DELETE, image(3, 1, None))]),
        )
    )
    without = {"id": 1, "n": 1, "doc": "true"}
    assert messages(found) == [
        ("UPDATE", without, {**without, "n": 2}, ["body"]),
        ("UPDATE", {**without, "id": 2}, row(2, 2, "known"), ["body"]),
        ("DELETE", {**without, "id": 3}, None, ["body"]),
    ]


def test_rows_without_doubt_cost_no_question_and_keep_their_place() -> None:
    source = Source({2: [(0, (b"long", b"true"))]})
    lobs = Lobs(source)
    plain = batch(
        (
            100,
            [
                group(DmlKind.INSERT, image(1, 1, None)),
                group(DmlKind.UPDATE, image(1, 1, "a"), image(1, 2, None)),
            ],
        )
    )
    assert lobs.complete(plain) is plain
    mixed = RowGroup(
        TABLE,
        SHAPE,
        DmlKind.DELETE,
        [b"head" + image(n, n, None if n == 2 else "kept") + b"csum" for n in (1, 2, 3)],
        4,
    )
    found = lobs.complete(batch((200, [mixed])))
    assert [m[1] for m in messages(found)] == [row(1, 1, "kept"), row(2, 2, "long"), row(3, 3, "kept")]
    assert source.asked == [(199_999, [(b"2",)])]


def test_a_row_touched_earlier_in_a_transaction_that_goes_on_is_not_guessed() -> None:
    source = Source({1: [(0, (b"before", b"true"))]})
    lobs = Lobs(source)
    first = batch((100, [group(DmlKind.UPDATE, image(1, 1, "before"), image(1, 2, "inside"))]), whole=False)
    lobs.complete(first)
    found = lobs.complete(batch((100, [group(DmlKind.DELETE, image(1, 2, None))])))
    assert messages(found) == [("DELETE", {"id": 1, "n": 2, "doc": "true"}, None, ["body"])]
    assert source.asked == []

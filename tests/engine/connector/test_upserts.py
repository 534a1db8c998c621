"""A DELETE and the INSERT of the same key behind it become an UPDATE, wherever batches end."""

from __future__ import annotations

import json

import pytest

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.store.store import Commit, LogItem, RowGroup
from obsync_tui.model.position import Gtid, LogPosition
from obsync_tui.model.project import DmlKind, Objects
from tests.engine.connector.test_connector import UUID, batch, begin, group, made, sequences
from tests.engine.rowplan.images import ITEM, TEXT_SHAPE, item, text_row

DEL, INS = DmlKind.DELETE, DmlKind.INSERT
MERGED = Objects(("shop.*",), merge_upserts=True)
# Two upserts of 1 and 2, an unrelated delete and insert, and a delete at the very end.
GROUPS = [
    group(DEL, item(7, "x"), item(1, "a")),
    group(INS, item(1, "b")),
    group(DEL, item(2, "c")),
    group(INS, item(2, "d"), item(8, "y")),
    group(DEL, item(3, "e")),
    group(INS, item(4, "e")),
    group(DEL, item(5, "z")),
]
TOLD = [
    ("DELETE", "x", None),
    ("UPDATE", "a", "b"),
    ("UPDATE", "c", "d"),
    ("INSERT", None, "y"),
    ("DELETE", "e", None),
    ("INSERT", None, "e"),
    ("DELETE", "z", None),
]


def told(*outs: Outgoing) -> list[tuple[str, str | None, str | None]]:
    """Kind and names before and after of each message, by sequence."""
    found = [
        json.loads(m["value"])
        for out in outs
        for lanes in out.messages.values()
        for lane in lanes
        for m in lane
    ]
    found.sort(key=lambda body: body["allMetaData"]["storeDataSequence"])
    return [
        (b["recordType"], (b["prevStruct"] or {}).get("name"), (b["postStruct"] or {}).get("name"))
        for b in found
    ]


def connector(position: LogPosition | None = None) -> Connector:
    return made(objects=MERGED, position=position)


def end() -> Commit:
    return Commit(Gtid(UUID, 5))


def test_pairs_of_one_key_are_joined_and_nothing_else() -> None:
    out = connector().changes(batch([begin(5), *GROUPS, end()], 5))
    assert told(out) == TOLD
    assert out.rows == 9
    assert told(made().changes(batch([begin(5), *GROUPS, end()], 5)))[1:3] == [
        ("DELETE", "a", None),
        ("INSERT", None, "b"),
    ]


def rows_of(groups: list[RowGroup]) -> list[RowGroup]:
    return [group(one.kind, body) for one in groups for body in one.bodies]


@pytest.mark.parametrize("cut", range(1, 9))
def test_the_end_of_a_batch_changes_nothing(cut: int) -> None:
    rows = rows_of(GROUPS)
    whole = connector().changes(batch([begin(5), *rows, end()], 5))
    stream = connector()
    first = stream.changes(batch([begin(5), *rows[:cut]], 4, whole=False))
    second = stream.changes(batch([begin(5), *rows[cut:], end()], 5))
    assert told(first, second) == TOLD
    assert sequences(first) + sequences(second) == sequences(whole)
    assert second.position == whole.position
    assert first.position is not None
    restarted = connector(first.position).changes(batch([begin(5), *rows, end()], 5))
    assert told(first, restarted) == TOLD
    assert restarted.position == whole.position


def test_another_transaction_and_rows_of_several_are_no_pair() -> None:
    items: list[LogItem] = [begin(5), group(DEL, item(1, "a")), end()]
    items += [begin(6), group(INS, item(1, "b")), Commit(Gtid(UUID, 6))]
    assert [kind for kind, *_ in told(connector().changes(batch(items, 6)))] == ["DELETE", "INSERT"]
    several = [begin(5), group(DEL, item(1, "a") + item(2, "b")), group(INS, item(1, "b")), end()]
    assert [kind for kind, *_ in told(connector().changes(batch(several, 5)))] == [
        "DELETE",
        "DELETE",
        "INSERT",
    ]


def test_rows_of_view_logs_are_joined_too() -> None:
    deleted = RowGroup(ITEM, TEXT_SHAPE, DEL, [text_row(b"1", None, b"A")], 0)
    inserted = RowGroup(ITEM, TEXT_SHAPE, INS, [text_row(b"1", b"b", b"A")], 0)
    assert told(connector().changes(batch([begin(5), deleted, inserted, end()], 5))) == [
        ("UPDATE", None, "b")
    ]

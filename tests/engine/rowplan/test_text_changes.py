"""Changes in the text protocol: a row for INSERT and DELETE, the row before and after for UPDATE."""

from __future__ import annotations

import json

import pytest

from obsync_tui.engine.errors import ValueUnreadable
from obsync_tui.engine.formats.plan import RecordKind
from tests.engine.rowplan.images import TEXT_SHAPE, Planned, text_row

PEN = (b"1", "stift ñ".encode(), b"A")
LONG = (b"1", b"x" * 70_000, b"A")
BARE = (b"1", None, b"A")


def structs(plan: Planned) -> list[tuple[str, object, object]]:
    found = sorted(map(json.loads, plan.values()), key=lambda body: body["allMetaData"]["storeDataSequence"])
    return [(body["recordType"], body["prevStruct"], body["postStruct"]) for body in found]


def row(number: int, name: str | None, place: str = "A") -> dict[str, object]:
    return {"id": number, "name": name, "place": place}


def long_row(values: tuple[bytes | None, ...]) -> bytes:
    return b"".join(
        b"\xfb"
        if v is None
        else (bytes([len(v)]) if len(v) < 251 else b"\xfd" + len(v).to_bytes(3, "little")) + v
        for v in values
    )


def test_insert_and_delete() -> None:
    plan = Planned(RecordKind.INSERT, shape=TEXT_SHAPE)
    plan.run(text_row(*PEN), long_row(LONG))
    assert structs(plan) == [
        ("INSERT", None, row(1, "stift ñ")),
        ("INSERT", None, row(1, "x" * 70_000)),
    ]
    plan = Planned(RecordKind.DELETE, shape=TEXT_SHAPE)
    plan.run(text_row(*BARE))
    assert structs(plan) == [("DELETE", row(1, None), None)]


def test_an_update_is_two_rows_in_one_body() -> None:
    plan = Planned(RecordKind.UPDATE, shape=TEXT_SHAPE)
    plan.run(text_row(*PEN) + text_row(*BARE), text_row(*BARE) + long_row(LONG))
    assert structs(plan) == [
        ("UPDATE", row(1, "stift ñ"), row(1, None)),
        ("UPDATE", row(1, None), row(1, "x" * 70_000)),
    ]


def test_an_update_of_the_key_is_split() -> None:
    plan = Planned(RecordKind.UPDATE, shape=TEXT_SHAPE)
    plan.run(text_row(*PEN) + text_row(b"2", b"b", b"B"))
    assert structs(plan) == [("DELETE", row(1, "stift ñ"), None), ("INSERT", None, row(2, "b", "B"))]


def test_rows_are_skipped_and_kept_by_their_keys() -> None:
    plan = Planned(RecordKind.UPDATE, shape=TEXT_SHAPE, careful=True, cut_columns=(0,))
    bodies = [text_row(b"%d" % i, b"x", b"A") + text_row(b"%d" % (i + 1), b"y", b"A") for i in range(4)]
    asked: list[tuple[bytes, ...]] = []

    def keep(key: tuple[bytes, ...]) -> bool:
        asked.append(key)
        return int(key[0]) < 3

    rows = plan.run(*bodies, skip=1, keep=keep)[0]
    assert rows == 4
    assert asked == [(b"1",), (b"2",), (b"2",), (b"3",), (b"3",), (b"4",)]
    assert [(kind, (after or before)["id"]) for kind, before, after in structs(plan)] == [  # type: ignore[index]
        ("DELETE", 1),
        ("INSERT", 2),
        ("DELETE", 2),
    ]


@pytest.mark.parametrize("body", [text_row(*PEN), text_row(*PEN) * 3, text_row(*PEN) + text_row(*PEN)[:-1]])
def test_a_body_that_is_not_two_rows_is_refused(body: bytes) -> None:
    with pytest.raises(ValueUnreadable, match=r"shop\.item"):
        Planned(RecordKind.UPDATE, shape=TEXT_SHAPE).run(body)

"""The trace tells of each change of a row what became of it, from what passed; and keeps no more than its bound."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec
import pytest

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.connector.toolarge import Oversize
from obsync_tui.engine.formats.registry import FORMATS
from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.engine.pipeline.trace import Trace
from obsync_tui.engine.store.store import Begin, Commit, LogBatch, LogItem, RowGroup
from obsync_tui.model.position import Gtid, LogPosition
from obsync_tui.model.project import Delivery, DmlKind, KeyForm, Message, Objects, Project, TooLarge
from obsync_tui.model.project import Trace as TraceOptions
from obsync_tui.model.table import TableName
from obsync_tui.model.trace import TraceLine
from tests.engine.connector.test_connector import OTHER, OTHER_SHAPE, UUID
from tests.engine.rowplan.images import COMMIT_S, IDENTITY, ITEM, ITEM_SHAPE, TEXT_SHAPE, item, text_row

NAME = TableName("shop", "item")
WINDOW = 1 << 20


class Way:
    """A Connector with a trace behind it."""

    def __init__(
        self,
        *,
        window: int = WINDOW,
        position: LogPosition | None = None,
        limit: int = 1_000_000,
        **changes: object,
    ) -> None:
        project = Project("np_000000000000", "p", "a", "b", Objects(("shop.*",)))
        self.project = msgspec.structs.replace(project, trace=TraceOptions(window), **changes)
        self.trace = Trace(self.project)
        delivery = self.project.delivery
        self._connector = Connector(
            self.project,
            FORMATS[self.project.message.format],
            IDENTITY,
            Routes(self.project, lambda topic: TopicRoute(topic, 3, limit)),
            Oversize(delivery.too_large, delivery.dead_letter_topic),
            position or LogPosition(f"{UUID}:1-4"),
            passed=self.trace.passed,
        )

    def passes(self, gno: int, *groups: RowGroup) -> Outgoing:
        """One transaction in a batch of its own, a second for each number."""
        gtid = Gtid(UUID, gno)
        commit_us = (COMMIT_S + gno) * 1_000_000
        items: list[LogItem] = [Begin(gtid, commit_us), *groups, Commit(gtid)]
        return self._connector.changes(
            LogBatch(items, 100, commit_us + 1, True, False, commit_us, f"{UUID}:1-{gno}")
        )

    def imports(self, *rows: bytes) -> Outgoing:
        """Rows of Full-Import."""
        return self._connector.chunk(
            ChunkBatch(ITEM, 1, 1, TEXT_SHAPE, list(rows), None, False, len(rows), 10)
        )

    def find(self, *key: str) -> list[tuple[str, str, str]]:
        return [(line.kind, line.record, line.left_out) for line in self.trace.find(NAME, key)]


def group(kind: DmlKind, *bodies: bytes) -> RowGroup:
    return RowGroup(ITEM, ITEM_SHAPE, kind, list(bodies), 0)


def sent(outs: Iterable[Outgoing], key: bytes) -> list[tuple[int, str]]:
    """Partition and kind of each message of a key, as they went out."""
    return [
        (partition, json.loads(message["value"])["recordType"])
        for out in outs
        for lanes in out.messages.values()
        for partition, lane in enumerate(lanes)
        for message in lane
        if message["key"] == key
    ]


def test_each_change_leads_to_its_message() -> None:
    way = Way()
    outs = [
        way.passes(5, group(DmlKind.INSERT, item(1, "a") + item(2, "b"), item(3, "c"))),
        way.passes(6, group(DmlKind.UPDATE, item(1, "a") + item(1, "z"), item(2, "b") + item(2, "y"))),
        way.passes(7, group(DmlKind.UPDATE, item(1, "z") + item(9, "z"))),
        way.passes(8, group(DmlKind.DELETE, item(9, "z"), item(2, "y"))),
    ]
    way.trace.committed(outs[2].number)
    assert way.find("1") == [("INSERT", "INSERT", ""), ("UPDATE", "UPDATE", ""), ("UPDATE", "DELETE", "")]
    assert way.find("9") == [("UPDATE", "INSERT", ""), ("DELETE", "DELETE", "")]
    assert way.find("3") == [("INSERT", "INSERT", "")]
    assert way.find("4") == []
    for key in ("1", "2", "3", "9"):
        lines = way.trace.find(NAME, (key,))
        assert [(line.partition, line.record) for line in lines] == sent(outs, key.encode())
        assert {line.topic for line in lines} == {"shop_item"}
    insert, delete = way.trace.find(NAME, ("9",))
    assert (insert.gtid, insert.commit_s, insert.position) == (f"{UUID}:7", COMMIT_S + 7, f"{UUID}:1-7")
    assert insert.read_s == pytest.approx(COMMIT_S + 7 + 1e-6)
    assert insert.delivered_s is not None and delete.delivered_s is None
    assert insert.delivered_s >= COMMIT_S - 10**9


def test_what_is_left_out_says_why() -> None:
    way = Way(objects=Objects(("shop.item",), dml=(DmlKind.INSERT, DmlKind.DELETE)))
    way.passes(5, group(DmlKind.INSERT, item(1, "a")), group(DmlKind.UPDATE, item(1, "a") + item(1, "b")))
    way.passes(6, group(DmlKind.UPDATE, item(1, "b") + item(1, "c")))
    why = "the project leaves UPDATE out (objects.dml)"
    assert way.find("1") == [("INSERT", "INSERT", ""), ("UPDATE", "", why), ("UPDATE", "", why)]
    (line,) = way.trace.find(TableName("shop", "other"), ("1",))
    assert line == TraceLine("", 0.0, 0.0, "", left_out="the table is not among the project's objects")


@pytest.mark.parametrize(("filtered", "why"), [(True, "(cut)"), (False, "before the project was stopped")])
def test_what_a_cut_or_a_restart_leaves_out_is_the_beginning(filtered: bool, why: str) -> None:
    way = Way(position=LogPosition(f"{UUID}:1-4", f"{UUID}:5", 2))
    updates = group(DmlKind.UPDATE, item(1, "a") + item(1, "b"), item(1, "b") + item(1, "c"))
    out = way.passes(5, group(DmlKind.INSERT, item(1, "a")), updates)
    assert sent([out], b"1") == [(way.trace.find(NAME, ("1",))[2].partition, "UPDATE")]
    if filtered:
        way.trace = Trace(way.project)
        way.trace.passed(
            [Begin(Gtid(UUID, 5), 1), group(DmlKind.INSERT, item(1, "a")), updates], out, True, False
        )
    found = way.find("1")
    assert [(kind, record) for kind, record, _ in found] == [
        ("INSERT", ""),
        ("UPDATE", ""),
        ("UPDATE", "UPDATE"),
    ]
    assert all(why in left_out for _, _, left_out in found[:2]) and not found[2][2]


@pytest.mark.parametrize("key", list(KeyForm))
def test_tables_that_share_a_topic_are_told_apart(key: KeyForm) -> None:
    way = Way(message=Message(topic="all", key=key))
    other = RowGroup(OTHER, OTHER_SHAPE, DmlKind.DELETE, [item(1, "o")], 0)
    way.passes(5, other, group(DmlKind.INSERT, item(1, "a")), other)
    assert way.find("1") == [("INSERT", "INSERT", "")]
    assert [line.kind for line in way.trace.find(OTHER.name, ("1",))] == ["DELETE", "DELETE"]


def test_a_dead_letter_is_where_it_is() -> None:
    way = Way(limit=700, delivery=Delivery(too_large=TooLarge.DEAD_LETTER, dead_letter_topic="dead"))
    way.passes(5, group(DmlKind.INSERT, item(1, "x"), item(2, "y")))
    out = way.passes(6, group(DmlKind.UPDATE, item(1, "x") + item(1, "x" * 250)))
    assert out.messages["dead"][0] and not any(out.messages["shop_item"])
    assert [(one.topic, one.left_out) for one in way.trace.find(NAME, ("1",))] == [
        ("shop_item", ""),
        ("dead", ""),
    ]


def test_rows_of_full_synchronization() -> None:
    way = Way()
    out = way.imports(text_row(b"1", b"a", b"A"), text_row(b"2", b"b", b"A"))
    way.imports(text_row(b"3", b"c", b"A"))
    way.trace.committed(out.number)
    (line,) = way.trace.find(NAME, ("2",))
    assert (line.kind, line.record, line.gtid, line.partition) == ("ROW", "ROW", "", sent([out], b"2")[0][0])
    assert line.delivered_s is not None
    out.void = True
    assert way.find("1") == [("ROW", "", "read again: its range was given up")]
    assert way.trace.find(NAME, ("3",))[0].delivered_s is None


def test_the_window_is_bounded_and_an_attempt_forgets_what_it_lost() -> None:
    way = Way(window=8000)
    numbers = [way.passes(gno, group(DmlKind.INSERT, item(gno, "a"))).number for gno in range(5, 30)]
    assert numbers == list(range(1, 26))
    window = way.trace.window()
    kept = [gno for gno in range(5, 30) if way.find(str(gno))]
    assert kept and kept[0] > 5 and kept == list(range(kept[0], 30))
    assert 4000 < window.size_bytes <= window.limit_bytes == 8000
    way.trace.committed(numbers[-3])
    way.trace.begin(way.project)
    assert [gno for gno in range(5, 30) if way.find(str(gno))] == list(range(kept[0], 28))
    assert way.trace.window().size_bytes < window.size_bytes
    # A batch above the bound is not kept, and nothing of before either.
    way.passes(30, group(DmlKind.INSERT, *(item(n, "b") for n in range(50, 80))))
    assert way.trace.window() == msgspec.structs.replace(window, since_s=None, size_bytes=0)


def test_switched_off_it_keeps_nothing() -> None:
    way = Way(window=0)
    assert way.passes(5, group(DmlKind.INSERT, item(1, "a"))).number == 0
    assert way.find("1") == [] and way.trace.samples(NAME, 5) == ()
    assert (way.trace.window().since_s, way.trace.window().limit_bytes) == (None, 0)


def test_samples_are_the_newest() -> None:
    way = Way()
    for gno in range(5, 15):
        out = way.passes(gno, group(DmlKind.INSERT, item(gno, "a" * 10)))
    way.trace.committed(out.number - 1)
    samples = way.trace.samples(NAME, 3)
    assert [sample.key for sample in samples] == ["14", "13", "12"]
    assert [sample.delivered_s is None for sample in samples] == [True, False, False]
    for sample in samples:
        assert json.loads(sample.value)["postStruct"]["id"] == int(sample.key or 0)
        assert sample.size_bytes == len(sample.value) and sample.topic == "shop_item"
    assert way.trace.samples(TableName("shop", "none"), 3) == ()

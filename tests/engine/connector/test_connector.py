"""The Connector over hand-made batches: filters, routes, positions, sequence, records about tables, sizes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import pytest

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.connector.toolarge import OVERHEAD_BYTES, Oversize
from obsync_tui.engine.errors import MessageTooLarge, SchemaChanged
from obsync_tui.engine.formats.registry import FORMATS
from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.engine.store.store import (
    Begin,
    BinlogShape,
    Commit,
    DdlStatement,
    LogBatch,
    LogItem,
    RowGroup,
    SchemaVersion,
)
from obsync_tui.model.position import Gtid, LogPosition
from obsync_tui.model.project import DmlKind, Message, Objects, PartitionRule, Project, TableRule, TooLarge
from obsync_tui.model.table import TableName, TableVersion
from tests.engine.rowplan.images import COMMIT_S, IDENTITY, ITEM, ITEM_SHAPE, TEXT_SHAPE, item, text_row

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
LIMIT = 1_000_000
OTHER = TableVersion(TableName("shop", "other"), ITEM.columns, ITEM.primary_key)
OTHER_SHAPE = BinlogShape(ITEM_SHAPE.types, ITEM_SHAPE.metadata, checksum=False)


def made(
    objects: Objects | None = None,
    message: Message | None = None,
    position: LogPosition | None = None,
    limit: int = LIMIT,
    oversize: Oversize | None = None,
    cuts: CutFilter | None = None,
    partitions: int = 3,
) -> Connector:
    project = Project(
        "np_000000000000", "p", "a", "b", objects or Objects(("shop.*",)), message=message or Message()
    )
    routes = Routes(project, lambda topic: TopicRoute(topic, partitions, limit))
    return Connector(
        project,
        FORMATS[project.message.format],
        IDENTITY,
        routes,
        oversize or Oversize(TooLarge.STOP, ""),
        position or LogPosition(f"{UUID}:1-4"),
        cuts,
    )


def begin(gno: int, second: int = 0) -> Begin:
    return Begin(Gtid(UUID, gno), (COMMIT_S + second) * 1_000_000)


def group(kind: DmlKind, *bodies: bytes, table: TableVersion = ITEM) -> RowGroup:
    return RowGroup(table, ITEM_SHAPE if table is ITEM else OTHER_SHAPE, kind, list(bodies), 0)


def batch(items: Sequence[LogItem], upto: int, whole: bool = True) -> LogBatch:
    newest = max((i.commit_us for i in items if isinstance(i, Begin)), default=0)
    return LogBatch(list(items), 100, 1, whole, False, newest, f"{UUID}:1-{upto}")


def transaction(gno: int, *groups: RowGroup, second: int = 0) -> list[LogItem]:
    return [begin(gno, second), *groups, Commit(Gtid(UUID, gno))]


def told(out: Outgoing, topic: str = "shop_item") -> list[tuple[str, int]]:
    """Kind and id of each message of a topic, by sequence."""
    bodies = [json.loads(m["value"]) for lane in out.messages.get(topic, []) for m in lane]
    bodies.sort(key=lambda body: body["allMetaData"].get("storeDataSequence") or 0)
    return [(b["recordType"], (b["postStruct"] or b["prevStruct"] or {}).get("id")) for b in bodies]


def sequences(out: Outgoing) -> list[int]:
    bodies = [json.loads(m["value"]) for lanes in out.messages.values() for lane in lanes for m in lane]
    return sorted(body["allMetaData"]["storeDataSequence"] for body in bodies)


def test_messages_positions_and_counts() -> None:
    connector = made()
    inserts = group(DmlKind.INSERT, item(1, "a") + item(2, "b"), item(3, "c"))
    moves = group(DmlKind.UPDATE, item(1, "a") + item(9, "a"), table=OTHER)
    out = connector.changes(batch(transaction(5, inserts, moves), 5))
    assert told(out) == [("INSERT", 1), ("INSERT", 2), ("INSERT", 3)]
    assert told(out, "shop_other") == [("DELETE", 1), ("INSERT", 9)]
    assert (out.rows, out.count, out.whole) == (4, 5, True)
    assert out.size_bytes == sum(len(m["value"]) for ls in out.messages.values() for lane in ls for m in lane)
    last = COMMIT_S * 100_000 + 5
    assert sequences(out) == list(range(last - 4, last + 1))
    assert out.position == LogPosition(f"{UUID}:1-5", commit_us=COMMIT_S * 1_000_000, sequence=last)
    for lanes in out.messages.values():
        for partition, lane in enumerate(lanes):
            assert all(zlib.crc32(m["key"] or b"") % 3 == partition for m in lane)


def test_position_inside_a_transaction_and_the_same_messages_after_it() -> None:
    """A second run from any position inside a transaction gives what the first had not yet sent, sequence included."""
    groups = [
        group(DmlKind.INSERT, item(1, "a") + item(2, "b"), item(3, "c")),
        group(DmlKind.UPDATE, item(1, "a") + item(4, "a"), item(2, "b") + item(2, "c")),
        group(DmlKind.DELETE, item(3, "c"), item(4, "a")),
    ]
    whole = made().changes(batch(transaction(5, *groups), 5))
    for cut in range(1, len(groups)):
        connector = made()
        first = connector.changes(batch([begin(5), *groups[:cut]], 4, whole=False))
        assert first.position is not None
        rows = sum((3, 2, 2)[:cut])
        assert (first.position.executed, first.position.inside, first.position.rows) == (
            f"{UUID}:1-4",
            f"{UUID}:5",
            rows,
        )
        going_on = connector.changes(batch([begin(5), *groups[cut:], Commit(Gtid(UUID, 5))], 5))
        restarted = made(position=first.position).changes(batch(transaction(5, *groups), 5))
        for second in (going_on, restarted):
            assert told(first) + told(second) == told(whole)
            assert sequences(first) + sequences(second) == sequences(whole)
            assert second.position == whole.position
    # Between batches that end inside a group.
    at_two = LogPosition(f"{UUID}:1-4", f"{UUID}:5", 2, sequence=sequences(whole)[1])
    assert sequences(made(position=at_two).changes(batch(transaction(5, *groups), 5))) == sequences(whole)[2:]


def test_another_transaction_is_not_skipped() -> None:
    position = LogPosition(f"{UUID}:1-4", f"{UUID}:6", 1)
    groups = group(DmlKind.INSERT, item(1, "a"), item(2, "b"))
    out = made(position=position).changes(batch([*transaction(5, groups), *transaction(6, groups)], 6))
    assert told(out) == [("INSERT", 1), ("INSERT", 2), ("INSERT", 2)]


def test_sequence_follows_the_clock_and_never_goes_back() -> None:
    connector = made()
    one = group(DmlKind.INSERT, item(1, "a"))
    found = [
        sequences(connector.changes(batch(transaction(5 + i, one, second=second), 5 + i)))
        for i, second in enumerate((0, 0, 3, 1, 4))
    ]
    base = COMMIT_S * 100_000
    assert found == [[base + 1], [base + 2], [base + 300_001], [base + 300_002], [base + 400_001]]


def test_dml_filter_acts_on_the_sources_kind() -> None:
    """An UPDATE that becomes DELETE and INSERT is still an UPDATE to the filter, and rows left out are counted."""
    groups = [
        group(DmlKind.INSERT, item(1, "a")),
        group(DmlKind.UPDATE, item(1, "a") + item(2, "a"), item(2, "a") + item(2, "b")),
        group(DmlKind.DELETE, item(2, "b")),
    ]
    expected = {
        (DmlKind.UPDATE,): [("DELETE", 1), ("INSERT", 2), ("UPDATE", 2)],
        (DmlKind.INSERT, DmlKind.DELETE): [("INSERT", 1), ("DELETE", 2)],
        (DmlKind.DELETE,): [("DELETE", 2)],
    }
    for dml, messages in expected.items():
        out = made(Objects(("shop.*",), dml=dml)).changes(batch(transaction(5, *groups), 5))
        assert told(out) == messages
        assert (out.rows, out.count) == (4, len(messages))
        base = COMMIT_S * 100_000
        assert sequences(out) == [base + 1 + i for i in range(len(messages))]
        inside = made(Objects(("shop.*",), dml=dml)).changes(batch([begin(5), *groups], 4, whole=False))
        assert inside.position is not None and inside.position.rows == 4


@pytest.mark.parametrize(("rule", "expected"), [
    (PartitionRule.ONE, {2}),
    (PartitionRule.TABLE, {zlib.crc32(b"shop.item") % 3}),
    (PartitionRule.HASH, {0, 1, 2}),
])  # fmt: skip
def test_partition_rules(rule: PartitionRule, expected: set[int]) -> None:
    connector = made(message=Message(partition=rule, one_partition=2))
    rows = group(DmlKind.INSERT, *(item(i, "x") for i in range(30)))
    full = connector.chunk(chunk([text_row(b"%d" % i, b"x", b"A") for i in range(30)]))
    for out in (connector.changes(batch(transaction(5, rows), 5)), full):
        assert {p for p, lane in enumerate(out.messages["shop_item"]) if lane} == expected
        assert out.count == 30
    ddl = made(Objects(("shop.*",), ddl=True), Message(partition=rule, one_partition=2)).changes(
        batch(transaction(5), 5)
    )
    assert ddl.count == 0


def chunk(bodies: list[bytes], table: TableVersion = ITEM) -> ChunkBatch:
    return ChunkBatch(table, 1, 1, TEXT_SHAPE, bodies, None, False, len(bodies), sum(map(len, bodies)))


def keyed(primary: tuple[str, ...], unique: tuple[tuple[str, ...], ...]) -> TableVersion:
    return TableVersion(ITEM.name, ITEM.columns, primary, unique)


def test_hash_columns_are_sharding_columns_or_the_key() -> None:
    """Sharding columns, else the primary key, else the first identifying unique key, else the whole table."""
    rules = Objects(("shop.*",), tables=(TableRule("shop.item", sharding_columns=("place", "id")),))
    cases = (
        (rules, keyed(("id",), ()), b"7\x01", b"X\x017"),
        (Objects(("shop.*",)), keyed(("id",), (("place",),)), b"7", b"7"),
        (Objects(("shop.*",)), keyed((), (("place",), ("id",))), None, b"X"),
        (Objects(("shop.*",)), keyed((), ()), None, b"shop.item"),
    )
    for objects, table, key, hashed in cases:
        out = made(objects, partitions=64).changes(
            batch(transaction(5, group(DmlKind.INSERT, item(7, "pen", "X"), table=table)), 5)
        )
        (found,) = [(p, m) for p, lane in enumerate(out.messages["shop_item"]) for m in lane]
        assert found[0] == zlib.crc32(hashed) % 64
        assert found[1]["key"] == (b"7" if key else None)
        row = made(objects, partitions=64).chunk(chunk([text_row(b"7", b"pen", b"X")], table))
        assert [p for p, lane in enumerate(row.messages["shop_item"]) if lane] == [found[0]]


def test_a_sharding_column_that_is_not_there() -> None:
    rules = Objects(("shop.*",), tables=(TableRule("shop.item", sharding_columns=("gone",)),))
    with pytest.raises(SchemaChanged, match=r"shop\.item.*'gone'"):
        made(rules).changes(batch(transaction(5, group(DmlKind.INSERT, item(7, "pen"))), 5))


def test_tables_have_their_own_topics() -> None:
    rules = Objects(("shop.*",), tables=(TableRule("shop.other", topic="elsewhere"),))
    connector = made(rules, Message(topic="all.${table}"))
    rows = [group(DmlKind.INSERT, item(1, "a"), table=t) for t in (ITEM, OTHER)]
    out = connector.changes(batch(transaction(5, *rows), 5))
    assert {topic: told(out, topic) for topic in out.messages} == {
        "all.item": [("INSERT", 1)],
        "elsewhere": [("INSERT", 1)],
    }


def test_ddl_records_when_they_are_asked_for() -> None:
    statement = DdlStatement(ITEM.name, "ALTER TABLE item ADD c INT", "ALTER_TABLE")
    version = SchemaVersion(TableVersion(ITEM.name, ITEM.columns, ITEM.primary_key, since=f"{UUID}:5"))
    items = [begin(5), version, statement, Commit(Gtid(UUID, 5))]
    quiet = made().changes(batch(items, 5))
    assert quiet.count == 0 and len(quiet.records) == 1 and len(quiet.notices) == 2
    for rule, partitions in ((PartitionRule.HASH, [0, 1, 2]), (PartitionRule.ONE, [1])):
        connector = made(Objects(("shop.*",), ddl=True), Message(partition=rule, one_partition=1))
        out = connector.changes(batch(items, 5))
        lanes = out.messages["shop_item"]
        assert [p for p, lane in enumerate(lanes) if lane] == partitions
        bodies = [json.loads(m["value"]) for lane in lanes for m in lane]
        assert all(body["postStruct"] == {"ddl": "ALTER TABLE item ADD c INT"} for body in bodies)
        assert all(body["allMetaData"]["timestamp"] == str(COMMIT_S) for body in bodies)


def test_heartbeats_go_to_every_partition_between_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("obsync_tui.engine.connector.connector.monotonic", lambda: clock[0])
    # The clock on the wall may step by hours meanwhile.
    monkeypatch.setattr("obsync_tui.engine.connector.connector.time", lambda: 5e9 - 100 * clock[0])
    connector = made(Objects(("shop.*",), heartbeat_s=10))
    first = connector.changes(batch(transaction(5, group(DmlKind.INSERT, item(1, "a"))), 5))
    assert first.count == 1
    clock[0] += 11
    open_ended = connector.changes(batch([begin(6), group(DmlKind.INSERT, item(2, "a"))], 5, whole=False))
    assert told(open_ended) == [("INSERT", 2)]
    closed = connector.changes(batch([begin(6), Commit(Gtid(UUID, 6))], 6))
    assert [
        [json.loads(m["value"])["recordType"] for m in lane] for lane in closed.messages["shop_item"]
    ] == [["HEARTBEAT"]] * 3
    assert closed.count == 3
    assert connector.changes(batch([], 6)).count == 0


def test_too_large_stops_with_table_and_cure() -> None:
    big = group(DmlKind.INSERT, item(1, "a"), item(77, "x" * 200))
    size = len(
        made()
        .changes(batch(transaction(5, group(DmlKind.INSERT, item(77, "x" * 200))), 5))
        .messages["shop_item"][zlib.crc32(b"77") % 3][0]["value"]
    )
    fits = size + len(b"77") + OVERHEAD_BYTES
    assert made(limit=fits).changes(batch(transaction(5, big), 5)).count == 2
    for change in (lambda c: c.changes(batch(transaction(5, big), 5)), lambda c: c.chunk(chunk([text_row(b"77", b"x" * 240, b"A")]))):  # fmt: skip
        limit = fits - 1 if change(made()).chunk is None else 300
        with pytest.raises(MessageTooLarge, match=r"max\.message\.bytes.*dead-letter") as caught:
            change(made(limit=limit))
        assert "shop_item" in str(caught.value) and "'77'" in str(caught.value)


def test_too_large_becomes_a_dead_letter_in_the_same_batch() -> None:
    rows = group(DmlKind.INSERT, item(1, "a"), item(77, "x" * 200), item(2, "b"))
    whole = made().changes(batch(transaction(5, rows), 5))
    large = whole.messages["shop_item"][zlib.crc32(b"77") % 3]
    value = next(m["value"] for m in large if m["key"] == b"77")
    oversize = Oversize(TooLarge.DEAD_LETTER, "dead")
    out = made(limit=len(value), oversize=oversize).changes(batch(transaction(5, rows), 5))
    assert told(out) == [("INSERT", 1), ("INSERT", 2)]
    assert out.count == 3 and oversize.dead_letters == 1 and len(out.notices) == 1
    ((letter,),) = out.messages["dead"]
    assert letter["key"] == b"77"
    body = json.loads(letter["value"])
    assert (body["topic"], body["partition"], body["position"]) == (
        "shop_item",
        zlib.crc32(b"77") % 3,
        f"{UUID}:1-5",
    )
    assert body["message"] == json.loads(value)
    assert out.position == whole.position

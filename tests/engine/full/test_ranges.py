"""Ranges, keys and cut decisions without a server."""

import random

import pytest

from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.keys import Key, chunk_key, rank_here
from obsync_tui.engine.full.ranges import UNREAD, Region, TableRanges, TableRecord, Task
from obsync_tui.engine.full.reader import Cut
from obsync_tui.engine.store.store import Begin
from obsync_tui.model.position import Gtid, GtidSet
from obsync_tui.model.table import Column, TableName, TableVersion

NAME = TableName("d", "t")
UUID = "0" * 35 + "1"


def key(number: int) -> Key:
    return (str(number).encode(),)


def number(k: Key | None, missing: int) -> int:
    return missing if k is None else int(k[0])


class Model:
    """A table of the keys 1..rows, read and sent as the importer and the sink do, in random order."""

    def __init__(self, seed: int, rows: int) -> None:
        self.random = random.Random(seed)
        self.rows = rows
        self.cut = 1
        self.ranges = TableRanges(TableRecord(NAME, ("id",)), self.cut)
        self.reading: list[Task] = []
        self.at: dict[int, int] = {}
        self.queue: list[tuple[Task, list[int], bool]] = []
        self.sent: dict[int, int] = {}
        self.committed: dict[int, int] = {}

    def keys(self, task: Task) -> list[int]:
        upto = min(number(task.upto, self.rows), self.rows)
        return list(range(max(number(task.after, 0), self.at.get(task.segment_id, 0)) + 1, upto + 1))

    def take(self) -> None:
        task = self.ranges.take()
        if task:
            keys = self.keys(task)
            size = self.random.randint(2, 30)
            if not task.measured and len(keys) > size:
                assert self.ranges.split(task.segment_id, key(keys[size - 1]))
                task = Task(task.segment_id, task.after, key(keys[size - 1]), task.cut, 0, True)
            self.at[task.segment_id] = number(task.after, 0)
            self.reading.append(task)

    def read(self) -> None:
        if not self.reading:
            return
        task = self.random.choice(self.reading)
        keys = self.keys(task)
        some = keys[: self.random.randint(0, 12)]
        finished = len(some) == len(keys)
        last = key(some[-1]) if some else None
        if not some and not finished:
            return
        if not self.ranges.deliver(task.segment_id, last, len(some), finished):
            self.reading.remove(task)
            return
        if some:
            self.at[task.segment_id] = some[-1]
        self.queue.append((task, some, finished))
        if finished:
            self.lose(task)

    def lose(self, task: Task) -> None:
        self.reading.remove(task)
        self.ranges.give_back(task.segment_id)

    def lose_any(self) -> None:
        if self.reading:
            self.lose(self.random.choice(self.reading))

    def send(self) -> None:
        if not self.queue:
            return
        task, some, finished = self.queue.pop(0)
        if not self.ranges.knows(task.segment_id):
            return
        record = self.ranges.advance(task.segment_id, key(some[-1]) if some else None, len(some), finished)
        for k in some:
            assert k not in self.sent, "sent twice"
            self.sent[k] = task.cut
        assert record == TableRecord.decode(record.encode())

    def commit(self) -> None:
        self.ranges.commit()
        self.committed = dict(self.sent)
        self.check()

    def rewind(self) -> None:
        self.ranges.rewind()
        self.sent = dict(self.committed)

    def restart(self) -> None:
        self.cut += 1
        self.ranges = TableRanges(TableRecord.decode(self.ranges.committed.encode()))
        self.ranges.recut(self.cut)
        self.reading, self.queue = [], []
        self.sent = dict(self.committed)

    def check(self) -> None:
        record = self.ranges.committed
        assert record.rows == len(self.committed)
        assert record.regions[-1].upto is None
        below = 0
        for region, after in zip(record.regions, (*record.regions[1:], None), strict=True):
            upto = number(region.upto, self.rows)
            assert below <= upto
            for k in range(below + 1, upto + 1):
                assert self.committed.get(k, UNREAD) == region.cut
            below = upto
            assert after is None or after.cut != region.cut


@pytest.mark.parametrize("seed", range(60))
def test_every_key_is_sent_once_whatever_happens(seed: int) -> None:
    model = Model(seed, rows=seed * 7)
    steps = [model.take] * 4 + [model.read] * 10 + [model.send] * 10 + [model.commit] * 3
    steps += [model.lose_any, model.rewind] + ([model.restart] if seed % 3 else [])
    for _ in range(20_000):
        model.random.choice(steps)()
        if model.ranges.committed.done:
            break
    assert sorted(model.committed) == list(range(1, model.rows + 1))
    assert model.ranges.take() is None
    if not seed % 3:
        assert model.ranges.committed.regions == (Region(None, 1),)


def test_a_record_stays_small_while_many_segments_are_read() -> None:
    ranges = TableRanges(TableRecord(NAME, ("id",)), 1)
    for at in range(100, 10_000, 100):
        task = ranges.take()
        assert task and ranges.split(task.segment_id, key(at))
        assert ranges.deliver(task.segment_id, key(at), 100, True)
        ranges.give_back(task.segment_id)
        ranges.advance(task.segment_id, key(at), 100, True)
        ranges.commit()
        assert ranges.committed.regions == (Region(key(at), 1), Region(None, UNREAD))


def test_an_undivided_table_goes_on_in_its_snapshot_and_begins_anew_under_another_cut() -> None:
    ranges = TableRanges(TableRecord(NAME, ()), 1)
    task = ranges.take()
    assert task and task.skip_rows == 0
    for _ in range(2):
        assert ranges.deliver(task.segment_id, None, 10, False)
        ranges.advance(task.segment_id, None, 10, False)
        ranges.commit()
    assert ranges.deliver(task.segment_id, None, 10, False)
    ranges.give_back(task.segment_id)
    other = ranges.take()
    assert other and other.skip_rows == 30
    ranges.rewind()
    again = ranges.take()
    assert again and (again.skip_rows, again.cut) == (20, 1)
    ranges.recut(2)
    last = ranges.take()
    assert last and (last.skip_rows, last.cut) == (0, 2)
    ranges.advance(last.segment_id, None, 5, True)
    ranges.commit()
    assert ranges.committed == TableRecord(NAME, (), (Region(None, 2),), 5, first_cut=1, rows_cut=2)


def column(name: str, data_type: str, length: int = 0) -> Column:
    return Column(name, data_type, data_type, nullable=False, length=length)


@pytest.mark.parametrize(
    ("columns", "ascending"),
    [
        ([column("a", "bigint")], [(b"-9",), (b"-1",), (b"0",), (b"00002",), (b"10",), (b"18446744073709551615",)]),
        ([column("a", "decimal")], [(b"-10.50",), (b"-2.00",), (b"0.00",), (b"9.99",), (b"10.00",)]),
        ([column("a", "time")], [(b"-838:59:59.9",), (b"-838:59:59",), (b"-00:00:01",), (b"00:00:00",), (b"100:00:00",)]),
        ([column("a", "datetime")], [(b"0000-00-00 00:00:00",), (b"2020-01-01 00:00:00",), (b"2020-01-01 00:00:00.5",)]),
        ([column("a", "timestamp")], [(b"0",), (b"9.5",), (b"1000000000",), (b"1000000000.000001",)]),
        ([column("a", "binary", 3)], [(b"",), (b"\0\0\1",), (b"\1",), (b"a",), (b"ab",)]),
        ([column("a", "varbinary")], [(b"",), (b"\0",), (b"\0\0",), (b"\1",)]),
        ([column("a", "int"), column("b", "varbinary")], [(b"1", b"z"), (b"2", b""), (b"2", b"a"), (b"10", b"")]),
    ],
)  # fmt: skip
def test_keys_compare_as_on_the_server(columns: list[Column], ascending: list[Key]) -> None:
    assert rank_here(tuple(columns), ascending, ascending) == list(range(len(ascending)))
    assert rank_here(tuple(columns), ascending[1:], ascending[:1]) == [0]


@pytest.mark.parametrize(
    ("primary", "unique", "chosen"),
    [
        (("i",), (), ("i",)),
        (("e",), (("f",), ("v", "i")), ("v", "i")),
        (("i", "e"), (), ()),
        ((), (("s",),), ()),
        ((), (), ()),
    ],
)
def test_the_key_that_divides_a_table(
    primary: tuple[str, ...], unique: tuple[tuple[str, ...], ...], chosen: tuple[str, ...]
) -> None:
    types = {"i": "int", "e": "enum", "f": "double", "s": "set", "v": "varchar"}
    columns = tuple(column(name, data_type) for name, data_type in types.items())
    assert chunk_key(TableVersion(NAME, columns, primary, unique)) == chosen


class NoRanker:
    def rank(self, columns: object, boundaries: object, keys: object) -> list[int]:
        raise AssertionError("the server is not needed")


def begin(gno: int) -> Begin:
    return Begin(Gtid(UUID, gno), 0)


def test_images_are_kept_by_the_cut_of_their_range() -> None:
    cuts = {1: Cut(1, f"{UUID}:1-10"), 2: Cut(2, f"{UUID}:1-20"), 3: Cut(3, f"{UUID}:1-30")}
    two = TableName("d", "two")
    keyless = TableName("d", "keyless")
    tables = {
        two: TableRecord(two, ("id",), (Region(key(100), 1), Region(key(200), 2), Region(None, 1))),
        keyless: TableRecord(keyless, (), (Region(None, 2),), 5, first_cut=1),
    }
    versions = {name: TableVersion(name, (column("id", "int"),), ("id",)) for name in tables}
    chosen = CutFilter(cuts, tables, versions, NoRanker())
    assert (chosen.oldest.cut_id, chosen.newest.cut_id) == (1, 2)
    assert chosen.needs_filter(GtidSet.parse(f"{UUID}:1-19"))
    assert not chosen.needs_filter(GtidSet.parse(f"{UUID}:1-20"))
    assert [chosen.verdict(two, begin(gno)) for gno in (10, 11, 20, 21)] == [False, None, None, True]
    assert [chosen.verdict(keyless, begin(gno)) for gno in (10, 11)] == [False, True]
    assert chosen.verdict(TableName("d", "later"), begin(5)) is True
    decisions = [chosen.decide(two, begin(15), key(k)) for k in (1, 100, 101, 200, 201)]
    assert decisions == [True, True, False, False, True]
    assert chosen.key_of(two) == ("id",) and chosen.key_of(keyless) == ()


def test_one_cut_needs_no_filter() -> None:
    tables = {NAME: TableRecord(NAME, ("id",), (Region(None, 4),))}
    versions = {NAME: TableVersion(NAME, (column("id", "int"),), ("id",))}
    chosen = CutFilter({4: Cut(4, f"{UUID}:1-10")}, tables, versions, NoRanker())
    assert chosen.oldest.executed == f"{UUID}:1-10"
    assert not chosen.needs_filter(GtidSet.parse(f"{UUID}:1-10"))


def test_cuts_of_commit_times_filter_by_them() -> None:
    cuts = {1: Cut(1, "", commit_us=100, scn=100_999), 2: Cut(2, "", commit_us=200, scn=200_999)}
    tables = {NAME: TableRecord(NAME, ("id",), (Region(key(50), 1), Region(None, 2)))}
    versions = {NAME: TableVersion(NAME, (column("id", "int"),), ("id",))}
    both = CutFilter(cuts, tables, versions, NoRanker())

    def at(commit_us: int) -> Begin:
        return Begin(Gtid(UUID, 1), commit_us)

    assert [both.verdict(NAME, at(us)) for us in (100, 101, 200, 201)] == [False, None, None, True]
    assert [both.decide(NAME, at(150), key(k)) for k in (50, 51)] == [True, False]
    one = CutFilter(cuts, {NAME: TableRecord(NAME, ("id",), (Region(None, 1),))}, versions, NoRanker())
    assert [one.verdict(NAME, at(us)) for us in (100, 101)] == [False, True]
    assert both.needs_filter(GtidSet()) and one.needs_filter(GtidSet())
    assert [one.needs_filter(GtidSet(), us) for us in (0, 100, 101)] == [True, True, False]


def test_an_undivided_table_goes_on_under_the_cut_of_its_rows_alone() -> None:
    ranges = TableRanges(TableRecord(NAME, ()), 1)
    task = ranges.take()
    assert task
    assert ranges.deliver(task.segment_id, None, 10, False)
    ranges.advance(task.segment_id, None, 10, False)
    ranges.commit()
    committed = ranges.committed
    for cut, skip in ((1, 10), (2, 0)):
        again = TableRanges(TableRecord.decode(committed.encode()))
        again.recut(cut)
        found = again.take()
        assert found and (found.cut, found.skip_rows) == (cut, skip)

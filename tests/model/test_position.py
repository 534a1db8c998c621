"""GTID sets: text form, growth, differences."""

import random

import pytest
from pymysqlreplication.gtid import GtidSet as LibraryGtidSet

from obsync_tui.engine.store.binlog.dump import encode_gtid_set
from obsync_tui.model.position import Gtid, GtidSet

A = "01d6fb17-e6ad-11f1-b7e1-02fc00000001"
B = "f1d6fb17-e6ad-11f1-b7e1-02fc00000002"


def test_text_round_trip_sorts_and_merges() -> None:
    assert str(GtidSet.parse(f"{B}:5,\n{A}:7:1-3:4-5")) == f"{A}:1-5:7,{B}:5"
    assert str(GtidSet.parse("")) == ""


@pytest.mark.parametrize("text", ["abc", f"{A}", f"{A}:0", f"{A}:5-3", f"{A}:x", "not-a-uuid:1-5"])
def test_what_is_not_a_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        GtidSet.parse(text)


def test_next_number_extends_and_gaps_stay() -> None:
    executed = GtidSet.parse(f"{A}:1-5")
    executed.add(A, 6)
    executed.add(A, 9)
    executed.add(B, 1)
    assert str(executed) == f"{A}:1-6:9,{B}:1"
    executed.add(A, 8)
    executed.add(A, 7)
    assert str(executed) == f"{A}:1-9,{B}:1"
    assert executed.contains(A, 9) and not executed.contains(A, 10) and not executed.contains("x", 1)


def test_differences_agree_with_plain_sets() -> None:
    rng = random.Random(7)
    for _ in range(300):
        left = {(u, rng.randrange(1, 30)) for u in (A, B) for _ in range(rng.randrange(12))}
        right = {(u, rng.randrange(1, 30)) for u in (A, B) for _ in range(rng.randrange(25))}
        a, b = GtidSet(), GtidSet()
        for uuid, gno in left:
            a.add(uuid, gno)
        for uuid, gno in right:
            b.add(uuid, gno)
        missing = a.missing_from(b)
        expected = left - right
        assert missing.count() == len(expected)
        assert all(missing.contains(u, g) for u, g in expected)
        assert a.issubset(b) == (not expected)
        assert a.union(b).count() == len(left | right)


def test_a_copy_does_not_grow_with_its_origin() -> None:
    first = GtidSet.parse(f"{A}:1-5")
    second = first.copy()
    first.add(A, 6)
    assert str(second) == f"{A}:1-5"


@pytest.mark.parametrize("text", ["", f"{A}:1-5", f"{A}:1:3-9:20,{B}:1-1000000"])
def test_the_dump_command_carries_what_mysql_replication_would_send(text: str) -> None:
    library = LibraryGtidSet(text) if text else None
    expected = library.encoded() if library else b"\0" * 8
    assert encode_gtid_set(GtidSet.parse(text)) == expected


def test_gtid_text() -> None:
    assert Gtid.parse(f"{A.upper()}:17") == Gtid(A, 17)
    assert str(Gtid(A, 17)) == f"{A}:17"

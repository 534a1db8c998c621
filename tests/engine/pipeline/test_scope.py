"""What a checkpoint comes to when the rules of its project were edited."""

from __future__ import annotations

import msgspec
import pytest

from obsync_tui.engine.errors import ConfigError, SourceUnfit
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.full.ranges import Region, TableRecord
from obsync_tui.engine.full.reader import Cut
from obsync_tui.engine.pipeline.checkpoint import (
    Checkpoint,
    decode_checkpoint,
    position_record,
    resync_record,
    scope_record,
)
from obsync_tui.engine.pipeline.retime import plan
from obsync_tui.engine.pipeline.scope import follow_scope
from obsync_tui.engine.pipeline.shapes import Shapes
from obsync_tui.engine.pipeline.stopped import StoppedProject
from obsync_tui.engine.store.versions import schema_record
from obsync_tui.model.checkpoint import CUTS_KEY, Record
from obsync_tui.model.moment import Moment
from obsync_tui.model.objects import ObjectRules, Scope
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import Objects, Project, Step
from obsync_tui.model.retime import FoundPosition, UnknownShape
from obsync_tui.model.table import TableName, TableVersion

ITEM, OTHER, LATE = (TableName("shop", name) for name in ("item", "other", "late"))
INSIDE = LogPosition("a:1-9", "a:10", 500, 7, 8, 2)
STREAM = (position_record(INSIDE),)


class Side:
    """A source with one log for all tables, or with one for each."""

    def __init__(self, *there: TableName, each: bool = False) -> None:
        self.there, self.each, self.asked = there, each, 0
        self.given_up: list[TableName] = []
        self.rules = ObjectRules(Objects(("*.*",)))

    def unfollowed(self, checkpoint: Checkpoint, before: ObjectRules | None) -> frozenset[TableName]:
        self.asked += 1
        there = frozenset(filter(self.rules.matches, self.there))
        if self.each:
            return there - {table.name for table in checkpoint.schemas}
        return frozenset(name for name in there if before is not None and not before.matches(name))

    def give_up(self, checkpoint: Checkpoint, tables: frozenset[TableName]) -> tuple[Record, ...]:
        self.given_up += sorted(tables)
        return tuple(Record(f"viewlog:{table}", None) for table in tables)


def held(*tables: TableName, records: tuple[Record, ...] = STREAM, scope: Scope | None = None) -> Checkpoint:
    kept = [*records, *(schema_record(TableVersion(table, (), ())) for table in tables)]
    kept += [scope_record(scope)] if scope else []
    return decode_checkpoint({record.key: record.value for record in kept if record.value is not None})


def follow(
    checkpoint: Checkpoint, side: Side, *include: str, **project: object
) -> tuple[Checkpoint, tuple[str, ...], int]:
    commits: list[tuple[Record, ...]] = []
    objects = Objects(include)
    side.rules = ObjectRules(objects)
    made = msgspec.structs.replace(Project("np_aaaaaaaaaaaa", "orders", "shop", "events", objects), **project)
    after, texts = follow_scope(made, side, checkpoint, commits.append)  # type: ignore[arg-type]
    return after, texts, len(commits)


def names(checkpoint: Checkpoint) -> set[TableName]:
    return {table.name for table in checkpoint.schemas}


def test_the_rules_are_kept_before_anything_is_compared() -> None:
    """A checkpoint of an earlier obsync has none: nothing is looked for in the source."""
    side = Side(ITEM, LATE)
    after, texts, commits = follow(held(ITEM), side, "shop.*")
    assert (after.scope, texts, commits, side.asked) == (Scope(("shop.*",)), (), 1, 1)
    assert (after.position, after.resync, names(after)) == (INSIDE, frozenset(), {ITEM})
    again, texts, commits = follow(after, side, "shop.*")
    assert (again, texts, commits) == (after, (), 0)
    assert not held(records=(scope_record(Scope(("x.*",))),)).started


def test_tables_come_and_the_position_stays_inside_its_transaction() -> None:
    cut = Record(CUTS_KEY, msgspec.json.encode((Cut(4, "a:1-9", 0),)))
    table = TableRecord(LATE, ("id",), (Region(None, 4),))
    before = held(
        ITEM, records=(*STREAM, cut, Record("table:shop.late", table.encode())), scope=Scope(("shop.item",))
    )
    after, texts, commits = follow(before, Side(ITEM, LATE, OTHER), "shop.item", "shop.late")
    assert (after.position, after.resync, after.resync_after_cut, commits) == (INSIDE, {LATE}, 4, 1)
    assert texts == ("came into scope, and is read now: shop.late",)
    assert FullProgress(after.records).begun == frozenset()


def test_tables_leave_and_the_transaction_begins_again() -> None:
    side = Side(ITEM, OTHER)
    before = held(ITEM, OTHER, records=(*STREAM, resync_record((LATE,), 3)), scope=Scope(("shop.*",)))
    after, texts, commits = follow(before, side, "shop.item")
    assert (names(after), after.resync, commits) == ({ITEM}, frozenset(), 1)
    assert side.given_up == [LATE, OTHER]
    assert after.position == msgspec.structs.replace(INSIDE, inside="", rows=0)
    assert texts[0] == "left the scope, and is not followed any more: shop.late, shop.other"
    assert "transaction a:10 was delivered in part, 500 changes of it, and is sent again" in texts[1]
    # One of two that are read goes: the other is read on under the cuts that it may have.
    before = held(ITEM, records=(*STREAM, resync_record((LATE, OTHER), 3)), scope=Scope(("shop.*",)))
    after, _, _ = follow(before, side, "shop.item", "shop.late")
    assert (after.resync, after.resync_after_cut) == ({LATE}, 3)


def test_a_table_may_come_while_another_leaves() -> None:
    before = held(ITEM, scope=Scope(("shop.item",)))
    after, texts, commits = follow(before, Side(ITEM, LATE), "shop.late")
    assert (names(after), after.resync, commits, len(texts)) == (set(), {LATE}, 1, 3)


def test_a_log_for_each_table_tells_of_no_new_one() -> None:
    before = held(ITEM, scope=Scope(("shop.*",)))
    after, texts, _ = follow(before, Side(ITEM, LATE, each=True), "shop.*")
    assert (after.resync, texts) == ({LATE}, ("in scope since its creation, and read now: shop.late",))


def test_before_the_stream_has_begun_what_is_in_scope_is_read_anyway() -> None:
    table = TableRecord(OTHER, ("id",), (Region(None, 1),))
    before = held(
        ITEM, OTHER, records=(Record("table:shop.other", table.encode()),), scope=Scope(("shop.*",))
    )
    after, texts, _ = follow(before, Side(ITEM, LATE), "shop.item", "shop.late")
    assert (after.position, after.resync, names(after)) == (None, frozenset(), {ITEM})
    assert FullProgress(after.records).begun == frozenset()
    assert texts == ("left the scope, and is not followed any more: shop.other",)


@pytest.mark.parametrize("records", [STREAM, ()])
def test_that_nothing_would_be_left_is_refused(records: tuple[Record, ...]) -> None:
    before = held(ITEM, records=records, scope=Scope(("shop.*",)))
    with pytest.raises(SourceUnfit, match="no table matches the project's objects any more"):
        follow(before, Side(ITEM), "nowhere.*")


def test_rules_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"rule 'shop': write <db>\.<table>"):
        follow_scope(
            Project("np_aaaaaaaaaaaa", "orders", "shop", "events", Objects(("shop",))),
            Side(),  # type: ignore[arg-type]
            held(),
            lambda records: None,
        )


def test_a_project_without_a_stream_is_left_as_it_is() -> None:
    before = held(ITEM, scope=Scope(("shop.*",)))
    after, texts, commits = follow(before, Side(ITEM, LATE), "shop.late", steps=(Step.SCHEMA, Step.FULL))
    assert (after, texts, commits) == (before, (), 0)


def test_a_table_that_an_edit_brings_is_in_no_way_of_a_point_of_time() -> None:
    """How it was then is not known any more, and does not matter: the next run reads it."""
    at = Moment(1_000_000)

    class Timed(Side):
        def position_at(self, *_: object) -> FoundPosition:
            return FoundPosition(at, LogPosition("a:1-5"), None, at, at)

        def shapes_at(self, *_: object) -> Shapes:
            return Shapes(
                tuple(TableVersion(table, (), ()) for table in (ITEM, OTHER)),
                (UnknownShape(LATE, "ALTER TABLE late", "a:7", at),),
            )

    before = held(ITEM, scope=Scope(("shop.item",)))
    stopped = StoppedProject(
        {one.key: one.value for one in before.records if one.value}, lambda records: None
    )
    project = Project("np_aaaaaaaaaaaa", "orders", "shop", "events", Objects(("shop.*",)))
    found = plan(project, Timed(), stopped, at)  # type: ignore[arg-type]
    assert found.retime.unknown == () and [table.name for table in found.shapes.tables] == [ITEM]

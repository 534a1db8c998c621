"""What a statement does to tables that were read under a later cut: nothing, whether it names them or not."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import pytest

from obsync_tui.engine.store.binlog.ddl import parse_ddl
from obsync_tui.engine.store.binlog.evolution import SchemaEvolution
from obsync_tui.engine.store.binlog.schemas import Schemas
from obsync_tui.engine.store.store import DdlStatement
from obsync_tui.engine.values.jsonbinary import MYSQL80
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import Gtid, GtidSet
from obsync_tui.model.project import Objects
from obsync_tui.model.table import TableName, TableVersion

KEPT, LATE = TableName("shop", "item"), TableName("shop", "late")


class Server:
    """A catalog that shows no table any more."""

    def connect(self) -> nullcontext[None]:
        return nullcontext()

    def named(self, _: object, table: str) -> list[TableName]:
        return []


@pytest.mark.parametrize(
    ("statement", "database", "left"),
    [
        ("DROP DATABASE shop", "", {LATE}),
        ("DROP TABLE late", "", {KEPT, LATE}),
        ("DROP TABLE shop.item, shop.late", "shop", {LATE}),
        ("RENAME TABLE item TO late", "", {LATE}),
    ],
)
def test_a_table_that_is_left_out_keeps_its_shape(
    statement: str, database: str, left: set[TableName]
) -> None:
    objects = Objects(("shop.*",))
    schemas = Schemas(
        (TableVersion(KEPT, (), ()), TableVersion(LATE, (), ())), ObjectRules(objects), True, MYSQL80
    )
    schemas.leave_out(frozenset((LATE,)))
    evolution = SchemaEvolution(schemas, Server(), objects, "np_abcdefabcdef", threading.Event())  # type: ignore[arg-type]
    items = evolution.apply(parse_ddl(statement, database), statement, Gtid("u", 1), GtidSet.parse(""))
    assert {name for name in (KEPT, LATE) if schemas.known(name)} == left
    told = [item.table for item in items if isinstance(item, DdlStatement)]
    assert told == [KEPT] * (KEPT not in left)

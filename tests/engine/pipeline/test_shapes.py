"""Which shape a table had at a position, by the statements since."""

from __future__ import annotations

import pytest

from obsync_tui.engine.errors import SchemaChanged
from obsync_tui.engine.pipeline.shapes import check_known, shapes_at
from obsync_tui.engine.store.binlog.ddl import parse_ddl
from obsync_tui.engine.store.binlog.scan import LoggedDdl
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import Gtid, GtidSet
from obsync_tui.model.project import Objects
from obsync_tui.model.table import Column, TableName, TableVersion

UUID = "6f627379-6e63-5000-8000-000000000001"
RULES = ObjectRules(Objects(("shop.*",)))


def version(name: str, *columns: str) -> TableVersion:
    return TableVersion(TableName("shop", name), tuple(Column(one, "int", "int") for one in columns))


def upto(number: int) -> GtidSet:
    return GtidSet.parse(f"{UUID}:1-{number}")


def log(*statements: str, database: str = "shop") -> list[LoggedDdl]:
    """Statements with the numbers from 11 on."""
    return [
        LoggedDdl(Gtid(UUID, number), number * 1_000_000, text, tuple(parse_ddl(text, database)))
        for number, text in enumerate(statements, 11)
    ]


THERE = (version("item", "a", "b"), version("other", "a"))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE item (a INT)",
        "CREATE TABLE IF NOT EXISTS item (a INT)",
        "TRUNCATE TABLE item",
        "ALTER TABLE crm.item ADD c INT",
        "GRANT SELECT ON shop.item TO x",
        "DROP DATABASE crm",
    ],
)
def test_statements_that_leave_shapes_alone(statement: str) -> None:
    assert shapes_at(upto(10), THERE, log(statement), RULES).tables == THERE


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE item ADD b INT",
        "DROP TABLE item",
        "RENAME TABLE item TO crm.item",
        "RENAME TABLE crm.item TO shop.item",
        "CREATE UNIQUE INDEX i ON item (a)",
    ],
)
def test_statements_after_which_nobody_knows_the_shape_before(statement: str) -> None:
    found = shapes_at(upto(10), THERE, log(statement), RULES)
    assert [table.name.table for table in found.tables] == ["other"]
    (unknown,) = found.unknown
    assert (str(unknown.table), unknown.gtid, unknown.changed.at_us) == (
        "shop.item",
        f"{UUID}:11",
        11_000_000,
    )


def test_a_statement_without_its_database_counts_for_every_table_of_the_name() -> None:
    found = shapes_at(upto(10), THERE, log("ALTER TABLE item ADD b INT", database=""), RULES)
    assert [str(one.table) for one in found.unknown] == ["shop.item"]


def test_tables_that_are_gone_are_not_forgotten() -> None:
    found = shapes_at(upto(10), THERE, log("DROP TABLE gone", "DROP DATABASE shop"), RULES)
    assert [str(one.table) for one in found.unknown] == ["shop.gone", "shop.item", "shop.other"]


def test_the_checkpoint_knows_shapes_that_the_catalog_lost_later() -> None:
    narrow = version("item", "a")
    statements = log("ALTER TABLE item ADD b INT", "ALTER TABLE other ADD c INT")
    # At 5 as at 10, since nothing changed in between; what came later the stream will follow.
    found = shapes_at(upto(5), THERE, statements, RULES, (narrow, version("other")), upto(10))
    assert found.tables == (narrow, version("other")) and not found.unknown
    # The checkpoint has seen the first statement: before it the shape is another.
    found = shapes_at(upto(5), THERE, statements, RULES, (narrow, version("other")), upto(11))
    assert found.tables == (version("other"),)
    assert [str(one.table) for one in found.unknown] == ["shop.item"]
    # Behind the checkpoint nothing is known of what was skipped.
    found = shapes_at(upto(10), THERE, statements, RULES, (narrow, version("other")), upto(9))
    assert not found.tables and len(found.unknown) == 2


def test_the_refusal_names_the_last_statement() -> None:
    found = shapes_at(upto(10), THERE, log("ALTER TABLE item ADD b INT", "DROP TABLE other"), RULES)
    check_known((), "project p", "x")
    with pytest.raises(SchemaChanged, match=r"2 tables .*shop.item.*the last at 1970-01-01T00:00:12Z"):
        check_known(found.unknown, "project p", "x")

"""Statements that write names in another letter case than the server keeps them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obsync_tui.engine.errors import SchemaChanged
from obsync_tui.engine.store.store import DdlStatement, LogItem, RowGroup, SchemaVersion
from obsync_tui.model.position import LogPosition
from obsync_tui.model.table import TableVersion
from tests.contract.sources import BinlogSource, ServiceSource
from tests.servers import MySQLServer

AnySource = BinlogSource | ServiceSource


@pytest.fixture(params=["mysql", "service"])
def source(request: pytest.FixtureRequest, new_mysql: Callable[..., MySQLServer]) -> AnySource:
    # OceanBase's engine keeps names in lower case too.
    if request.param == "service":
        return ServiceSource(request.getfixturevalue("binlog_service"))
    return BinlogSource(new_mysql("5.7", ["--lower-case-table-names=1"]))


def read(source: AnySource, start: str, tables: tuple[TableVersion, ...]) -> list[LogItem]:
    end, store = source.executed(), source.store()
    found: list[LogItem] = []
    for batch in store.batches(LogPosition(start), tables):
        found += batch.items
        if source.behind(batch.executed, end):
            store.stop()
            return found
    raise AssertionError("unreachable")


def test_ddl_is_followed(source: AnySource) -> None:
    start, tables = source.executed(), source.tables()
    source.run(
        "INSERT INTO T VALUES (1, 'a')",
        "ALTER TABLE T ADD COLUMN w INT",
        "INSERT INTO t VALUES (2, 'b', 3)",
        f"CREATE TABLE {source.database.upper()}.OTHER (Id INT PRIMARY KEY)",
        "INSERT INTO Other VALUES (1)",
        "CREATE TABLE SkippedToo (id INT PRIMARY KEY)",
        "INSERT INTO SKIPPEDTOO VALUES (1)",
    )
    told = []
    for item in read(source, start, tables):
        if isinstance(item, RowGroup | SchemaVersion):
            told.append((type(item), item.table.name.table, len(item.table.columns)))
        elif isinstance(item, DdlStatement):
            told.append((type(item), item.table.table, 0))
    assert told == [
        (RowGroup, "t", 2),
        (SchemaVersion, "t", 3),
        (DdlStatement, "t", 0),
        (RowGroup, "t", 3),
        (SchemaVersion, "other", 1),
        (DdlStatement, "other", 0),
        (RowGroup, "other", 1),
    ]


def test_a_second_statement_in_the_backlog_is_seen(source: AnySource) -> None:
    start, tables = source.executed(), source.tables()
    source.run("ALTER TABLE t ADD COLUMN w INT", "ALTER TABLE T DROP COLUMN v")
    with pytest.raises(SchemaChanged, match="another DDL statement on the table"):
        read(source, start, tables)

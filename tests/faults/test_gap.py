"""A gap: the project stops before it, tells what is out of reach, and does what the user decides."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Store
from tests.faults.conftest import Install
from tests.faults.shop import Shop
from tests.servers import BinlogService, KafkaBroker, MySQLServer, OceanBaseServer

GAP, CONFIG = 7, 3


def purge_mysql(shop: Shop) -> None:
    with closing(shop.bank.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("FLUSH BINARY LOGS")
        cursor.execute("SHOW MASTER STATUS")
        row = cursor.fetchone()
        assert row is not None
        cursor.execute(f"PURGE BINARY LOGS TO '{row[0]}'")


def purge_service(shop: Shop) -> None:
    assert isinstance(shop.server, BinlogService)
    shop.server.purge()


def reset_master(shop: Shop) -> None:
    shop.run_sql("RESET MASTER")


@pytest.fixture
def own_mysql(new_mysql: Callable[..., MySQLServer]) -> Iterator[MySQLServer]:
    yield new_mysql("5.7")


@pytest.mark.parametrize(
    ("server", "lose", "said"),
    [
        ("own_mysql", purge_mysql, "purged transactions that were not read yet"),
        ("own_mysql", reset_master, "transactions that the source never had"),
        ("binlog_service", purge_service, "purged transactions that were not read yet"),
    ],
)
def test_a_log_that_lost_changes(
    request: pytest.FixtureRequest,
    server: str,
    lose: Callable[[Shop], None],
    said: str,
    kafka: KafkaBroker,
    install: Install,
) -> None:
    shop = Shop(request.getfixturevalue(server), kafka, install)
    name = shop.database
    shop.run_sql(
        f"INSERT INTO {name}.item VALUES (3, 'lost')", f"INSERT INTO {name}.other VALUES (3, 'lost')"
    )
    lose(shop)
    shop.run_sql(
        f"INSERT INTO {name}.item VALUES (4, 'kept')", f"INSERT INTO {name}.other VALUES (4, 'kept')"
    )
    shop.home.fails(GAP, said, "obsync project gap")
    status = shop.home.status()
    assert status is not None and status.phase is Phase.GAP
    assert "out of reach" in shop.gap()
    found = json.loads(shop.gap("--json"))
    assert found["survey"]["lost"] and found["survey"]["changed"] == []
    assert "changes of 1 more tables are out of reach" in shop.gap("--resync", f"{name}.item", code=CONFIG)
    shop.home.fails(GAP, said)
    decided = shop.gap("--resync", f"{name}.item", "--accept")
    assert f"{name}.item is read again at the next run" in decided and "the stream goes on at" in decided
    shop.deliver()
    # After RESET MASTER everything in the log is of the new history, and older than the cut or kept.
    again = [("ROW", 1, "one"), ("ROW", 1, "one"), ("ROW", 2, "two"), ("ROW", 2, "two"), ("ROW", 3, "lost")]
    assert shop.told("item") == [*again, ("ROW", 4, "kept")]
    assert shop.told("other") == [("ROW", 1, "one"), ("INSERT", 4, "kept")]
    shop.run_sql(f"UPDATE {name}.item SET name = 'later'", f"DELETE FROM {name}.other WHERE id = 3")
    shop.deliver()
    assert [one for one in shop.told("item") if one[0] == "UPDATE"] == [
        ("UPDATE", n, "later") for n in (1, 2, 3, 4)
    ]
    assert shop.told("other")[-2:] == [("DELETE", 3, "lost"), ("INSERT", 4, "kept")]
    assert any("is read again" in event for event in shop.home.events())


def drop_log(shop: Shop) -> None:
    shop.run_sql(f"DROP MATERIALIZED VIEW LOG ON {shop.database}.item")


def purge_log(shop: Shop) -> None:
    shop.run_sql(f"CALL DBMS_MVIEW.PURGE_LOG('{shop.database}.item')")


def add_column(shop: Shop) -> None:
    shop.run_sql(f"ALTER TABLE {shop.database}.item ADD COLUMN c INT DEFAULT 5")


@pytest.mark.parametrize(
    ("lose", "code", "said"),
    [
        (drop_log, GAP, "the view log is gone"),
        (purge_log, GAP, "was purged of rows that may not have been read"),
        (add_column, 8, "has columns that its view log does not hold: c"),
    ],
)
def test_a_view_log_in_other_hands(
    oceanbase: OceanBaseServer,
    kafka: KafkaBroker,
    install: Install,
    lose: Callable[[Shop], None],
    code: int,
    said: str,
) -> None:
    shop = Shop(oceanbase, kafka, install)
    name = shop.database
    shop.run_sql(
        f"INSERT INTO {name}.item (id, name) VALUES (3, 'lost')", f"INSERT INTO {name}.other VALUES (3, 'x')"
    )
    lose(shop)
    shop.home.fails(code, said, f"{name}.item", "obsync project gap")
    decided = shop.gap("--resync", f"{name}.item")
    assert decided.startswith(f"{name}.item is read again at the next run\n")
    shop.deliver()
    shop.run_sql(f"UPDATE {name}.item SET name = 'later' WHERE id = 1")
    shop.deliver()
    assert shop.told("item") == [
        ("ROW", 1, "one"),
        ("ROW", 1, "one"),
        ("UPDATE", 1, "later"),
        ("ROW", 2, "two"),
        ("ROW", 2, "two"),
        ("ROW", 3, "lost"),
    ]
    assert shop.told("other") == [("ROW", 1, "one"), ("INSERT", 3, "x")]
    shop.home.command("project", "delete", "orders", "--yes", "orders")
    listed = shop.home.command("source", "logs", "shop", "--json")
    assert name not in listed


def test_changes_of_a_view_log_are_given_up_by_name(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(oceanbase, kafka, install)
    name = shop.database
    assert "there is no gap to accept" in shop.gap("--accept", code=CONFIG)
    shop.run_sql(f"INSERT INTO {name}.item VALUES (3, 'lost')")
    drop_log(shop)
    shop.home.fails(GAP, "the view log is gone")
    assert f"{name}.item: its view log is gone; its changes since then are given up" in shop.gap("--accept")
    shop.deliver()
    shop.run_sql(f"INSERT INTO {name}.item VALUES (4, 'kept')")
    shop.deliver()
    assert shop.told("item") == [("ROW", 1, "one"), ("ROW", 2, "two"), ("INSERT", 4, "kept")]


def test_a_second_project_on_a_logged_table_is_refused(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(oceanbase, kafka, install)
    second = install(shop.bank.source(), kafka.bootstrap)
    second.project(f"{shop.database}.item")
    second.fails(6, "the table has a view log already", "no project on this machine owns")
    checked = second.command("project", "check", "orders", code=16)
    assert "view log owners" in checked and f"{shop.database}.item" in checked


@pytest.mark.parametrize("server", ["mysql57", "binlog_service"])
def test_shapes_that_nobody_knows_any_more_are_passed_by_reading_the_table_again(
    request: pytest.FixtureRequest, server: str, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(request.getfixturevalue(server), kafka, install)
    name = shop.database
    shop.run_sql(
        f"ALTER TABLE {name}.item ADD COLUMN c INT DEFAULT 5",
        f"INSERT INTO {name}.item VALUES (3, 'between', 6), (-1, '', 0), (-2, '', 0), (-3, '', 0), (-4, '', 0)",
        f"INSERT INTO {name}.other VALUES (2, 'kept')",
        f"ALTER TABLE {name}.item DROP COLUMN c",
    )
    shop.home.fails(8, "another DDL statement on the table", f"--resync {name}.item")
    shop.gap("--resync", f"{name}.item")
    # A kill while the table is read again loses nothing.
    shop.home.project(f"{name}.*", full=Full(range_rows=1, rows_per_s=1))
    run = shop.home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 0)
    run.kill()
    shop.home.project(f"{name}.*")
    shop.deliver()
    shop.run_sql(f"INSERT INTO {name}.item VALUES (4, 'after')")
    shop.deliver()
    assert [one for one in shop.told("item") if one[1] > 2] == [("ROW", 3, "between"), ("INSERT", 4, "after")]
    assert shop.told("item").count(("ROW", 1, "one")) == 2
    assert shop.told("other") == [("ROW", 1, "one"), ("INSERT", 2, "kept")]


def test_wrong_decisions_are_refused(mysql57: MySQLServer, kafka: KafkaBroker, install: Install) -> None:
    shop = Shop(mysql57, kafka, install)
    assert "not a table of this project: x.y" in shop.gap("--resync", "x.y", code=CONFIG)
    assert "not a table: 'item'" in shop.gap("--resync", "item", code=CONFIG)
    fresh = install(shop.bank.source(), kafka.bootstrap)
    fresh.project(f"{shop.database}.*")
    said = fresh.command("project", "gap", "orders", code=CONFIG)
    assert "the project's stream has not begun" in said


def test_a_table_is_read_again_from_inside_a_transaction(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install
) -> None:
    """What was counted of the transaction is no longer what the log gives of it: no change of the other table is lost."""
    shop, ids = Shop(mysql57, kafka, install), range(10, 60_010)
    name, values = shop.database, ",".join(f"({n}, '{'x' * 20}')" for n in ids)
    shop.home.project(f"{name}.*", store=Store(rows_per_s=10_000))
    run = shop.home.start()
    run.until_phase(Phase.INCREMENTAL)
    shop.run_sql(
        "BEGIN",
        f"INSERT INTO {name}.item VALUES {values}",
        f"INSERT INTO {name}.other VALUES {values}",
        "COMMIT",
    )
    run.until(lambda status: status.rows > 5000)
    run.kill()
    assert len(shop.told("item")) > 5000 and len(shop.told("other")) < len(ids)
    assert "is sent again from its beginning" in shop.gap("--resync", f"{name}.item")
    shop.home.project(f"{name}.*")
    shop.deliver()
    assert {one[1] for one in shop.told("other")} == {1, *ids}

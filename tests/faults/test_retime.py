"""A stopped project set to a point of time: exactly what was told is sent again or skipped, and no more."""

from __future__ import annotations

import json
import time

import pytest

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Step, Store
from tests.faults.conftest import Install
from tests.faults.shop import Shop
from tests.servers import KafkaBroker, MySQLServer, OceanBaseServer, consume_all

CONFIG, UNFIT, GAP, SCHEMA = 3, 6, 7, 8
YES = ("--yes", "orders")
ROWS = [("ROW", 1, "one"), ("ROW", 2, "two")]


def sequences(shop: Shop, kafka: KafkaBroker) -> list[list[int]]:
    """`storeDataSequence` of each partition's changes, in order."""
    found: dict[int, list[int]] = {}
    for record in sorted(consume_all(kafka.bootstrap, [f"{shop.database}_item"]), key=lambda r: r.offset):
        message = json.loads(record.value or b"")
        if message["recordType"] != "ROW":
            found.setdefault(record.partition, []).append(int(message["allMetaData"]["storeDataSequence"]))
    return list(found.values())


@pytest.mark.parametrize("server", ["mysql57", "mysql80", "binlog_service", "oceanbase"])
def test_changes_are_sent_again_or_skipped_as_told(
    request: pytest.FixtureRequest, server: str, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(request.getfixturevalue(server), kafka, install)
    item = f"{shop.database}.item"
    shop.run_sql(f"INSERT INTO {item} VALUES (3, 'before')")
    at = shop.now()
    shop.run_sql(f"INSERT INTO {item} VALUES (4, 'again')", f"UPDATE {item} SET name = 'twice' WHERE id = 4")
    shop.deliver()
    told = shop.retime(at, *YES)
    assert "sent again   2 transactions" in told and "skipped      nothing" in told
    assert f"epoch        {at.rstrip('0').rstrip('.')}" in told and "epoch 1" in told
    shop.deliver()
    again = [("INSERT", 4, "again"), ("UPDATE", 4, "twice")]
    assert shop.told("item") == [*ROWS, ("INSERT", 3, "before"), *again, *again]
    assert shop.told("other") == [("ROW", 1, "one")]
    shop.run_sql(f"INSERT INTO {item} VALUES (5, 'skipped')", f"DELETE FROM {item} WHERE id = 5")
    at = shop.now()
    shop.run_sql(f"INSERT INTO {item} VALUES (6, 'kept')")
    told = shop.retime(at, *YES)
    assert "sent again   nothing" in told and "skipped      2 transactions" in told and "epoch 2" in told
    shop.deliver()
    assert shop.told("item") == [*ROWS, ("INSERT", 3, "before"), *again, *again, ("INSERT", 6, "kept")]
    assert all(numbers == sorted(set(numbers)) for numbers in sequences(shop, kafka))
    assert any("set to" in event and "epoch 2" in event for event in shop.home.events())


def test_shapes_are_those_of_the_time_or_it_is_refused(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(mysql57, kafka, install)
    name = shop.database
    before = shop.now()
    shop.run_sql(
        f"INSERT INTO {name}.other VALUES (2, 'again')",
        f"ALTER TABLE {name}.item ADD COLUMN c INT DEFAULT 5",
        f"INSERT INTO {name}.item VALUES (3, 'narrow', 1)",
        f"CREATE TABLE {name}.made (id INT PRIMARY KEY, name VARCHAR(20))",
        f"INSERT INTO {name}.made VALUES (1, 'made')",
    )
    shop.deliver()
    told = shop.retime(before, *YES, code=SCHEMA)
    assert f"{name}.item" in told and "its shape there is not known: ALTER TABLE" in told
    assert "--resync" in told
    told = shop.retime(before, "--resync", f"{name}.item", *YES)
    assert f"{name}.item is read again at the next run" in told
    shop.deliver()
    wide = ("INSERT", 3, "narrow")
    assert shop.told("item") == [ROWS[0], ROWS[0], ROWS[1], ROWS[1], wide, ("ROW", 3, "narrow")]
    assert shop.told("other") == [("ROW", 1, "one"), *[("INSERT", 2, "again")] * 2]
    assert shop.told("made") == [("INSERT", 1, "made")] * 2
    # A change of shape in what is skipped is in the catalog.
    shop.run_sql(
        f"ALTER TABLE {name}.item ADD COLUMN d INT DEFAULT 7",
        f"DROP TABLE {name}.made",
        f"INSERT INTO {name}.item VALUES (4, 'skipped', 1, 1)",
    )
    at = shop.now()
    shop.run_sql(f"INSERT INTO {name}.item VALUES (5, 'wider', 1, 2)")
    shop.retime(at, *YES)
    shop.deliver()
    assert [one for one in shop.told("item") if one[1] > 3] == [("INSERT", 5, "wider")]


def test_a_time_that_cannot_be_is_refused(mysql80: MySQLServer, kafka: KafkaBroker, install: Install) -> None:
    shop = Shop(mysql80, kafka, install)
    name = shop.database
    assert "is to come: the source's clock is at" in shop.retime(
        str(int(time.time()) + 3600), *YES, code=CONFIG
    )
    assert "the log no longer holds" in shop.retime("1000000000", *YES, code=GAP)
    assert "without its zone" in shop.retime("2026-01-01T00:00:00", *YES, code=CONFIG)
    assert "not a table of this project: x.y" in shop.retime(shop.now(), "--resync", "x.y", code=CONFIG)
    at = shop.now()
    shop.run_sql(f"INSERT INTO {name}.item VALUES (3, 'later')")
    # The position stands before it: it is the next change, whether delivered or not.
    planned = json.loads(shop.retime(at, "--json"))
    assert planned["epoch"] == 1 and planned["unknown"] == [] and planned["again"] == []
    assert (
        planned["found"]["repeated"]
        == planned["found"]["skipped"]
        == {"transactions": 0, "first": None, "last": None}
    )
    assert float(at) * 1e6 < planned["found"]["following"]["at_us"] < planned["found"]["newest"]["at_us"]
    # Without the name nothing is changed.
    assert "not confirmed" in shop.retime(at, code=CONFIG)
    assert json.loads(shop.retime(at, "--json"))["epoch"] == 1
    fresh = install(shop.bank.source(), kafka.bootstrap)
    fresh.project(f"{name}.*", full=Full(range_rows=1, rows_per_s=1))
    at = ("project", "retime", "orders", "--at", shop.now(), *YES)
    assert "stream has not begun" in fresh.command(*at, code=CONFIG)
    run = fresh.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 0)
    run.kill()
    assert "full synchronization is not finished" in fresh.command(*at, code=CONFIG)


def test_view_logs_reach_back_to_when_they_were_made(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install
) -> None:
    before = str(int(time.time()) - 1)
    shop = Shop(oceanbase, kafka, install)
    assert "the log no longer holds, or never held" in shop.retime(before, *YES, code=GAP)
    fresh = install(shop.bank.source(), kafka.bootstrap)
    fresh.project(f"{shop.database}.*", steps=(Step.INCREMENTAL,), store=Store(start=before))
    fresh.fails(UNFIT, "view logs hold nothing from before they were made")


@pytest.mark.parametrize("server", ["mysql80", "binlog_service"])
def test_a_project_begins_at_a_time(
    request: pytest.FixtureRequest, server: str, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(request.getfixturevalue(server), kafka, install)
    name = shop.database
    shop.run_sql(f"INSERT INTO {name}.item VALUES (3, 'before')")
    at = shop.now()
    shop.run_sql(
        f"INSERT INTO {name}.item VALUES (4, 'first')",
        f"CREATE TABLE {name}.made (id INT PRIMARY KEY, name VARCHAR(20))",
        f"INSERT INTO {name}.made VALUES (1, 'made')",
    )
    late = install(shop.bank.source(), kafka.bootstrap)
    project = late.project(f"{name}.*", steps=(Step.INCREMENTAL,), store=Store(start=at, heartbeat_s=0.5))
    late.files.write_project(project)
    run = late.start()
    run.until_delivered(shop.bank.executed())
    run.stop()
    assert shop.told("item") == [*ROWS, ("INSERT", 4, "first")]
    assert shop.told("made") == [("INSERT", 1, "made")]
    shop.run_sql(f"ALTER TABLE {name}.item ADD COLUMN c INT")
    later = install(shop.bank.source(), kafka.bootstrap)
    later.project(f"{name}.*", steps=(Step.INCREMENTAL,), store=Store(start=at))
    later.fails(SCHEMA, f"{name}.item", "changed by DDL since", "Start at a later time")

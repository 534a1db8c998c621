"""View logs in other hands, rights that go, DDL, a clock that is wrong: told with its cure, or gone on with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import msgspec
import pymysql
import pytest

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Objects, new_project_id
from tests.faults.checker import check
from tests.faults.conftest import Bank, Install
from tests.faults.installation import PASSWORD, Installation, Run
from tests.faults.test_gap import Shop, drop_log, purge_log
from tests.servers import KafkaBroker, OceanBaseServer


@pytest.fixture
def shop(oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install) -> Shop:
    return Shop(oceanbase, kafka, install)


def running(shop: Shop) -> Run:
    run = shop.home.start()
    run.until_phase(Phase.INCREMENTAL)
    return run


def listed(home: Installation, database: str) -> dict[str, str]:
    """Owners of the database's logs by table, as the command lists them."""
    logs = json.loads(home.command("source", "logs", "shop", "--json"))
    return {
        log["table"]["table"]: ("gone" if log["orphan"] else log["owner"])
        for log in logs
        if log["table"]["database"] == database
    }


def recreate_log(shop: Shop) -> None:
    drop_log(shop)
    shop.run_sql(
        f"CREATE MATERIALIZED VIEW LOG ON {shop.database}.item WITH PRIMARY KEY, ROWID, SEQUENCE (name)"
        " INCLUDING NEW VALUES"
    )


@pytest.mark.parametrize(
    ("lose", "said"),
    [
        (recreate_log, "its view log was dropped and created again"),
        (purge_log, "its view log was purged by somebody else"),
    ],
)
def test_a_log_that_others_take_under_way(shop: Shop, lose: Callable[[Shop], None], said: str) -> None:
    name = shop.database
    run = running(shop)
    shop.run_sql(f"INSERT INTO {name}.other VALUES (2, 'two')")
    # A purge takes its time, and what is purged behind a reader is no gap: the reader stands still meanwhile.
    run.freeze()
    lose(shop)
    run.thaw()
    run.ends(7, f"{name}.item", "obsync project gap NAME --resync")
    shop.run_sql(f"INSERT INTO {name}.item VALUES (3, 'unheard')")
    shop.home.fails(7, f"{name}.item")
    assert said in shop.gap()
    (found,) = json.loads(shop.gap("--json"))["survey"]["gaps"]
    assert found == {"table": {"database": name, "table": "item"}, "what": said}
    shop.gap("--resync", f"{name}.item")
    if lose is recreate_log:
        # Whose it is nobody knows: it may be somebody's.
        line = shop.home.fails(6, "no project on this machine owns", "DROP MATERIALIZED VIEW LOG ON")
        shop.run_sql(line.partition("goes with: ")[2].strip())
    shop.deliver()
    shop.run_sql(f"UPDATE {name}.item SET name = 'later' WHERE id = 3")
    shop.deliver()
    assert shop.told("item")[-2:] == [("ROW", 3, "unheard"), ("UPDATE", 3, "later")]
    assert shop.told("other") == [("ROW", 1, "one"), ("INSERT", 2, "two")]


REFUSED = (
    "DROP TABLE {0}.item",
    "TRUNCATE TABLE {0}.item",
    "RENAME TABLE {0}.item TO {0}.thing",
    "ALTER TABLE {0}.item MODIFY name VARCHAR(40)",
    "ALTER TABLE {0}.item DROP COLUMN name",
)


def test_statements_that_the_engine_refuses_on_a_logged_table(shop: Shop) -> None:
    """They fail where they are run, and the project hears nothing of it."""
    run = running(shop)
    for statement in REFUSED:
        with pytest.raises(pymysql.err.MySQLError) as refused:
            shop.run_sql(statement.format(shop.database))
        assert refused.value.args[0] == 1235, refused.value
    shop.run_sql(f"INSERT INTO {shop.database}.item VALUES (3, 'three')")
    run.until_delivered(shop.bank.executed())
    run.stop()
    assert shop.told("item")[-1] == ("INSERT", 3, "three")


def test_tables_that_are_created_under_way(shop: Shop) -> None:
    """Each gets a log and is read, whether the project runs meanwhile or not; the others go on, each change once."""
    name = shop.database
    run = running(shop)
    shop.run_sql(
        f"CREATE TABLE {name}.late (id INT PRIMARY KEY, name VARCHAR(20))",
        f"INSERT INTO {name}.late VALUES (1, 'one'), (2, 'two')",
        f"INSERT INTO {name}.item VALUES (3, 'three')",
    )
    run.until(lambda status: status.phase is Phase.INCREMENTAL and status.rows == 3)
    assert listed(shop.home, name) == {"item": "orders", "other": "orders", "late": "orders"}
    shop.run_sql(f"UPDATE {name}.late SET name = 'new' WHERE id = 2", f"DELETE FROM {name}.item WHERE id = 3")
    run.until_delivered(shop.bank.executed())
    run.stop()
    shop.run_sql(
        f"CREATE TABLE {name}.later (id INT PRIMARY KEY, name VARCHAR(20))",
        f"INSERT INTO {name}.later VALUES (1, 'one')",
        f"UPDATE {name}.late SET name = 'newer' WHERE id = 2",
    )
    shop.deliver()
    shop.run_sql(f"DELETE FROM {name}.later WHERE id = 1")
    shop.deliver()
    assert shop.told("late") == [
        ("ROW", 1, "one"),
        ("ROW", 2, "two"),
        ("UPDATE", 2, "new"),
        ("UPDATE", 2, "newer"),
    ]
    assert shop.told("later") == [("ROW", 1, "one"), ("DELETE", 1, "one")]
    assert shop.told("item")[2:] == [("INSERT", 3, "three"), ("DELETE", 3, "three")]
    assert [event for event in shop.home.events() if "since its creation" in event]


def test_rights_revoked_under_way(shop: Shop) -> None:
    name, user = shop.database, f"u_{shop.database}"
    shop.home.files.write_source(shop.bank.source(user, "env:SHOP_PASSWORD"))
    script = shop.home.command("source", "prepare", "shop", "--databases", name)
    lines = script.replace("<password>", PASSWORD).splitlines()
    shop.run_sql(*(line for line in lines if line and not line.startswith("--")))
    run = running(shop)
    shop.run_sql(f"REVOKE SELECT ON {name}.* FROM {user}")
    shop.run_sql(f"INSERT INTO {name}.item VALUES (3, 'three')")
    run.ends(5, "SELECT command denied", "obsync project check")
    said = shop.home.command("project", "check", "orders", code=16)
    (grant,) = [line for line in said.splitlines() if "GRANT SELECT ON" in line]
    shop.run_sql(grant[grant.index("GRANT") :].rstrip())
    shop.deliver()
    assert shop.told("item")[-1] == ("INSERT", 3, "three")
    shop.run_sql(f"DROP USER {user}")


def test_ddl_on_a_table_that_is_being_read(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install
) -> None:
    shop = Shop(oceanbase, kafka, install, delivered=False)
    name = shop.database
    shop.run_sql(f"INSERT INTO {name}.item VALUES " + ",".join(f"({n}, 'x')" for n in range(3, 60)))
    shop.home.project(f"{name}.*", full=Full(connections=1, range_rows=2, rows_per_s=5))
    run = shop.home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 5)
    shop.run_sql(f"ALTER TABLE {name}.item ADD COLUMN c INT DEFAULT 5")
    shop.home.project(f"{name}.*")
    run.ends(8, f"{name}.item", "dropped or changed while it was read")
    read = shop.told("item")
    assert 5 < len(read) < 59 and shop.told("other") == [("ROW", 1, "one")]
    shop.home.fails(8, f"{name}.item")
    shop.home.command("project", "reset", "orders", "--yes", "orders")
    assert listed(shop.home, name) == {}
    shop.deliver()
    assert len(shop.told("item")) == len(read) + 59


def test_a_second_project_is_told_whose_the_log_is(shop: Shop) -> None:
    second = msgspec.structs.replace(
        shop.home.project(f"{shop.database}.*"),
        id=new_project_id(),
        name="second",
        objects=Objects((f"{shop.database}.item",)),
    )
    shop.home.files.write_project(second)
    said = shop.home.command("project", "run", "second", code=6)
    assert "which project orders owns" in said and "obsync source logs" in said
    said = shop.home.command("project", "check", "second", code=16)
    assert "view log owners" in said and f"{shop.database}.item" in said
    assert listed(shop.home, shop.database) == {"item": "orders", "other": "orders"}


def test_logs_go_with_a_reset_and_with_what_is_left_of_a_project(shop: Shop) -> None:
    shop.home.command("project", "reset", "orders", "--yes", "orders")
    assert listed(shop.home, shop.database) == {}
    shop.deliver()
    assert shop.told("item") == [("ROW", n, t) for n, t in ((1, "one"), (2, "two")) for _ in range(2)]
    shop.home.command("project", "delete", "orders", "--local-only", "--yes", "orders")
    assert listed(shop.home, shop.database) == {"item": "gone", "other": "gone"}
    said = shop.home.command("source", "logs", "shop", "--drop-orphans")
    assert f"dropped: the view log of {shop.database}.item" in said
    assert listed(shop.home, shop.database) == {}


# Read by every Python that finds it, before anything else.
SKEWED = """
import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + {0} * 3600
time.time_ns = lambda: _time_ns() + {0} * 3600 * 10**9
"""


def test_positions_are_of_the_source_s_clock(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    hours = -8
    workload = bank(oceanbase, seed=61, rows=300)
    home = install(workload.server.source(), kafka.bootstrap)
    home.project(f"{workload.database}.*", full=Full(range_rows=100, rows_per_s=500))
    (home.home / "skewed").mkdir()
    (home.home / "skewed" / "sitecustomize.py").write_text(SKEWED.format(hours))
    home.environment["PYTHONPATH"] = str(home.home / "skewed")
    workload.start()
    run = home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 200)
    run.kill()
    run = home.start()
    status = run.until_phase(Phase.INCREMENTAL)
    assert abs(status.at_s - hours * 3600 - time.time()) < 60
    newest_cut = workload.now()
    time.sleep(1)
    run.kill()
    run = home.start()
    run.until(
        lambda status: status.clock_offset_s is not None and abs(status.clock_offset_s + hours * 3600) < 60
    )
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    assert check(workload, kafka, newest_cut).changes > 100

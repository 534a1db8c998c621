"""Tables that come into a started project's scope and leave it: of them and of the others no change is lost or repeated."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.requests import Named, Rename
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.objectchange import ChangeState, ObjectChange
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import Full, Objects, Store
from tests.engine.resident import ResidentEngine, until
from tests.faults.checker import check
from tests.faults.conftest import Bank, Install
from tests.faults.controlled import Controlled
from tests.faults.shop import Shop
from tests.faults.workload import Workload
from tests.servers import KafkaBroker, MySQLServer, consume_all

SLOW = Full(range_rows=25, rows_per_s=25)


def scope(workload: Workload, *excluded: str) -> Objects:
    return Objects((f"{workload.database}.*",), ("*.journal", *(f"*.{table}" for table in excluded)))


def read_again(project: Controlled) -> int:
    """How often a full synchronization came to its end.

    The phase alone does not tell: a restart looks like the attempt before until it is as far.
    """
    return sum("full synchronization is done" in event for event in project.events())


@pytest.fixture
def held(
    mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank, tmp_path: Path
) -> Iterator[tuple[Controlled, Workload]]:
    """A project in this process that leaves the table `wallet` out."""
    workload = bank(mysql57, seed=92, rows=400)
    with ExitStack() as stack:
        yield (
            stack.enter_context(
                closing(
                    Controlled(
                        tmp_path, workload, kafka.bootstrap, objects=scope(workload, "wallet"), full=SLOW
                    )
                )
            ),
            workload,
        )


def test_an_edit_under_way_is_applied_in_each_phase(
    held: tuple[Controlled, Workload], kafka: KafkaBroker
) -> None:
    project, workload = held
    database = workload.database

    def apply(*excluded: str, full: Full = SLOW) -> list[str]:
        edited = msgspec.structs.replace(project.project, objects=scope(workload, *excluded), full=full)
        return [change.key for change in project.run.apply(edited).restart]

    workload.start()
    project.begin()
    project.until(lambda status: status.phase is Phase.FULL and status.full.rows > 30)
    # While the first synchronization is under way: one more table, and one less, which is read in part.
    assert apply("account", full=Full(range_rows=100, connections=3)) == [
        "full.connections",
        "objects.exclude",
    ]
    project.until_phase(Phase.INCREMENTAL)
    told = {
        table: len(consume_all(kafka.bootstrap, [f"{database}_{table}"])) for table in ("account", "wallet")
    }
    assert told["account"] < 800 and told["wallet"] >= 266
    # An addition that is taken back while it is read: the table is out again, the others go on.
    assert apply() == ["objects.exclude"]
    project.until(lambda status: status.phase is Phase.FULL and status.full.rows > 30)
    assert apply("account", full=Full()) == ["objects.exclude"]
    project.until_phase(Phase.INCREMENTAL)
    project.until_delivered(workload.executed())
    newest_cut = workload.now()
    told["account"] = len(consume_all(kafka.bootstrap, [f"{database}_account"]))
    project.project = msgspec.structs.replace(project.project, objects=scope(workload), full=Full())
    before = read_again(project)
    assert [change.key for change in project.run.apply(project.project).restart] == ["objects.exclude"]
    project.until(lambda _: sum("came into scope" in event for event in project.events()) == 2)
    project.until(lambda _: read_again(project) > before)
    project.until_phase(Phase.INCREMENTAL)
    again = workload.now()
    time.sleep(0.5)
    workload.stop()
    project.until_delivered(workload.executed())
    project.stop()
    checked = check(workload, kafka, newest_cut, again={"account": again})
    print(checked)


def test_a_transaction_that_is_delivered_in_part(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install
) -> None:
    """A table that comes changes nothing of what is counted in it, and what was done to it before its cut is left out."""
    shop, ids = Shop(mysql57, kafka, install, delivered=False), range(10, 80_010)
    name, values = shop.database, ",".join(f"({n}, '{'x' * 20}')" for n in ids)
    without, all_of_them = Objects((f"{name}.other",)), Objects((f"{name}.item", f"{name}.other"))
    shop.home.project("unused.*", objects=without, store=Store(rows_per_s=10_000))
    run = shop.home.start()
    run.until_phase(Phase.INCREMENTAL)
    big = ("BEGIN", *(f"INSERT INTO {name}.{table} VALUES {values}" for table in ("item", "other")), "COMMIT")
    shop.run_sql(
        *big, f"RENAME TABLE {name}.item TO {name}.item_1", f"CREATE TABLE {name}.copy LIKE {name}.item_1"
    )
    shop.run_sql(f"INSERT INTO {name}.copy VALUES (1, 'copied')", f"RENAME TABLE {name}.copy TO {name}.item")
    run.until(lambda status: status.rows > 12_000)
    run.kill()
    assert 10_000 < len(shop.told("other")) < len(ids)
    shop.home.project("unused.*", objects=all_of_them)
    shop.deliver()
    assert [one[1] for one in shop.told("other")] == sorted((1, *ids), key=str)
    assert not any("sent again" in event for event in shop.home.events())
    assert shop.told("item") == [("ROW", 1, "copied")]


@pytest.mark.parametrize(("server", "by_view_logs"), [("oceanbase", True), ("binlog_service", False)])
def test_a_table_of_oceanbase_comes_leaves_and_comes_again(
    request: pytest.FixtureRequest,
    server: str,
    by_view_logs: bool,
    kafka: KafkaBroker,
    bank: Bank,
    tmp_path: Path,
) -> None:
    workload = bank(request.getfixturevalue(server), seed=93, rows=60)
    without, everything = scope(workload, "wallet"), scope(workload)

    def logged() -> bool:
        with workload.server.connect(database=workload.database) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            return ("mlog$_wallet",) in cursor.fetchall()

    with closing(Controlled(tmp_path, workload, kafka.bootstrap, objects=without)) as project:
        project.begin()
        project.until_phase(Phase.INCREMENTAL)
        newest_cut = workload.now()
        if not by_view_logs:  # writers hold up the making of a log for long
            workload.start()
        # What differs between the logs is what is made for a table; that it comes again, MySQL's binlog shows, too.
        steps = ((everything, True), (without, False), (everything, True))[: 3 if by_view_logs else 1]
        for number, (objects, there) in enumerate(steps, 1):
            before = read_again(project)
            project.run.apply(msgspec.structs.replace(project.project, objects=objects))
            project.until(lambda _, n=number: sum("scope" in event for event in project.events()) == n)  # type: ignore[misc]
            if there:
                project.until(lambda _, before=before: read_again(project) > before)  # type: ignore[misc]
            if by_view_logs:
                project.until(lambda _, there=there: logged() is there)  # type: ignore[misc]
            project.until_phase(Phase.INCREMENTAL)
            if by_view_logs:
                workload.steps(20)
            project.until_delivered(workload.executed())
        again = workload.now()
        workload.steps(20) if by_view_logs else workload.stop()
        project.until_delivered(workload.executed())
        project.stop()
    checked = check(workload, kafka, newest_cut, again={"wallet": again})
    print(checked)


def newest(engine: ResidentEngine) -> ObjectChange:
    return engine.call(op.OBJECT_CHANGES, Named("orders"))[0]


def taken_out_by_the_command(engine: ResidentEngine, database: str) -> None:
    engine.command("project", "objects", "orders", "--remove", f"{database}.spread,{database}.wallet")
    until(lambda: newest(engine).state is ChangeState.SUCCEEDED, "they are out")
    shown = engine.command("project", "objects", "orders").stdout
    assert re.findall(r"^(\w+\.\w+) ", shown, re.MULTILINE) == [
        f"{database}.account",
        f"{database}.ledger",
    ]
    assert re.search(rf" remove {database}.spread, {database}.wallet +Succeeded\n", shown)
    found = json.loads(engine.command("project", "objects", "orders", "--json").stdout)
    assert [(one["kind"], one["state"]) for one in found["changes"]] == [
        ("remove", "Succeeded"),
        ("add", "Succeeded"),
    ]
    assert (
        "no object change is open"
        in engine.command("project", "objects", "orders", "--cancel", code=19).stderr
    )


def test_object_changes_by_the_command_while_the_engine_is_killed(
    mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank, tmp_path: Path
) -> None:
    workload = bank(mysql57, seed=94, rows=200)
    database = workload.database
    objects = Objects((f"{database}.*",), (f"{database}.journal", f"{database}.wallet"))
    with closing(ResidentEngine(tmp_path / "h")) as engine:
        engine.sources(mysql57.port, kafka.bootstrap)
        project = engine.project("orders", objects=objects)
        engine.start()

        def status() -> Status | None:
            return engine.call(op.STATUS, Named("orders")).status

        def streams() -> bool:
            found = status()
            return found is not None and found.phase is Phase.INCREMENTAL

        engine.command("project", "start", "orders")
        until(streams, "it streams")
        newest_cut = workload.now()
        workload.start()
        engine.files.write_project(msgspec.structs.replace(project, full=Full(range_rows=25, rows_per_s=25)))
        engine.call(op.APPLY, Named("orders"))
        said = engine.command("project", "objects", "orders", "--add", f"{database}.wallet").stdout
        assert said == f"add {database}.wallet: Modifying\n"
        until(lambda: newest(engine).state is ChangeState.RUNNING, "the table is read")
        with pytest.raises(RemoteError, match="an object change is open"):
            engine.call(op.RENAME, Rename("orders", "sales"))
        engine.kill()
        engine.start()
        until(lambda: newest(engine).state is ChangeState.SUCCEEDED, "the table is one of the others")
        again = workload.now()
        time.sleep(0.5)
        workload.stop()
        wanted = GtidSet.parse(workload.executed())
        until(
            lambda: (found := status()) and wanted.issubset(GtidSet.parse(found.position)), "all is delivered"
        )
        checked = check(workload, kafka, newest_cut, again={"wallet": again})
        print(checked)
        taken_out_by_the_command(engine, database)

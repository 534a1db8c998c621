"""Tables read again while others write: a new beginning, and of the other tables no change is lost or repeated."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full
from tests.faults.checker import check
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.faults.workload import Workload
from tests.servers import KafkaBroker


def _run(workload: Workload, *statements: str) -> None:
    with workload.server.connect(database=workload.database) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def two_statements(workload: Workload) -> None:
    _run(workload, "ALTER TABLE wallet ADD COLUMN extra INT")
    time.sleep(0.5)
    _run(workload, "ALTER TABLE wallet DROP COLUMN extra")


def drop_log(workload: Workload) -> None:
    _run(workload, "DROP MATERIALIZED VIEW LOG ON wallet")


@pytest.mark.parametrize(
    ("server", "lose", "code", "said"),
    [
        ("mysql57", two_statements, 8, "another DDL statement on the table"),
        ("oceanbase", drop_log, 7, "the view log is gone"),
    ],
)
def test_a_table_is_read_again_under_load(
    request: pytest.FixtureRequest,
    server: str,
    lose: Callable[[Workload], None],
    code: int,
    said: str,
    kafka: KafkaBroker,
    install: Install,
    bank: Bank,
) -> None:
    workload = bank(request.getfixturevalue(server), seed=81, rows=300)
    wallet = f"{workload.database}.wallet"
    eight_partitions(kafka, workload)
    home = install(workload.server.source(), kafka.bootstrap)
    home.project(f"{workload.database}.*")
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.now()
    workload.start()
    time.sleep(1)
    run.stop()
    time.sleep(0.5)
    lose(workload)
    time.sleep(0.5)
    home.fails(code, said, wallet)
    home.command("project", "gap", "orders", "--resync", wallet)
    home.project(f"{workload.database}.*", full=Full(range_rows=25, rows_per_s=25))
    run = home.start()
    rows = run.until_phase(Phase.FULL).full.rows
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > rows + 30)
    run.kill()
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    again = workload.now()
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut, again={"wallet": again})
    print(checked)
    assert checked.changes > 300

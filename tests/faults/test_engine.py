"""An OceanBase engine that dies, or forgets the rows as of a cut: the project goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Store
from tests.faults.checker import check
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.servers import KafkaBroker, OceanBaseServer

NewOceanBase = Callable[..., OceanBaseServer]


def test_engine_killed_and_restarted(
    new_oceanbase: NewOceanBase, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    engine = new_oceanbase()
    workload = bank(engine, seed=71)
    eight_partitions(kafka, workload)
    home = install(workload.server.source(), kafka.bootstrap)
    home.project(f"{workload.database}.*", store=Store(purge_rows=150))
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.now()
    workload.start()
    for _ in range(2):
        time.sleep(2)
        engine.kill()
        time.sleep(1)
        engine.start()
    time.sleep(2)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut)
    print(checked)
    assert checked.changes > 500


def test_a_cut_that_the_engine_forgets(
    new_oceanbase: NewOceanBase, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    engine = new_oceanbase()
    engine.execute("ALTER SYSTEM SET undo_retention = 1", "ALTER SYSTEM SET minor_compact_trigger = 0")
    workload = bank(engine, seed=72, rows=2000)
    home = install(workload.server.source(), kafka.bootstrap)
    home.project(f"{workload.database}.*", full=Full(connections=2, range_rows=100, rows_per_s=150))
    workload.start()
    run = home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 500)
    while not (lost := home.status()) or lost.failure is None:
        assert run.running, run.output
        engine.execute("ALTER SYSTEM MINOR FREEZE")
        time.sleep(1)
        engine.execute("ALTER SYSTEM MAJOR FREEZE")
    assert lost.failure.code == "SnapshotLost" and "ALTER SYSTEM SET undo_retention" in lost.failure.cure
    engine.execute("ALTER SYSTEM SET undo_retention = 1800")
    run.stop()
    home.project(f"{workload.database}.*", full=Full(connections=2, range_rows=100))
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.now()
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut)
    print(checked)
    assert checked.rows > 5000

"""An OceanBase engine that dies, or forgets the rows as of a cut: the project goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from obsync_tui.model.checkpoint import CUTS_KEY
from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Store
from tests.faults.checker import check, check_at_the_end
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.servers import KafkaBroker, OceanBaseServer, consume_all

NewOceanBase = Callable[..., OceanBaseServer]


def test_engine_killed_and_restarted(
    new_oceanbase: NewOceanBase, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    engine = new_oceanbase()
    workload = bank(engine, seed=71, rows=200)
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
    checked = check_at_the_end(workload, run, kafka, newest_cut)
    assert checked.changes > 500


def test_a_cut_that_is_no_longer_kept_at_the_restart(
    new_oceanbase: NewOceanBase, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    engine = new_oceanbase()
    workload = bank(engine, seed=72, rows=300)
    home = install(workload.server.source(), kafka.bootstrap)
    home.project(f"{workload.database}.*", full=Full(connections=2, range_rows=50, rows_per_s=200))
    workload.start()
    run = home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 200)
    run.kill()
    engine.execute("ALTER SYSTEM SET undo_retention = 1")
    run = home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 400)
    engine.execute("ALTER SYSTEM SET undo_retention = 1800")
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.now()
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    records = consume_all(kafka.bootstrap, [f"__obsync.{home.project_id}"])
    cuts = [
        json.loads(record.value) for record in records if record.key == CUTS_KEY.encode() and record.value
    ]
    assert len(cuts[-1]) == 2
    checked = check(workload, kafka, newest_cut)
    print(checked)
    assert checked.rows > 800

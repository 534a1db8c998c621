"""Binlog Service misbehaves, and nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable

from obsync_tui.model.metrics import Phase
from tests.faults.checker import check_at_the_end
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.servers import BinlogService, KafkaBroker

FAULTS: dict[str, Callable[[BinlogService], None]] = {
    "cut in mid-event": BinlogService.cut_in_event,
    "a wrong checksum": BinlogService.corrupt,
    "the instance restarts": BinlogService.restart_instance,
    "another instance takes over": BinlogService.fail_over,
    "silence": BinlogService.stall,
    "ODP finds no service": BinlogService.lose,
}


def test_every_fault_that_passes_loses_nothing(
    binlog_service: BinlogService, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    workload = bank(binlog_service, seed=41)
    eight_partitions(kafka, workload)
    home = install(workload.server.source(), kafka.bootstrap)
    home.project(f"{workload.database}.*")
    workload.start()
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.now()
    for name, fault in FAULTS.items():
        print(name)
        restarts = run.until_phase(Phase.INCREMENTAL).restarts
        fault(binlog_service)
        if name in ("silence", "ODP finds no service"):
            if name == "ODP finds no service":
                binlog_service.cut_in_event()
            time.sleep(5)
            binlog_service.heal()
        run.until(lambda status, before=restarts: status.restarts > before)
    run.until_phase(Phase.INCREMENTAL)
    time.sleep(1)
    checked = check_at_the_end(workload, run, kafka, newest_cut)
    assert checked.changes > 1000

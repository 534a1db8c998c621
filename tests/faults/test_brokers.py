"""Brokers that die or freeze under load: nothing is lost and nothing comes twice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Delivery
from tests.faults.checker import Checked, check
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.faults.installation import Run
from tests.faults.workload import Workload
from tests.servers import KafkaBroker, MySQLServer

Fault = Callable[[KafkaBroker, Run], None]


def under_load(
    mysql: MySQLServer, broker: KafkaBroker, install: Install, bank: Bank, fault: Fault, **changes: object
) -> Checked:
    """Deliver a bank's changes while the fault happens, and check everything."""
    workload: Workload = bank(mysql, seed=21)
    eight_partitions(broker, workload)
    home = install(mysql.port, broker.bootstrap)
    home.project(f"{workload.database}.*", **changes)
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    workload.start()
    time.sleep(1)
    fault(broker, run)
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, broker, newest_cut)
    print(checked)
    assert checked.changes > 1000
    return checked


def frozen(seconds: float) -> Fault:
    def fault(broker: KafkaBroker, run: Run) -> None:
        broker.pause()
        time.sleep(seconds)
        broker.resume()
        assert run.running, run.output

    return fault


def test_broker_killed_and_restarted(
    mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], install: Install, bank: Bank
) -> None:
    def fault(broker: KafkaBroker, run: Run) -> None:
        for _ in range(2):
            broker.kill()
            time.sleep(2)
            broker.start()
            time.sleep(2)

    under_load(mysql57, new_kafka(), install, bank, fault)


def test_broker_frozen_for_40_s(
    mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], install: Install, bank: Bank
) -> None:
    under_load(mysql57, new_kafka(), install, bank, frozen(40))


@pytest.mark.campaign
def test_broker_frozen_for_90_s(
    mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], install: Install, bank: Bank
) -> None:
    under_load(mysql57, new_kafka(), install, bank, frozen(90))


def test_process_frozen_for_longer_than_its_transaction_lives(
    mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], install: Install, bank: Bank
) -> None:
    """The coordinator aborts the transaction and fences its producer, though nobody took over."""

    def fault(broker: KafkaBroker, run: Run) -> None:
        for _ in range(4):
            run.freeze()
            time.sleep(3)
            run.thaw()
            time.sleep(1.3)
            assert run.running, run.output

    # The coordinator looks for expired transactions once a second here, by default every ten.
    broker = new_kafka({"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"})
    under_load(mysql57, broker, install, bank, fault, delivery=Delivery(transaction_timeout_s=1))

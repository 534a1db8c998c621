"""kill -9 at random moments: whoever reads committed messages sees every change once, in order per key."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.project import Full
from tests.faults.checker import check
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.servers import KafkaBroker, MySQLServer


def _full_beyond(rows: int) -> Callable[[Status], bool]:
    return lambda status: status.phase is Phase.FULL and status.full.rows != rows


def kill_in_full(
    mysql: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank, *, kills: int, rows: int, seed: int
) -> None:
    workload = bank(mysql, seed=seed, rows=rows)
    eight_partitions(kafka, workload)
    home = install(mysql.port, kafka.bootstrap)
    home.project(f"{workload.database}.*", full=Full(range_rows=400, rows_per_s=1500))
    print(f"seed {seed}")
    chance = random.Random(seed)
    workload.start()
    for _ in range(kills):
        run = home.start()
        before = (home.status() or run.until_phase(Phase.FULL)).full.rows
        run.until(_full_beyond(before))
        time.sleep(chance.uniform(0, 1.5))
        status = home.status()
        assert status is not None and status.phase is Phase.FULL, "full ended before the last kill"
        run.kill()
    home.project(f"{workload.database}.*", full=Full(range_rows=400))
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut)
    print(f"{kills} kills in full: {checked}")
    assert checked.rows > rows and checked.changes > 100


def kill_in_incremental(
    mysql: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank, *, kills: int, seed: int
) -> None:
    workload = bank(mysql, seed=seed)
    eight_partitions(kafka, workload)
    home = install(mysql.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    print(f"seed {seed}")
    chance = random.Random(seed)
    workload.start()
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 3.0))
        run.kill()
        run = home.start()
    time.sleep(2)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut)
    print(f"{kills} kills in incremental: {checked}")
    assert checked.changes > 500 * kills


def test_killed_in_full(mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank) -> None:
    kill_in_full(mysql57, kafka, install, bank, kills=3, rows=5000, seed=11)


def test_killed_in_incremental(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_incremental(mysql57, kafka, install, bank, kills=3, seed=12)


@pytest.mark.campaign
def test_killed_in_full_campaign(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_full(mysql57, kafka, install, bank, kills=20, rows=30_000, seed=random.randrange(1 << 30))


@pytest.mark.campaign
def test_killed_in_incremental_campaign(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_incremental(mysql57, kafka, install, bank, kills=20, seed=random.randrange(1 << 30))

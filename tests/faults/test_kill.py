"""kill -9 at random moments: whoever reads committed messages sees every change once, in order per key."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import pytest

from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.project import Full, Store
from tests.faults.checker import check
from tests.faults.conftest import AnyServer, Bank, Install, eight_partitions
from tests.faults.workload import TABLES
from tests.servers import BinlogService, KafkaBroker, MySQLServer, OceanBaseServer


def _full_beyond(rows: int) -> Callable[[Status], bool]:
    return lambda status: status.phase is Phase.FULL and status.full.rows != rows


def kill_in_full(
    server: AnyServer, kafka: KafkaBroker, install: Install, bank: Bank, *, kills: int, rows: int, seed: int
) -> None:
    workload = bank(server, seed=seed, rows=rows)
    eight_partitions(kafka, workload)
    home = install(workload.server.source(), kafka.bootstrap)
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
    newest_cut = workload.now()
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    checked = check(workload, kafka, newest_cut)
    print(f"{kills} kills in full: {checked}")
    assert checked.rows > rows and checked.changes > 100


def kill_in_incremental(
    server: AnyServer, kafka: KafkaBroker, install: Install, bank: Bank, *, kills: int, seed: int
) -> None:
    workload = bank(server, seed=seed)
    eight_partitions(kafka, workload)
    home = install(workload.server.source(), kafka.bootstrap)
    # View logs are purged every second or so.
    home.project(f"{workload.database}.*", store=Store(heartbeat_s=0.5, silence_s=3, purge_rows=150))
    print(f"seed {seed}")
    chance = random.Random(seed)
    workload.start()
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.now()
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 3.0))
        run.kill()
        run = home.start()
    time.sleep(2)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    if isinstance(server, OceanBaseServer):
        logs = json.loads(home.command("source", "logs", "shop", "--json"))
        purged = [log["table"]["table"] for log in logs if log["purged_s"] > log["created_s"] + 1]
        assert set(TABLES) <= set(purged)
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


def test_killed_in_full_on_view_logs(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_full(oceanbase, kafka, install, bank, kills=3, rows=5000, seed=21)


def test_killed_in_incremental_on_view_logs(
    oceanbase: OceanBaseServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_incremental(oceanbase, kafka, install, bank, kills=3, seed=22)


def test_killed_in_full_on_binlog_service(
    binlog_service: BinlogService, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_full(binlog_service, kafka, install, bank, kills=3, rows=5000, seed=31)


def test_killed_in_incremental_on_binlog_service(
    binlog_service: BinlogService, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    kill_in_incremental(binlog_service, kafka, install, bank, kills=3, seed=32)


@pytest.mark.campaign
@pytest.mark.parametrize("server", ["oceanbase", "binlog_service"])
def test_killed_on_oceanbase_campaign(
    request: pytest.FixtureRequest, server: str, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    chosen = request.getfixturevalue(server)
    kill_in_full(chosen, kafka, install, bank, kills=20, rows=30_000, seed=random.randrange(1 << 30))
    kill_in_incremental(chosen, kafka, install, bank, kills=20, seed=random.randrange(1 << 30))

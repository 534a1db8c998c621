"""Sources that die, freeze, or break their connections: the project goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable

from pymysql.constants.COMMAND import COM_QUERY

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full
from tests.faults.checker import check, check_at_the_end
from tests.faults.conftest import Bank, Install, eight_partitions, reader
from tests.servers import FaultProxy, KafkaBroker, MySQLServer


def test_mysql_killed_and_restarted(
    new_mysql: Callable[..., MySQLServer], kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    mysql = new_mysql("5.7")
    workload = bank(mysql, seed=31)
    eight_partitions(kafka, workload)
    home = install(mysql.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    workload.start()
    for _ in range(2):
        time.sleep(1.5)
        mysql.kill()
        time.sleep(1)
        mysql.start()
    time.sleep(1.5)
    checked = check_at_the_end(workload, run, kafka, newest_cut)
    assert checked.changes > 1000


def test_replication_cut_inside_a_large_transaction_and_silent_stalls(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank, new_proxy: Callable[[int], FaultProxy]
) -> None:  # fmt: skip
    proxy = new_proxy(mysql57.port)
    workload = bank(mysql57, seed=32, rows=9000)
    eight_partitions(kafka, workload)
    home = install(proxy.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    for writer, cuts in zip(workload.writers, ([3_000_000, 4_500_001], [3_700_007]), strict=True):
        for size_bytes in cuts:
            restarts = run.until_phase(Phase.INCREMENTAL).restarts
            proxy.cut_after(size_bytes)
            # 9,000 rows with images of some 650 bytes: nearly 6 MB in one transaction of the log.
            writer.big("x" * 290)
            run.until(lambda status, before=restarts: status.restarts > before)  # type: ignore[misc]
            run.until_phase(Phase.INCREMENTAL)
    workload.start()
    time.sleep(1)
    proxy.stall()
    run.until(lambda status: status.failure is not None and "silent" in status.failure.what)
    proxy.heal()
    time.sleep(1)
    checked = check_at_the_end(workload, run, kafka, newest_cut)
    assert checked.changes > 3 * 9000


READERS = (
    "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx JOIN information_schema.processlist"
    " ON id = trx_mysql_thread_id WHERE user = 'obsync'"
)


def _kill_readers(mysql: MySQLServer, count: int | None) -> int:
    """Kill connections that hold a snapshot, all of them when no count is given; how many were killed."""
    with mysql.connect() as connection, connection.cursor() as cursor:
        cursor.execute(READERS)
        found = [row[0] for row in cursor.fetchall()]
        for thread in found[:count]:
            cursor.execute(f"KILL {thread}")
    return len(found[:count])


def test_snapshot_connections_lost(
    new_mysql: Callable[..., MySQLServer], kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    mysql = new_mysql("5.7")
    workload = bank(mysql, seed=33, rows=5000)
    eight_partitions(kafka, workload)
    home = install(mysql.port, kafka.bootstrap, user=reader(mysql))
    home.project(f"{workload.database}.*", full=Full(connections=3, range_rows=300, rows_per_s=2500))
    workload.start()
    run = home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 1500)
    assert _kill_readers(mysql, 1) == 1
    run.until(lambda status: any("connections are lost" in text for text in status.warnings))
    for _ in range(2):
        rows = run.until_phase(Phase.FULL).full.rows
        assert _kill_readers(mysql, None) >= 2
        run.until(lambda status: status.failure is not None and status.failure.code == "SnapshotLost")
        run.until(lambda status, rows=rows: status.phase is Phase.FULL and status.full.rows > rows)  # type: ignore[misc]
    run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    time.sleep(1)
    checked = check_at_the_end(workload, run, kafka, newest_cut)
    assert checked.rows > 13_000


def test_all_snapshot_connections_lost_while_a_long_query_holds_up_the_lock(
    new_mysql: Callable[..., MySQLServer], kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    mysql = new_mysql("5.7")
    workload = bank(mysql, seed=34, rows=3000)
    home = install(mysql.port, kafka.bootstrap, user=reader(mysql))
    home.project(f"{workload.database}.*", full=Full(range_rows=300, rows_per_s=1000))
    run = home.start()
    run.until(lambda status: status.phase is Phase.FULL and status.full.rows > 1000)
    with mysql.connect() as connection:
        connection._execute_command(COM_QUERY, "SELECT SLEEP(14)")
        time.sleep(6)
        assert _kill_readers(mysql, None) >= 2
        run.until(lambda status: status.failure is not None and status.failure.code == "SnapshotLost")
        run.until_phase(Phase.INCREMENTAL)
    newest_cut = workload.executed()
    workload.steps(50)
    run.until_delivered(workload.executed())
    run.stop()
    assert check(workload, kafka, newest_cut).rows == 2 * 3000 + 2 * 3000 + 4 * 1000

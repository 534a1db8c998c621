"""Who owns a project, and what happens when its checkpoint or the source's log is gone."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable

from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Step
from tests.faults.checker import check
from tests.faults.conftest import Bank, Install, eight_partitions
from tests.faults.installation import Installation
from tests.faults.workload import Workload
from tests.servers import KafkaBroker, MySQLServer, consume_all

NewMySQL = Callable[..., MySQLServer]


def delete_topic(kafka: KafkaBroker, name: str) -> None:
    """Delete a topic and wait until the broker no longer knows it."""
    kafka.admin().delete_topics([name])[name].result()
    while name in kafka.admin().list_topics(timeout=10).topics:
        time.sleep(0.1)


def delivered(home: Installation, workload: Workload) -> str:
    """Run until everything is delivered, then stop; a GTID set behind the snapshot."""
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    cut = workload.executed()
    workload.steps(60)
    run.until_delivered(workload.executed())
    run.stop()
    return cut


def test_a_second_instance_is_refused_and_take_over_fences_the_first(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    workload = bank(mysql57, seed=41)
    eight_partitions(kafka, workload)
    first = install(mysql57.port, kafka.bootstrap)
    first.project(f"{workload.database}.*")
    second = install(mysql57.port, kafka.bootstrap, project_id=first.project_id)
    second.project(f"{workload.database}.*")
    old = first.start()
    old.until_phase(Phase.INCREMENTAL)
    cut = workload.executed()
    workload.start()
    time.sleep(1)
    # The same home: the lock file names the process. Another home: the owner record does.
    first.fails(14, f"process {old.process.pid} on this machine runs the project", "kill")
    second.fails(14, f"process {old.process.pid} on ", "runs the project", "--take-over")
    assert old.running
    new = second.start("--take-over")
    new.until_phase(Phase.INCREMENTAL)
    old.process.wait()
    print(old.output, first.events())
    old.ends(14)
    failure = first.status()
    assert failure is not None and failure.failure is not None
    # Fenced at a commit, replaced at the source, or refused when it came back from an aborted transaction.
    ends = ("Fenced", "ReplacedReader", "ProjectOwned")
    assert failure.failure.code in ends and not failure.failure.retryable
    time.sleep(1)
    workload.stop()
    new.until_delivered(workload.executed())
    new.stop()
    checked = check(workload, kafka, cut)
    assert checked.changes > 300
    # A clean stop leaves the project to whoever comes next.
    run = first.start()
    run.until_delivered(workload.executed())
    run.stop()
    assert check(workload, kafka, cut).messages == checked.messages


def test_state_deleted_goes_on_from_kafka(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    workload = bank(mysql57, seed=42)
    home = install(mysql57.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    cut = delivered(home, workload)
    shutil.rmtree(home.paths.state)
    workload.steps(60)
    run = home.start()
    run.until_delivered(workload.executed())
    run.stop()
    assert check(workload, kafka, cut).rows == 3200


def test_checkpoint_topic_deleted(
    mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], install: Install, bank: Bank
) -> None:
    """Also on a broker that would make the topic anew by itself at the next message."""
    kafka = new_kafka(auto_create_topics=True)
    workload = bank(mysql57, seed=43)
    home = install(mysql57.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    delivered(home, workload)
    before = len(consume_all(kafka.bootstrap, workload.topics))
    topic = f"__obsync.{home.project_id}"
    delete_topic(kafka, topic)
    workload.steps(20)
    for _ in range(2):
        home.fails(13, topic, "does not exist", "project reset")
    assert len(consume_all(kafka.bootstrap, workload.topics)) == before
    home.command("project", "reset", "orders", "--yes", "orders")
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    assert len(consume_all(kafka.bootstrap, workload.topics)) > before
    # Under way: the run ends, whatever the broker makes of the next record.
    delete_topic(kafka, topic)
    workload.steps(20)
    run.ends(13, topic)
    home.fails(13, topic)


def _without_log(home: Installation, workload: Workload, lose: Callable[[], None], *said: str) -> None:
    delivered(home, workload)
    workload.steps(10)
    lose()
    for _ in range(2):
        home.fails(7, *said, "obsync project reset")


def test_binlog_purged_beyond_the_checkpoint(
    new_mysql: NewMySQL, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    mysql = new_mysql("5.7")
    workload = bank(mysql, seed=44)
    home = install(mysql.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")

    def purge() -> None:
        mysql.execute("FLUSH BINARY LOGS")
        with mysql.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW BINARY LOGS")
            newest = cursor.fetchall()[-1][0]
            cursor.execute(f"PURGE BINARY LOGS TO '{newest}'")

    _without_log(home, workload, purge, "purged", workload.writers[0].uuid)
    before = len(consume_all(kafka.bootstrap, workload.topics))
    workload.steps(10)
    home.fails(7, "purged")
    assert len(consume_all(kafka.bootstrap, workload.topics)) == before
    # What the cure says.
    for topic in workload.topics:
        delete_topic(kafka, topic)
    home.command("project", "reset", "orders", "--yes", "orders")
    cut = delivered(home, workload)
    check(workload, kafka, cut)


def test_reset_master_while_stopped(
    new_mysql: NewMySQL, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    mysql = new_mysql("5.7")
    workload = bank(mysql, seed=45)
    home = install(mysql.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    _without_log(home, workload, lambda: mysql.execute("RESET MASTER"), "never had", "RESET MASTER")


def test_reset_master_while_running(
    new_mysql: NewMySQL, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    mysql = new_mysql("5.7")
    workload = bank(mysql, seed=46)
    home = install(mysql.port, kafka.bootstrap)
    home.project(f"{workload.database}.*")
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    workload.steps(10)
    run.until_delivered(workload.executed())
    mysql.execute("RESET MASTER")
    run.ends(7, "RESET MASTER")


def test_position_of_a_project_that_starts_without_full(
    mysql57: MySQLServer, kafka: KafkaBroker, install: Install, bank: Bank
) -> None:
    workload = bank(mysql57, seed=47)
    home = install(mysql57.port, kafka.bootstrap)
    home.project(f"{workload.database}.*", steps=(Step.SCHEMA, Step.INCREMENTAL))
    run = home.start()
    run.until_phase(Phase.INCREMENTAL)
    workload.start()
    time.sleep(1)
    run.kill()
    run = home.start()
    time.sleep(1)
    workload.stop()
    run.until_delivered(workload.executed())
    run.stop()
    seen = {record.value for record in consume_all(kafka.bootstrap, workload.topics)}
    with mysql57.connect(database=workload.database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM journal WHERE txn > 1")
        row = cursor.fetchone()
    assert row is not None and len(seen) == row[0]

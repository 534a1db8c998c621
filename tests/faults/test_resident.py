"""The resident engine with projects under load: killed, paused, released, beside projects whose servers are gone."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Events, ListProjects, Named, Nothing, Release, Start
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import Full, Objects, Store
from tests.engine.resident import ResidentEngine, until
from tests.faults.checker import check
from tests.faults.conftest import Bank
from tests.faults.workload import Workload
from tests.servers import KafkaBroker, MySQLServer

NAMES = ("one", "two", "three")


@pytest.fixture
def engine(tmp_path: Path, mysql57: MySQLServer, kafka: KafkaBroker) -> Iterator[ResidentEngine]:
    """An engine that is not started, with `shop` and `events` on real servers."""
    with closing(ResidentEngine(tmp_path / "h")) as made:
        made.sources(mysql57.port, kafka.bootstrap)
        yield made


def project(engine: ResidentEngine, name: str, workload: Workload, **changes: object) -> None:
    objects = Objects((f"{workload.database}.*",), exclude=("*.journal",))
    store = Store(heartbeat_s=0.5, silence_s=3)
    engine.project(name, objects=objects, full=Full(range_rows=300), store=store, **changes)


def status_of(engine: ResidentEngine, name: str) -> Status | None:
    return engine.call(op.STATUS, Named(name)).status


def in_phase(engine: ResidentEngine, name: str, phase: Phase) -> None:
    def reached() -> bool:
        found = engine.call(op.PROJECT, Named(name))
        assert found.summary.state is ProjectState.RUNNING, found.summary
        return found.status is not None and found.status.phase is phase

    until(reached, f"{name} is in {phase}")


def delivered(engine: ResidentEngine, name: str, workload: Workload) -> None:
    wanted = GtidSet.parse(workload.executed())

    def reached() -> bool:
        found = status_of(engine, name)
        return found is not None and wanted.issubset(GtidSet.parse(found.position))

    until(reached, f"{name} has delivered everything")


def topics(kafka: KafkaBroker) -> set[str]:
    return set(kafka.admin().list_topics(timeout=30).topics)


def states(engine: ResidentEngine) -> dict[str, ProjectState]:
    return {one.name: one.state for one in engine.call(op.PROJECTS, ListProjects())}


def test_killed_twice_under_load_with_three_projects(
    engine: ResidentEngine, mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank
) -> None:
    workloads = {name: bank(mysql57, seed=number, rows=300) for number, name in enumerate(NAMES)}
    for name, workload in workloads.items():
        project(engine, name, workload, tags=("bank",))
        workload.start()
    engine.start()
    assert engine.command("project", "start", "--tag", "bank").stdout.count("started: ") == 3
    for name in NAMES:
        in_phase(engine, name, Phase.INCREMENTAL)
    cuts = {name: workload.now() for name, workload in workloads.items()}
    time.sleep(1)
    for _ in range(2):
        engine.kill()
        engine.start()
        assert states(engine) == dict.fromkeys(NAMES, ProjectState.RUNNING), "all go on by themselves"
        for name in NAMES:
            in_phase(engine, name, Phase.INCREMENTAL)
        time.sleep(0.7)
    # Busy as it is, a pause is answered at once, and the others go on.
    began = time.monotonic()
    assert engine.call(op.PAUSE, Named("two")).state is ProjectState.PAUSED
    assert time.monotonic() - began < 5
    until(lambda: not engine.call(op.PROJECT, Named("two")).summary.settling, "it settles at a checkpoint")
    assert states(engine) == {"one": "Running", "two": "Paused", "three": "Running"}
    stood = status_of(engine, "two")
    time.sleep(1)
    assert status_of(engine, "two") == stood, "nothing moves while it is paused"
    assert engine.call(op.RESUME, Start("two")).state is ProjectState.RUNNING
    for name, workload in workloads.items():
        workload.stop()
        delivered(engine, name, workload)
    engine.stop()
    for name, workload in workloads.items():
        checked = check(workload, kafka, cuts[name])
        print(f"{name}: {checked}")
        assert checked.changes > 100
    # What was stopped with its engine runs again with it; what was paused does not.
    engine.start()
    engine.call(op.PAUSE, Named("three"))
    engine.stop()
    engine.start()
    assert states(engine) == {"one": "Running", "two": "Running", "three": "Paused"}


def test_a_logout_that_kills_all_processes_of_its_user(
    engine: ResidentEngine, mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank
) -> None:
    """What systemd does with KillUserProcesses=yes: SIGTERM and SIGHUP to each; the next login's command goes on."""
    workload = bank(mysql57, rows=200)
    project(engine, "one", workload)
    workload.start()
    engine.start()
    engine.command("project", "start", "one")
    in_phase(engine, "one", Phase.INCREMENTAL)
    cut, process = workload.now(), engine.process
    assert process is not None
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCONT):
        process.send_signal(number)
    assert process.wait(30) == 0
    assert "running:" in engine.command("engine", "start").stdout
    in_phase(engine, "one", Phase.INCREMENTAL)
    time.sleep(0.5)
    workload.stop()
    delivered(engine, "one", workload)
    engine.command("engine", "stop")
    assert check(workload, kafka, cut).changes > 10


def test_released_by_its_name(
    engine: ResidentEngine, mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank
) -> None:
    workload = bank(mysql57, rows=50)
    project(engine, "one", workload)
    topic = f"__obsync.{engine.files.project('one').id}"
    engine.start()
    engine.call(op.START, Start("one"))
    in_phase(engine, "one", Phase.INCREMENTAL)
    assert topic in topics(kafka)
    refused = engine.command("project", "release", "one", "--yes", "one", code=19)
    assert "pause it first" in refused.stderr
    engine.command("project", "pause", "one")
    refused = engine.command("project", "release", "one", given="two\n", code=3)
    assert "not confirmed" in refused.stderr and topic in topics(kafka)
    released = engine.command("project", "release", "one", given="one\n")
    assert "released: one" in released.stdout
    until(lambda: topic not in topics(kafka), "the checkpoint topic is gone")
    assert set(workload.topics) <= set(topics(kafka)), "topics of tables stay"
    assert states(engine) == {"one": ProjectState.RELEASED}
    kinds = [event.kind for event in engine.call(op.EVENTS, Events("one"))]
    assert kinds.index("releasing") < kinds.index("released") == len(kinds) - 1
    assert "released" in engine.command("project", "resume", "one", code=19).stderr
    engine.command("project", "delete", "one", "--yes", "one")
    assert states(engine) == {} and not (engine.paths.projects / "one.toml").exists()


def test_servers_that_are_gone_hold_up_nobody_else(
    engine: ResidentEngine, mysql57: MySQLServer, kafka: KafkaBroker, bank: Bank
) -> None:
    workload = bank(mysql57, rows=50)
    engine.files.write_source(MySQLSource("lost", "127.0.0.1", "root", 1))
    engine.files.write_source(KafkaSource("away", "127.0.0.1:1"))
    # Documentation addresses (RFC 5737): nothing answers, not even with a refusal.
    engine.files.write_source(MySQLSource("silent", "192.0.2.1", "root", 3306))
    engine.project("no-source", source="lost")
    engine.project("no-answer", source="silent")
    engine.project("no-broker", destination="away")
    project(engine, "one", workload)
    engine.start()
    for name in ("no-source", "no-answer", "no-broker", "one"):
        engine.call(op.START, Start(name))
    in_phase(engine, "one", Phase.INCREMENTAL)
    workload.steps(20)
    delivered(engine, "one", workload)
    until(
        lambda: (found := status_of(engine, "no-source")) and found.phase is Phase.RETRYING,
        "it is tried again",
    )
    found = engine.call(op.PROJECT, Named("no-source"))
    assert found.summary.state is ProjectState.RUNNING
    for name in ("no-source", "no-answer", "no-broker"):
        began = time.monotonic()
        assert engine.call(op.PAUSE, Named(name)).state is ProjectState.PAUSED
        assert time.monotonic() - began < 5
    assert states(engine)["one"] is ProjectState.RUNNING
    # A run that waits for a server that never answers is given up; its project can go on.
    assert engine.call(op.RESUME, Start("no-answer")).state is ProjectState.RUNNING
    engine.call(op.RELEASE, Release("no-broker", "no-broker", local_only=True))
    began = time.monotonic()
    engine.stop()
    assert time.monotonic() - began < 30, "the engine's end waits for nobody for ever"


def test_a_pause_settles_while_the_broker_does_not_answer(
    engine: ResidentEngine, mysql57: MySQLServer, new_kafka: Callable[..., KafkaBroker], bank: Bank
) -> None:
    broker, workload = new_kafka(), bank(mysql57, rows=50)
    engine.files.write_source(KafkaSource("frozen", broker.bootstrap))
    project(engine, "one", workload, destination="frozen")
    engine.start()
    engine.call(op.START, Start("one"))
    in_phase(engine, "one", Phase.INCREMENTAL)
    cut = workload.now()

    def settled() -> bool:
        return not engine.call(op.PROJECT, Named("one")).summary.settling

    engine.call(op.PAUSE, Named("one"))
    until(settled, "it stops")
    broker.pause()
    engine.call(op.RESUME, Start("one"))
    engine.call(op.PAUSE, Named("one"))
    until(settled, "it stops without an answer")
    assert engine.call(op.ENGINE, Nothing()).threads_abandoned == 1, "the call that hangs is not waited for"
    found = engine.call(op.PROJECT, Named("one"))
    assert (found.summary.state, found.status and found.status.phase) == (ProjectState.PAUSED, Phase.STOPPED)
    workload.steps(20)
    broker.resume()
    engine.call(op.RESUME, Start("one"))
    workload.steps(20)
    delivered(engine, "one", workload)
    assert check(workload, broker, cut).changes > 20

"""Every action in every state: what the table allows works, everything else is refused with the table's reason."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest

from obsync_tui.api.requests import (
    Batch,
    ChangeObjects,
    Confirmed,
    Named,
    Release,
    Rename,
    Retime,
    SaveProject,
    Start,
)
from obsync_tui.engine import garbage, supervisor
from obsync_tui.engine.errors import ConfigError, EngineError, ProjectOwned, Refused, SinkUnreachable
from obsync_tui.engine.service import objectchanges, probes, projects, runs
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.lifecycle import ALLOWED, Action, ProjectState, actions, reason
from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Full, Project
from tests.engine.resident import until
from tests.engine.service.conftest import CALLER, House, IdleRun

S, A = ProjectState, Action
# OMS's table of actions (reference, section 5), with this product's own: clone, check, reset, retime, gap.
OMS: dict[ProjectState, set[Action]] = {
    S.NOT_STARTED: {A.START, A.DELETE, A.EDIT, A.RENAME, A.ADD_OBJECTS, A.REMOVE_OBJECTS},
    S.RUNNING: {A.PAUSE, A.EDIT, A.RENAME, A.ADD_OBJECTS, A.REMOVE_OBJECTS},
    S.PAUSED: {A.RESUME, A.RELEASE, A.EDIT, A.RENAME, A.ADD_OBJECTS, A.REMOVE_OBJECTS},
    S.FAILED: {A.RESUME, A.RELEASE, A.EDIT, A.RENAME, A.REMOVE_OBJECTS},
    S.COMPLETED: {A.RELEASE},
    S.RELEASING: set(),
    S.RELEASED: {A.DELETE},
}
OWN: dict[ProjectState, set[Action]] = {
    S.NOT_STARTED: {A.CLONE, A.CHECK},
    S.RUNNING: {A.CLONE, A.CHECK},
    S.PAUSED: {A.CLONE, A.CHECK, A.RESET, A.RETIME, A.GAP},
    S.FAILED: {A.CLONE, A.CHECK, A.RESET, A.RETIME, A.GAP},
    S.COMPLETED: {A.CLONE, A.CHECK, A.RESET},
    S.RELEASING: set(),
    S.RELEASED: {A.CLONE},
}
# Nothing has happened yet, so there is nothing that these could harm.
HARMLESS = {(S.NOT_STARTED, action) for action in (A.RESET, A.RELEASE, A.GAP, A.RETIME)}


class Reached(EngineError):
    """The action was let through to the servers."""


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks servers says that it was reached."""

    def reached(*_: object, **__: object) -> None:
        raise Reached("reached")

    @contextmanager
    def stopped(*_: object, **__: object) -> Iterator[None]:
        raise Reached("reached")
        yield

    monkeypatch.setattr(runs, "reset_project", reached)
    monkeypatch.setattr(runs, "source_side", lambda *_: None)
    monkeypatch.setattr(runs, "stopped_project", stopped)
    monkeypatch.setattr(probes, "precheck", reached)
    monkeypatch.setattr(objectchanges, "source_tables", reached)


def save(house: House, name: str) -> object:
    project = house.files.project(name)
    digest = house.supervisor.index.entry(name).digest
    edited = msgspec.structs.replace(project, full=Full(rows_per_s=9))
    return projects.save(house.service, SaveProject(name, edited, digest), CALLER)


DO: dict[Action, Callable[[House, str], object]] = {
    A.START: lambda h, n: runs.start(h.service, Start(n), CALLER),
    A.PAUSE: lambda h, n: runs.pause(h.service, Named(n), CALLER),
    A.RESUME: lambda h, n: runs.resume(h.service, Start(n), CALLER),
    A.RELEASE: lambda h, n: runs.release(h.service, Release(n, n, local_only=True), CALLER),
    A.DELETE: lambda h, n: projects.delete(h.service, Confirmed(n, n), CALLER),
    A.EDIT: save,
    A.RENAME: lambda h, n: projects.rename(h.service, Rename(n, f"{n}-2"), CALLER),
    A.ADD_OBJECTS: lambda h, n: objectchanges.change(h.service, ChangeObjects(n, ("more.*",)), CALLER),
    A.REMOVE_OBJECTS: lambda h, n: objectchanges.change(h.service, ChangeObjects(n, (), ("shop.x",)), CALLER),
    A.CLONE: lambda h, n: projects.clone(h.service, Rename(n, f"{n}-3"), CALLER),
    A.CHECK: lambda h, n: probes.check(h.service, Named(n), CALLER),
    A.RESET: lambda h, n: runs.reset(h.service, Confirmed(n, n), CALLER),
    A.RETIME: lambda h, n: runs.retime(h.service, Retime(n, 1.0), CALLER),
    A.GAP: lambda h, n: runs.gap(h.service, Named(n), CALLER),
}


def in_state(house: House, state: ProjectState) -> Project:
    if state is not S.RUNNING:
        return house.project("orders", state)
    made = house.project("orders")
    runs.start(house.service, Start("orders"), CALLER)
    return made


def test_the_table_is_that_of_oms() -> None:
    for state in ProjectState:
        allowed = {action for action in Action if state in ALLOWED[action]}
        assert allowed == OMS[state] | OWN[state], state
        for one in actions(state):
            assert bool(one.reason) == (one.action not in allowed)
            assert one.reason == reason(state, one.action)
    assert set(DO) == set(Action)


@pytest.mark.usefixtures("servers")
@pytest.mark.parametrize("state", list(ProjectState), ids=str)
@pytest.mark.parametrize("action", list(Action), ids=str)
def test_each_action_in_each_state(house: House, state: ProjectState, action: Action) -> None:
    project = in_state(house, state)
    if state in ALLOWED[action] or (state, action) in HARMLESS:
        try:
            DO[action](house, "orders")
        except Reached:
            assert action in (A.CHECK, A.RESET, A.RETIME, A.GAP, A.ADD_OBJECTS, A.REMOVE_OBJECTS)
        return
    with pytest.raises(Refused) as refused:
        DO[action](house, "orders")
    assert refused.value.what == reason(state, action)
    assert refused.value.where == "project orders"
    assert house.state_of(project) is state, "what is refused changes nothing"
    assert [entry.name for entry in house.supervisor.index.entries().values()] == ["orders"]


def test_a_whole_life(house: House) -> None:
    project = house.project("orders")
    assert runs.start(house.service, Start("orders"), CALLER).state is S.RUNNING
    assert runs.pause(house.service, Named("orders"), CALLER).state is S.PAUSED
    until(lambda: house.supervisor.runner(project.id) is None, "it ends")
    assert runs.resume(house.service, Start("orders"), CALLER).state is S.RUNNING
    IdleRun.made[-1].error = SinkUnreachable("no broker", cure="Start it.")
    IdleRun.made[-1].stop()
    until(lambda: house.state_of(project) is S.FAILED, "it fails")
    runs.release(house.service, Release("orders", "orders", local_only=True), CALLER)
    assert house.state_of(project) is S.RELEASED
    told = [(event.kind, event.who) for event in house.state.events(project.id)]
    lives = [kind for kind, _ in told if kind in ("running", "paused", "failed", "releasing", "released")]
    assert lives == ["running", "paused", "running", "failed", "releasing", "released"]
    assert {who for kind, who in told if kind in ("paused", "releasing")} == {CALLER.who}
    projects.delete(house.service, Confirmed("orders", "orders"), CALLER)
    assert house.supervisor.table.life(project.id) is None and house.state.events(project.id) == []


def test_a_run_that_hangs_is_given_up_and_holds_up_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_TIMEOUT_S", 3.0)
    project = house.project("orders")
    house.project("other")
    runs.start(house.service, Start("orders"), CALLER)
    hanging = IdleRun.made[-1]
    hanging.stops.clear()
    began = time.monotonic()
    runs.pause(house.service, Named("orders"), CALLER)
    runs.start(house.service, Start("other"), CALLER)
    runs.pause(house.service, Named("other"), CALLER)
    assert time.monotonic() - began < 2.5, "none of that waits for the run that hangs"
    assert runs.resume(house.service, Start("orders"), CALLER).state is S.RUNNING
    assert len(house.supervisor.threads.abandoned) == 1
    assert house.supervisor.runner(project.id) is not None
    hanging.stops.set()
    until(lambda: not house.supervisor.threads.abandoned, "the thread comes back after all")
    assert house.state_of(project) is S.RUNNING, "and its end is not taken for the end of the other run"


def test_a_paused_run_that_hangs_settles_without_being_asked_again(house: House) -> None:
    project = house.project("orders")
    runs.start(house.service, Start("orders"), CALLER)
    hanging = IdleRun.made[-1]
    hanging.stops.clear()
    runs.pause(house.service, Named("orders"), CALLER)
    until(lambda: house.supervisor.runner(project.id) is None, "it is given up")
    assert [one.name for one in house.supervisor.threads.abandoned] == ["project orders"]
    until(lambda: house.supervisor.last_status(project.id).phase is Phase.STOPPED, "its figures say so")
    with ProjectLock(house.paths.state, project.id):
        pass
    hanging.stops.set()
    until(lambda: not house.supervisor.threads.abandoned, "the thread comes back after all")
    assert house.state_of(project) is S.PAUSED


def test_a_run_that_is_over_is_freed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.project("orders")
    runs.start(house.service, Start("orders"), CALLER)
    run = IdleRun.made.pop()
    run.itself = run  # As real ones do: what calls back refers to it.
    held = weakref.ref(run)
    del run
    gc.disable()
    try:
        runs.pause(house.service, Named("orders"), CALLER)
        monkeypatch.setattr(garbage, "EVERY_S", 0.0)
        until(lambda: held() is None, "the run is freed")
    finally:
        gc.enable()


def test_a_start_that_fails_changes_nothing(house: House) -> None:
    project = house.project("orders")
    house.files.delete_source("events")
    with pytest.raises(ConfigError, match="there is no data source 'events'"):
        runs.start(house.service, Start("orders"), CALLER)
    assert house.state_of(project) is S.NOT_STARTED
    house.files.write_source(KafkaSource("events", "127.0.0.1:1"))
    assert runs.start(house.service, Start("orders"), CALLER).state is S.RUNNING, "its lock was let go of"


def test_after_an_end_of_the_engine(house: House) -> None:
    running, paused = house.project("running"), house.project("paused")
    releasing, killed = house.project("releasing", S.RELEASING), house.project("killed")
    for name in ("running", "paused"):
        runs.start(house.service, Start(name), CALLER)
    runs.pause(house.service, Named("paused"), CALLER)
    # A run in the foreground that was killed: it left figures, and no word about its end.
    house.state.save_status(msgspec.structs.replace(IdleRun.made[0].status(), project_id=killed.id))
    house.close()
    house.open()
    assert house.state_of(running) is S.RUNNING and house.supervisor.runner(running.id) is not None
    assert house.state_of(paused) is S.PAUSED and house.supervisor.runner(paused.id) is None
    assert house.state_of(releasing) is S.FAILED
    assert "release it again" in house.state.events(releasing.id)[-1].text
    runs.release(house.service, Release("releasing", "releasing", local_only=True), CALLER)
    assert house.state_of(killed) is S.PAUSED
    assert runs.resume(house.service, Start("killed"), CALLER).state is S.RUNNING


def test_a_batch_tries_each_and_tells(house: House) -> None:
    house.project("a", tags=("shop", "eu"))
    house.project("b", S.PAUSED, tags=("shop",))
    house.project("c", tags=("shop",))
    house.project("d", tags=("other",))
    (house.paths.projects / "broken.toml").write_text("= broken")
    house.supervisor.index.look()
    outcomes = runs.batch(house.service, Batch("start", tag="shop"), CALLER)
    assert [(one.name, one.state, one.code) for one in outcomes] == [
        ("a", S.RUNNING, ""), ("b", None, "Refused"), ("c", S.RUNNING, ""),
    ]  # fmt: skip
    assert "resume it" in outcomes[1].error
    outcomes = runs.batch(house.service, Batch("pause", ("c", "nothing", "a", "broken")), CALLER)
    assert [(one.name, one.state, one.code) for one in outcomes] == [
        ("c", S.PAUSED, ""), ("nothing", None, "ConfigError"), ("a", S.PAUSED, ""), ("broken", None, "ConfigError"),
    ]  # fmt: skip
    for wrong in ("", "1", "d"):
        with pytest.raises(ConfigError, match="not confirmed"):
            runs.batch(house.service, Batch("delete", ("d", "b"), confirm=wrong), CALLER)
    outcomes = runs.batch(house.service, Batch("delete", ("d", "b"), confirm="2"), CALLER)
    assert [(one.name, one.code) for one in outcomes] == [("d", ""), ("b", "Refused")]
    assert not house.files.has_project("d") and house.files.has_project("b")
    with pytest.raises(ConfigError, match="no project is named"):
        runs.batch(house.service, Batch("start"), CALLER)


def test_a_project_in_other_hands(house: House) -> None:
    project = house.project("orders", S.PAUSED)
    with ProjectLock(house.paths.state, project.id):
        with pytest.raises(ProjectOwned):
            runs.resume(house.service, Start("orders"), CALLER)
        with pytest.raises(ProjectOwned):
            runs.release(house.service, Release("orders", "orders", local_only=True), CALLER)
    assert house.state_of(project) is S.PAUSED
    with pytest.raises(ConfigError, match="not confirmed"):
        runs.release(house.service, Release("orders", "order", local_only=True), CALLER)


@pytest.mark.parametrize("step_s", [3600.0, -3600.0], ids=["forward", "back"])
def test_a_clock_that_steps(house: House, monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
    """An hour's step of the clock starts, ends and delays nothing."""
    project = house.project("orders")
    runs.start(house.service, Start("orders"), CALLER)
    until(lambda: house.supervisor.runner(project.id), "it runs")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step_s)
    saved = IdleRun.made[-1].status()
    house.supervisor._tick()
    assert house.state_of(project) is S.RUNNING and house.supervisor.runner(project.id) is not None
    hanging = IdleRun.made[-1]
    hanging.stops.clear()
    runs.pause(house.service, Named("orders"), CALLER)
    began = time.monotonic()
    runs.resume(house.service, Start("orders"), CALLER)
    assert 0.3 < time.monotonic() - began < 5, "waits are by the clock that does not step"
    hanging.stops.set()
    life = house.supervisor.life(project.id)
    assert life is not None and abs(life.since_s - saved.at_s) < 30
    assert [event.kind for event in house.state.events(project.id)][-2:] == ["running", "started"]

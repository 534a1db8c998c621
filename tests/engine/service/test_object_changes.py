"""Object changes through the API: their states follow the project's run, one is open at a time, and the file is edited."""

from __future__ import annotations

import threading

import msgspec
import pytest

from obsync_tui.api.requests import ChangeObjects, Confirmed, Named, Release, Rename, Start
from obsync_tui.engine.errors import ConfigError, Conflict, Refused, SinkUnreachable
from obsync_tui.engine.service import objectchanges, projects, runs
from obsync_tui.engine.service.service import Service
from obsync_tui.model.lifecycle import Action, ProjectState
from obsync_tui.model.objectchange import ChangeState, ObjectChange
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Objects, Project
from obsync_tui.model.table import TableName, TableVersion
from tests.engine.resident import until
from tests.engine.service.conftest import CALLER, House, IdleRun

S = ChangeState
THERE = [TableVersion(TableName("shop", name), (), ()) for name in ("item", "other", "late")]


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    def tables(_: object, project: Project) -> tuple[TableVersion, ...]:
        rules = ObjectRules(project.objects)
        return tuple(table for table in THERE if rules.matches(table.name))

    monkeypatch.setattr(objectchanges, "source_tables", tables)


def made(house: House, state: ProjectState = ProjectState.NOT_STARTED) -> Project:
    project = house.project("orders", state, objects=Objects(("shop.item", "shop.other")))
    path = house.paths.projects / "orders.toml"
    path.write_text(
        path.read_text().replace('    "shop.item",', '    # what sells\n    "shop.item",  # all of it')
    )
    house.supervisor.index.look()
    return project


def change(house: House, *add: str, remove: tuple[str, ...] = ()) -> ObjectChange:
    return objectchanges.change(house.service, ChangeObjects("orders", add, remove), CALLER)


def newest(house: House) -> ObjectChange:
    return objectchanges.changes(house.service, Named("orders"), CALLER)[0]


def until_state(house: House, state: ChangeState) -> ObjectChange:
    until(lambda: newest(house).state is state, f"the change is {state}")
    return newest(house)


def include(house: House) -> tuple[str, ...]:
    return house.supervisor.index.project("orders").objects.include


def started(house: House) -> tuple[Project, IdleRun]:
    project = made(house)
    runs.start(house.service, Start("orders"), CALLER)
    return project, IdleRun.made[-1]


def test_a_project_that_was_never_started_is_changed_at_once(house: House) -> None:
    made(house)
    done = change(house, "shop.late")
    assert (done.state, done.who, done.number) == (S.SUCCEEDED, CALLER.who, 1) and done.ended_s
    assert change(house, remove=("shop.other",)).state is S.SUCCEEDED
    assert include(house) == ("shop.item", "shop.late")
    text = (house.paths.projects / "orders.toml").read_text()
    assert "    # what sells\n" in text and '"shop.item",  # all of it' in text, "comments stay"
    assert [one.number for one in objectchanges.changes(house.service, Named("orders"), CALLER)] == [2, 1]


def test_a_running_project_takes_it_in_and_nothing_else_is_done_meanwhile(house: House) -> None:
    project, run = started(house)
    assert change(house, "shop.late").state is S.MODIFYING
    assert run.project.objects.include == ("shop.item", "shop.other", "shop.late")
    until_state(house, S.RUNNING)
    with pytest.raises(Refused, match="an object change is open: let it end, or cancel it"):
        change(house, remove=("shop.item",))
    with pytest.raises(Refused, match="an object change is open"):
        projects.rename(house.service, Rename("orders", "sales"), CALLER)
    shown = {
        one.action: one.reason for one in projects.project(house.service, Named("orders"), CALLER).actions
    }
    assert "an object change is open" in shown[Action.RENAME] and not shown[Action.PAUSE]
    run.changed = S.INTEGRATING
    until_state(house, S.INTEGRATING)
    run.changed = S.SUCCEEDED
    assert until_state(house, S.SUCCEEDED).ended_s
    projects.rename(house.service, Rename("orders", "sales"), CALLER)
    told = [(event.text, event.who) for event in house.state.events(project.id) if event.kind == "objects"]
    assert [text for text, _ in told] == [
        f"add shop.late: {state}" for state in (S.MODIFYING, S.RUNNING, S.INTEGRATING, S.SUCCEEDED)
    ]
    assert [who for _, who in told] == [CALLER.who, "", "", ""]


def test_on_a_paused_project_it_waits_and_can_be_taken_back(house: House) -> None:
    made(house, ProjectState.PAUSED)
    assert change(house, remove=("shop.other",)).state is S.PENDING
    assert include(house) == ("shop.item",)
    with pytest.raises(Refused, match="an object change is open"):
        change(house, "shop.late")
    canceled = objectchanges.cancel(house.service, Named("orders"), CALLER)
    assert (canceled.state, include(house)) == (S.CANCELED, ("shop.item", "shop.other"))
    with pytest.raises(Refused, match="no object change is open"):
        objectchanges.cancel(house.service, Named("orders"), CALLER)
    change(house, "shop.late")
    runs.resume(house.service, Start("orders"), CALLER)
    until_state(house, S.RUNNING)
    runs.pause(house.service, Named("orders"), CALLER)
    until_state(house, S.PENDING)


def test_rules_that_are_taken_back_stand_where_they_stood(house: House) -> None:
    made(house, ProjectState.PAUSED)
    change(house, remove=("shop.item",))
    assert include(house) == ("shop.other",)
    assert objectchanges.cancel(house.service, Named("orders"), CALLER).state is S.CANCELED
    assert include(house) == ("shop.item", "shop.other")


def test_what_others_added_while_the_source_was_asked_is_not_written_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(house)
    asked = objectchanges.source_tables

    def meanwhile(service: Service, project: Project) -> tuple[TableVersion, ...]:
        with monkeypatch.context() as once:
            once.setattr(objectchanges, "source_tables", asked)
            change(house, "shop.late")
        return asked(service, project)

    with monkeypatch.context() as slow:
        slow.setattr(objectchanges, "source_tables", meanwhile)
        with pytest.raises(ConfigError, match="does not hold what was read"):
            change(house, remove=("shop.other",))
    assert include(house) == ("shop.item", "shop.other", "shop.late")
    assert [one.kind for one in objectchanges.changes(house.service, Named("orders"), CALLER)] == ["add"]


def test_who_watches_a_project_does_not_wait_for_the_disk(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(house)
    change(house, "shop.late")
    until(lambda: house.supervisor.changing(newest(house).project_id), "the change is seen")
    with house.state.transaction():
        asked: list[bool] = []

        def ask() -> None:
            shown = projects.project(house.service, Named("orders"), CALLER).actions
            asked.append(any("object change is open" in one.reason for one in shown))

        asking = threading.Thread(target=ask)
        asking.start()
        asking.join(20)
        assert asked == [True], "answered while another thread writes"


def test_an_addition_is_aborted_and_a_removal_is_not(house: House) -> None:
    _, run = started(house)
    change(house, "shop.late")
    until_state(house, S.RUNNING)
    aborted = objectchanges.cancel(house.service, Named("orders"), CALLER)
    assert (aborted.state, include(house)) == (S.ABORTED, ("shop.item", "shop.other"))
    assert run.project.objects.include == ("shop.item", "shop.other")
    change(house, remove=("shop.other",))
    until_state(house, S.RUNNING)
    with pytest.raises(Refused, match="a removal that has begun cannot be taken back"):
        objectchanges.cancel(house.service, Named("orders"), CALLER)
    run.changed = S.SUCCEEDED
    until_state(house, S.SUCCEEDED)


def test_it_fails_with_the_project_and_goes_on_with_it(house: House) -> None:
    project, run = started(house)
    change(house, "shop.late")
    until_state(house, S.RUNNING)
    run.error = SinkUnreachable("no broker", where="events", cure="Start it.")
    run.stop()
    assert "no broker" in until_state(house, S.FAILED).text
    with pytest.raises(Refused, match="the project has failed"):
        change(house, "shop.more")
    runs.resume(house.service, Start("orders"), CALLER)
    until_state(house, S.RUNNING)
    again = IdleRun.made[-1]
    again.error = run.error
    again.stop()
    until_state(house, S.FAILED)
    # What is removed in its place ends the one that failed.
    assert change(house, remove=("shop.late",)).state is S.PENDING
    first = objectchanges.changes(house.service, Named("orders"), CALLER)[1]
    assert (first.state, bool(first.ended_s)) == (S.FAILED, True)
    runs.release(house.service, Release("orders", "orders", local_only=True), CALLER)
    assert until_state(house, S.CANCELED).text == "the project was released"
    projects.delete(house.service, Confirmed("orders", "orders"), CALLER)
    assert house.supervisor.changes.of(project.id) == []


def test_what_is_refused_changes_nothing(house: House) -> None:
    _, run = started(house)
    text = (house.paths.projects / "orders.toml").read_text()
    for add, remove, said in (
        ((), (), "one of both"),
        (("shop.late",), ("shop.item",), "one of both"),
        (("late",), (), "write <db>.<table>"),
        (("shop.item",), (), "is in scope already"),
        (("shop.nothing",), (), "no table of the source comes into scope"),
        ((), ("shop.late",), "is not in scope"),
        ((), ("shop.*",), "nothing would be left"),
    ):
        with pytest.raises(ConfigError, match=said):
            change(house, *add, remove=remove)
    path = house.paths.projects / "orders.toml"
    path.write_text(f"{text}\n[full]\nrows_per_s = 7\n")
    with pytest.raises(Conflict, match="the file was edited since"):
        change(house, "shop.late")
    assert "late" not in path.read_text()
    path.write_text(text)
    assert objectchanges.changes(house.service, Named("orders"), CALLER) == ()
    assert run.project.objects.include == ("shop.item", "shop.other")


def test_rules_that_a_person_edited_meanwhile_stay(house: House) -> None:
    made(house, ProjectState.PAUSED)
    change(house, "shop.late")
    project = house.supervisor.index.project("orders")
    mine = msgspec.structs.replace(project, objects=Objects(("shop.*",)))
    house.files.write_project(mine)
    canceled = objectchanges.cancel(house.service, Named("orders"), CALLER)
    assert (canceled.state, canceled.text) == (
        S.CANCELED,
        "the file holds other rules meanwhile, and they stay",
    )
    assert include(house) == ("shop.*",)


def test_a_removal_that_another_edit_overtook_does_not_stay_open_for_ever(house: House) -> None:
    _, run = started(house)
    change(house, remove=("shop.other",))
    until_state(house, S.RUNNING)
    edited = msgspec.structs.replace(house.supervisor.index.project("orders"), objects=Objects(("shop.*",)))
    house.files.write_project(edited)
    house.supervisor.apply("orders", CALLER.who)
    until_state(house, S.MODIFYING)
    assert objectchanges.cancel(house.service, Named("orders"), CALLER).state is S.ABORTED
    assert include(house) == run.project.objects.include == ("shop.*",)
    assert change(house, remove=("shop.late",)).state is S.MODIFYING


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(house, ProjectState.PAUSED)

    def full(*_: object) -> None:
        raise ConfigError("the disk is full", where="orders.toml")

    with monkeypatch.context() as broken:
        broken.setattr("obsync_tui.config.files.write_private", full)
        with pytest.raises(ConfigError, match="the disk is full"):
            change(house, "shop.late")
    assert objectchanges.changes(house.service, Named("orders"), CALLER) == ()
    change(house, "shop.late")
    with monkeypatch.context() as broken:
        broken.setattr("obsync_tui.config.files.write_private", full)
        with pytest.raises(ConfigError, match="the disk is full"):
            objectchanges.cancel(house.service, Named("orders"), CALLER)
    assert (newest(house).state, newest(house).ended_s, len(include(house))) == (S.PENDING, None, 3)
    assert objectchanges.cancel(house.service, Named("orders"), CALLER).state is S.CANCELED

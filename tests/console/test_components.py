"""A project's components: how they stand, why they wait, what can be done to one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.engine.pipeline.changes import classify
from obsync_tui.model.applied import Applied, Change
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.history import LogPage
from obsync_tui.model.metrics import Failure
from obsync_tui.model.views import Done, ProjectFile
from obsync_tui.screens.component_form import PARAMETERS, judge_parameters, restarting, with_parameters
from tests.console.driving import console, run, running
from tests.console.figures import SERIES, details
from tests.fakes.console_client import START_S, FakeClient

STORE = ComponentStatus(
    Component.STORE, ComponentState.RUNNING, START_S - 100, "the queue is full", 5200.0, 1300.0, "uuid:1-10", START_S - 900,
    "uuid:1-99", START_S - 2, 2.0, 40_000, 8_000_000, 0.97,
)  # fmt: skip
FAILURE = Failure("SinkUnreachable", "no broker [/x] \x1b[0m", "kafka:9092", "Start it.", True, START_S - 5)
CONNECTOR = ComponentStatus(
    Component.CONNECTOR,
    ComponentState.ABNORMAL,
    START_S - 50,
    rows_in_per_s=1300.0,
    lag_s=75.0,
    reached_s=START_S - 75,
    error=FAILURE,
)
FULL = ComponentStatus(Component.FULL_IMPORT, ComponentState.COMPLETED, START_S - 500, progress=1.0)


def client() -> FakeClient:
    summary = running("orders", bottleneck="sink")
    made = FakeClient((summary,))
    made.answers[api.PROJECT.name] = details(summary, components=(STORE, CONNECTOR, FULL))
    made.answers[api.METRICS.name] = SERIES
    made.answers[api.COMPONENT.name] = lambda request: Done((f"{request.component}: {request.action}",))
    return made


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_why_it_is_slow_is_seen(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with console(client(), tmp_path, size=size) as it:
            await it.press("c")
            await it.sees("obsync › orders › Components", "Components (3)", "slowest: sink")
            store, connector, full = it.lines[4:7]
            assert store[2:].split()[:7] == [
                "Store",
                "RUN",
                "2s",
                it.app.zone.clock(START_S - 2),
                "5.2k",
                "1.3k",
                "██████",
            ]
            assert "97%" in store and "the qu" in store
            assert "Connector    ABNORMAL   1m15s" in connector and "no brok" in connector
            assert "Full-Import  done        100%" in full
            await it.sees(
                "from      2026-09-21",
                "uuid:1-10",
                "reached   2026-09-21",
                "uuid:1-99",
                "40k rows, 8.0MB, 97% full",
                "waits for the queue is full",
            )
            await it.press("j")
            await it.sees(r"no broker [/x] \x1b[0m", "where  kafka:9092", "do     Start it.", "rows/s, 5 min")
            assert all(len(line) <= size[0] for line in it.lines)

    run(test)


def test_one_component_is_paused_started_and_restarted(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        async with console(fake, tmp_path) as it:
            await it.press("c")
            await it.sees("Components (3)")
            await it.press("s")
            await it.sees("start: Store runs already")
            await it.press("x")
            await it.sees("Pause Store of orders?")
            await it.press("y")
            await it.sees("store: pause")
            await it.press("j", "s")
            await it.sees("connector: start")
            await it.press("R", "y")
            await it.sees("connector: restart")
            await it.press("F")
            await it.sees("rerun full: only Full-Import can be run again")
            await it.press("j", "s")
            await it.sees("start: Full-Import is complete")
            await it.press("F")
            await it.sees("every row comes once more")
            await it.type("orders")
            await it.press("enter")
            await it.sees("full-import: rerun")
            asked = [(one.name, one.component, one.action) for one in fake.requests(api.COMPONENT)]
            assert asked == [
                ("orders", "store", "pause"), ("orders", "connector", "start"), ("orders", "connector", "restart"), ("orders", "full-import", "rerun"),
            ]  # fmt: skip

    run(test)


def test_the_log_of_the_component_is_opened(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.LOGS.name] = LogPage((), "", "0")
        async with console(fake, tmp_path) as it:
            await it.press("c")
            await it.sees("Components (3)")
            await it.press("j", "l")
            await it.sees("connector  level INFO")
            assert fake.requests(api.LOGS)[0] == ask.Logs("orders", "connector", limit=400)

    run(test)


def test_a_project_that_does_not_run_has_none(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.answers[api.PROJECT.name] = details(running("orders"))
        async with console(fake, tmp_path) as it:
            await it.press("c")
            await it.sees("Components (0)", "the project does not run: there are no components")
            await it.press("s")
            await it.sees("start: the project does not run")

    run(test)


def saved(fake: FakeClient) -> None:
    fake.answers[api.SAVE.name] = ProjectFile("orders", "", "d2")
    fake.answers[api.APPLY.name] = Applied((Change("store.rows_per_s", "takes effect at once"),))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_limit_is_changed_at_once(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        fake = client()
        saved(fake)
        async with console(fake, tmp_path, size=size) as it:
            await it.press("c")
            await it.sees("Components (3)")
            await it.press("e")
            await it.sees(
                "Parameters of Store of orders", "Rows per second", "0: no limit", "Enter: next field"
            )
            await it.type("x")
            await it.press("enter", "enter", "enter", "enter")
            await it.sees("not a whole number")
            await it.press("backspace")
            await it.type("5000")
            await it.press("enter", "enter")
            await it.type("00")
            await it.press("enter", "enter")
            await it.sees("Expected `float` <= 30")
            await it.press("backspace", "backspace", "enter", "enter")
            await it.sees("applied")
            before = details(running("orders")).project
            after = replace(before, store=replace(before.store, rows_per_s=5000))
            assert fake.requests(api.SAVE) == [ask.SaveProject("orders", after, "d1")]
            assert fake.requests(api.APPLY) == [ask.Named("orders")]
            await it.press("e", "enter", "enter", "enter", "enter")
            await it.sees("nothing was changed")
            assert len(fake.requests(api.SAVE)) == 1

    run(test)


def test_what_restarts_is_said_before(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        saved(fake)
        fake.answers[api.APPLY.name] = Applied(restart=(Change("full.connections", "a snapshot opens them"),))
        async with console(fake, tmp_path) as it:
            await it.press("c")
            await it.sees("Components (3)")
            await it.press("G", "e")
            await it.sees(
                "Parameters of Full-Import of orders", "1 to 64; restarts the project at its checkpoint"
            )
            await it.press("enter", "enter", "enter", "backspace", "8", "enter")
            await it.sees("Restart orders with it?", "Connections to the source")
            await it.press("n")
            await it.sees("Components (3)")
            assert not fake.requests(api.SAVE)
            await it.press("e", "enter", "enter", "enter", "backspace", "8", "enter", "y")
            await it.sees("applied; restarting at the checkpoint for full.connections")
            assert [one.project.full.connections for one in fake.requests(api.SAVE)] == [8]

    run(test)


def test_an_edit_of_the_file_is_not_put_into_force_along_with_it(tmp_path: Path) -> None:
    async def test() -> None:
        fake = client()
        fake.feed(running("orders", file_changed=True))
        async with console(fake, tmp_path) as it:
            await it.press("c")
            await it.sees("Components (3)")
            await it.press("e")
            await it.sees("parameters: the file differs from what runs: v shows how")

    run(test)


@pytest.mark.parametrize("component", list(Component))
def test_parameters_act_as_the_engine_says(component: Component) -> None:
    before = details(running("orders")).project
    for parameter in PARAMETERS[component]:
        section = getattr(before, parameter.section)
        other = replace(section, **{parameter.field: getattr(section, parameter.field) + 1})
        after = replace(before, **{parameter.section: other})
        value = getattr(other, parameter.field)
        assert with_parameters(before, ((parameter.key, f"{value}"),)) == after
        applied = classify(before, after, in_full=True)
        changed = applied.restart if parameter.restarts else applied.live
        assert [one.key for one in changed] == [parameter.key] and not applied.never
        assert bool(restarting(before, after, component)) == parameter.restarts
        for wrong in ("", "x", "nan", "inf", "-1", "1e400", "9" * 400):
            assert judge_parameters(before, ((parameter.key, wrong),)), (parameter.key, wrong)

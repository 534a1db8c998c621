"""A project's components: how they stand, why they wait, what can be done to one."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.history import LogPage
from obsync_tui.model.metrics import Failure
from obsync_tui.model.views import Done
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

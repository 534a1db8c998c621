"""The list of projects: what it shows, what its keys do, at both sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model import lifecycle
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Failure, Phase
from obsync_tui.model.views import Done, Outcome
from obsync_tui.terminal.profile import Wishes
from tests.console.driving import console, run, running, standing
from tests.console.figures import details
from tests.fakes.console_client import START_S, FakeClient

FAILURE = Failure("SinkUnreachable", "no broker answers", "kafka:9092", "Start it.", True, START_S)
PROJECTS = (
    running("orders", 1, bottleneck="sink", source_lag_s=2.4, delivery_lag_s=75.0),
    running("stock", 2, phase=Phase.FULL, full_progress=0.457),
    standing("users", ProjectState.PAUSED, 3),
    standing("audit", ProjectState.FAILED, 4, failure=FAILURE),
    standing("fresh", ProjectState.NOT_STARTED, 5),
    standing("broken", ProjectState.NOT_STARTED, 6, error="line 3: no such key"),
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_every_project_has_its_line(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with console(FakeClient(PROJECTS), tmp_path, size=size) as it:
            assert "6 projects  2 running  1 paused  2 FAILED" in it.lines[1]
            assert "latest orders 1m15s" in it.lines[1]
            assert "Projects (6)" in it.lines[2]
            line = {words.split()[0]: words for words in (text[2:] for text in it.lines[4:10])}
            assert line["orders"].split()[1:9] == ["RUN", "incr", "2s", "1m15s", "1.3k", "1.2k", "40", "sink"]
            assert "RUN full 45%" in line["stock"]
            assert "PAUSED" in line["users"] and "FAILED!" in line["audit"] and "no broke" in line["audit"]
            assert line["fresh"].split()[1:] == ["new"] or size[0] > 80
            assert "BAD FILE" in line["broken"] and "line 3" in line["broken"]
            assert all(len(text) <= size[0] for text in it.lines)
            if size[0] > 80:
                assert "from" in it.lines[3] and "1m40s" in line["orders"]

    run(test)


def test_disabled_actions_say_why(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient(PROJECTS), tmp_path) as it:
            await it.press("s")
            await it.sees("start: the project runs already")
            await it.press("D")
            await it.sees("delete: the project runs: pause it first")
            assert not it.app.client.requests(api.BATCH)  # type: ignore[attr-defined]

    run(test)


def test_start_resumes_what_is_paused_and_starts_what_is_new(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(PROJECTS)
        client.answers[api.BATCH.name] = lambda request: tuple(
            Outcome(name, ProjectState.RUNNING) for name in request.names
        )
        async with console(client, tmp_path) as it:
            await it.press("asterisk", "s")
            await it.until(lambda: len(client.requests(api.BATCH)) == 2)
            assert client.requests(api.BATCH) == [
                ask.Batch(lifecycle.Action.START, ("fresh",)),
                ask.Batch(lifecycle.Action.RESUME, ("users", "audit")),
            ]
            await it.sees("resume: 2 projects")

    run(test)


def test_pause_asks_and_enter_is_no(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(PROJECTS)
        client.answers[api.BATCH.name] = (
            Outcome("orders", ProjectState.PAUSED, ("stopped at a checkpoint",)),
        )
        async with console(client, tmp_path) as it:
            await it.press("x")
            await it.sees("Pause orders?", "lag 1m15s, 40 rows, 9.0KB read but not delivered")
            await it.press("enter")
            await it.sees("Projects (6)")
            assert not client.requests(api.BATCH)
            await it.press("x", "y")
            await it.sees("pause: orders. stopped at a checkpoint.")
            assert client.requests(api.BATCH) == [ask.Batch(lifecycle.Action.PAUSE, ("orders",))]

    run(test)


def test_release_wants_the_name(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(PROJECTS)
        client.answers[api.BATCH.name] = (Outcome("users", ProjectState.RELEASING),)
        async with console(client, tmp_path) as it:
            await it.press("j", "j", "X")
            await it.sees("Release users", "never go on")
            await it.press("enter")
            await it.sees("That is not the name. Nothing was done.")
            await it.type("users")
            await it.press("enter")
            await it.sees("release: users.")
            assert client.requests(api.BATCH) == [
                ask.Batch(lifecycle.Action.RELEASE, ("users",), confirm="1")
            ]

    run(test)


def test_an_error_of_an_action_is_told_with_its_project(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(PROJECTS)
        client.answers[api.BATCH.name] = (Outcome("users", error="the checkpoint is gone"),)
        async with console(client, tmp_path) as it:
            await it.press("j", "j", "s")
            await it.sees("users: the checkpoint is gone")

    run(test)


def test_clone_checks_the_name_before_it_asks(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(PROJECTS)
        client.answers[api.CLONE.name] = Done(("written: orders2.toml",))
        async with console(client, tmp_path) as it:
            await it.press("C")
            await it.sees("Clone orders", "New name")
            await it.type(" 2")
            await it.press("enter")
            assert not client.requests(api.CLONE)
            await it.press("backspace", "backspace", "2", "enter")
            await it.sees("written: orders2.toml")
            assert client.requests(api.CLONE) == [ask.Rename("orders", "orders2")]

    run(test)


def test_filter_order_and_marks(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient(PROJECTS), tmp_path) as it:
            await it.press("slash")
            await it.type("!RUN")
            await it.sees("Projects (4 of 6)  /!RUN")
            await it.press("enter", "space")
            await it.sees("1 marked")
            await it.press("escape")
            await it.sees("Projects (6)  1 marked")
            await it.press("escape")
            await it.lost("marked")
            await it.press("slash", "(")
            await it.sees("not a regular expression")
            await it.press("escape", "greater_than_sign")
            await it.sees("sort state")
            assert it.lines[4][2:].startswith("broken"), it.text
            await it.press("I")
            assert it.lines[4][2:].startswith("fresh"), it.text

    run(test)


def test_read_only_says_so(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient(PROJECTS), tmp_path, wishes=Wishes(read_only=True, zone="utc")) as it:
            assert " RO " in it.lines[0]
            await it.press("x")
            await it.sees("pause: this session is read-only")

    run(test)


def test_the_engine_goes_and_comes_back(tmp_path: Path) -> None:
    async def test() -> None:
        now = [START_S]
        client = FakeClient(PROJECTS, now=lambda: now[0])
        async with console(client, tmp_path) as it:
            client.leave()
            await it.until(lambda: it.app.away_s is not None)
            now[0] += 42
            await it.beat()
            await it.sees("NO ENGINE 00:42", "no engine answers since", "trying again, values of")
            assert "orders" in it.text
            await it.press("x")
            await it.sees("pause: the engine is away")
            client.come_back()
            await it.until(lambda: it.app.away_s is None)
            await it.beat()
            await it.sees("the engine answers again", "6 projects")

    run(test)


def test_a_row_of_old_figures_says_how_old(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient((running("orders", at_s=START_S - 68),)), tmp_path) as it:
            assert "1m08s old" in it.lines[4]

    run(test)


def test_a_thousand_projects_answer_keys_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(tuple(running(f"p{place:04}", place) for place in range(1000)))
        async with console(client, tmp_path) as it:
            await it.press("G")
            await it.sees("p0999")
            await it.press("slash")
            await it.type("p05..")
            await it.sees("100 of 1000")

    run(test)


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (5, 3), (1, 1), (300, 80)])
def test_any_size_is_survived(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        async with console(FakeClient(PROJECTS), tmp_path, size=size) as it:
            await it.press("j", "x")
            await it.press("escape", "question_mark")
            await it.press("escape")
            assert it.app.is_running

    run(test)


def test_the_mouse_moves_the_cursor_and_opens(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient(PROJECTS)
        client.answers[api.PROJECT.name] = details(PROJECTS[1], started_s=None)
        client.answers[api.EVENTS.name] = ()
        async with console(client, tmp_path) as it:
            await it.pilot.click("#projects", offset=(10, 3))
            await it.until(lambda: it.lines[5].startswith("▸"))
            await it.pilot.click("#projects", offset=(10, 3))
            await it.sees("obsync › stock")

    run(test)

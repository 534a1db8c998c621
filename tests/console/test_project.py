"""A project's details: facts, steps, charts, events, errors with their cure, its file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model.applied import Applied, Change
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Failure
from obsync_tui.model.views import ProjectFile
from tests.console.driving import console, run, running, standing
from tests.console.figures import EVENTS, SERIES, details, status
from tests.fakes.console_client import START_S, FakeClient


def client_with(summary: object, **more: object) -> FakeClient:
    client = FakeClient((summary,))  # type: ignore[arg-type]
    client.answers[api.PROJECT.name] = details(summary, **more)  # type: ignore[arg-type]
    client.answers[api.EVENTS.name] = EVENTS
    client.answers[api.METRICS.name] = SERIES
    return client


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_running_project(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        client = client_with(running("orders", bottleneck="sink"))
        async with console(client, tmp_path, size=size) as it:
            await it.press("enter")
            await it.sees("obsync › orders", "np_000000000001", "created 2026-09-20", "by dba")
            await it.sees("from ob to kafka", "types schema, full, incremental")
            assert "RUN incr  lag 2s  latency 3s" in it.lines[1] and "slowest: sink" in it.text
            await it.sees(
                "synchronized to", "(3.0s, sampled 14:13:20)".replace("14:13:20", it.app.zone.clock(START_S))
            )
            await it.sees("full         Running", "45%", "12k rows/s", "left 3m00s", "incremental  Waiting")
            await it.sees(
                "latency, 5 min 3.0s", "rows/s, 5 min 1.2k", "Events (2)", "the broker was away for 4 s"
            )
            assert it.text.index("broker was away") < it.text.index("by dba on pts/3"), "the newest first"
            await it.press("m")
            await it.sees("latency, 1 h")
            first, last = client.requests(api.METRICS)[0], client.requests(api.METRICS)[-1]
            assert (first.to_s - first.from_s, last.to_s - last.from_s) == (300, 3600)
            assert all(len(line) <= size[0] for line in it.lines)

    run(test)


def test_foreign_text_of_an_event_does_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(client_with(running("orders")), tmp_path) as it:
            await it.press("enter")
            await it.sees(r"4 s [/bold] \x1b[31mred")
            await it.press("enter")
            await it.sees("obsync › orders › warning", r"[/bold] \x1b[31mred")
            await it.press("escape")
            await it.sees("Events (2)")

    run(test)


def test_a_failure_says_what_where_and_what_to_do(tmp_path: Path) -> None:
    async def test() -> None:
        failure = Failure(
            "SinkUnreachable", "no broker answers", "kafka:9092", "Start the broker.", True, START_S - 5
        )
        client = client_with(standing("orders", ProjectState.FAILED, failure=failure), status=None)
        async with console(client, tmp_path) as it:
            await it.press("enter")
            await it.sees(
                "FAILED!",
                "no broker answers",
                "SinkUnreachable, is tried again",
                "where  kafka:9092",
                "do     Start the broker.",
            )
            await it.press("x")
            await it.sees("pause: the project has failed: resume or release it")

    run(test)


def test_warnings_and_what_the_source_will_purge(tmp_path: Path) -> None:
    async def test() -> None:
        figures = status(warnings=("a", "b", "c"), purge_left_s=4000.0)
        async with console(client_with(running("orders"), status=figures), tmp_path) as it:
            await it.press("enter")
            await it.sees("! the source purges what is not read yet in 1h06m", "! a", "and 2 more warnings")

    run(test)


def test_the_file_and_its_difference(tmp_path: Path) -> None:
    async def test() -> None:
        client = client_with(running("orders", file_changed=True))
        client.answers[api.FILE.name] = ProjectFile(
            "orders",
            'name = "orders"\n[full]\nrows_per_s = 5\n',
            "d2",
            "@@ -1 +1 @@\n-rows_per_s = 0\n+rows_per_s = 5\n",
        )
        client.answers[api.APPLY.name] = Applied(restart=(Change("full.rows_per_s", "new readers"),))
        async with console(client, tmp_path) as it:
            await it.press("enter")
            await it.sees("The file differs from what runs")
            await it.press("v")
            await it.sees(
                "obsync › orders › File",
                "+rows_per_s = 5",
                "-rows_per_s = 0",
                'name = "orders"',
                "A puts it into force",
            )
            await it.press("A", "y")
            await it.sees("applied; restarting at the checkpoint for full.rows_per_s")
            assert client.requests(api.APPLY) == [ask.Named("orders")]
            client.answers[api.FILE.name] = msgspec.structs.replace(client.answers[api.FILE.name], diff="")
            client.feed(running("orders"))
            await it.beat()
            await it.press("A")
            await it.sees("apply file: the file does not differ from what runs")
            await it.press("escape")
            await it.sees("Events (2)")

    run(test)


def test_a_project_that_is_gone_is_said(tmp_path: Path) -> None:
    async def test() -> None:
        client = client_with(running("orders"))
        async with console(client, tmp_path) as it:
            await it.press("enter")
            await it.sees("Events (2)")
            client.feed()
            await it.beat()
            await it.sees("old")

    run(test)


def test_the_engine_goes_while_the_details_are_shown(tmp_path: Path) -> None:
    async def test() -> None:
        now = [START_S]
        client = client_with(running("orders"))
        client.now = lambda: now[0]
        async with console(client, tmp_path) as it:
            await it.press("enter")
            await it.sees("Events (2)")
            client.leave()
            now[0] += 5
            await it.beat()
            await it.sees("NO ENGINE", "no engine answers since", "np_000000000001", "Events (2)")
            client.come_back()
            await it.until(lambda: it.app.away_s is None)
            await it.beat()
            await it.sees("the engine answers again")

    run(test)

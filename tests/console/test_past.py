"""Logs, events, and what the doctor finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.model.event import Event
from obsync_tui.model.finding import Finding
from obsync_tui.model.finding import Level as Severity
from obsync_tui.model.history import Level, LogLine, LogPage
from tests.console.driving import console, run, running
from tests.fakes.console_client import START_S, FakeClient


class Log:
    """A log on the engine's side: pages of it as the real one gives them, cursors are line numbers."""

    def __init__(self, count: int) -> None:
        self.lines = [LogLine(START_S + n, Level.INFO, f"line {n:04}") for n in range(count)]

    def page(self, request: ask.Logs | ask.EngineLogs) -> LogPage:
        kept = [
            (n, line) for n, line in enumerate(self.lines) if line.level.rank >= Level(request.level).rank
        ]
        if request.after:
            found = [one for one in kept if one[0] >= int(request.after)][: request.limit]
        else:
            found = [one for one in kept if not request.before or one[0] < int(request.before)][
                -request.limit :
            ]
        first = found[0][0] if found else 0
        return LogPage(tuple(line for _, line in found), str(first) if first else "", str(len(self.lines)))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_log_is_followed_and_read_backwards(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        log = Log(1000)
        client = FakeClient((running("orders"),))
        client.answers[api.LOGS.name] = log.page
        async with console(client, tmp_path, size=size) as it:
            await it.press("l")
            await it.sees(
                "obsync › orders › Logs", "project  level INFO and above", "line 0999", "following the end"
            )
            log.lines.append(LogLine(START_S, Level.ERROR, "the end \x1b[2J[/x]"))
            await it.beat()
            await it.sees(r"ERROR the end \x1b[2J[/x]")
            await it.press("g")
            await it.sees("line 0600", "stands still")
            await it.press("g")
            await it.beat()
            await it.press("g")
            await it.sees("line 0200")
            await it.press("G")
            await it.sees("the end", "following the end")
            await it.press("v")
            await it.sees("level WARNING and above")
            await it.lost("line 0999")
            await it.press("c")
            await it.sees("store  level WARNING")
            asked = client.requests(api.LOGS)[-1]
            assert (asked.component, asked.level) == ("store", "WARNING")

    run(test)


def test_a_search_goes_from_match_to_match(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient()
        client.answers[api.ENGINE_LOGS.name] = Log(100).page
        async with console(client, tmp_path) as it:
            await it.press("4")
            await it.sees("obsync › Engine › Log", "line 0099")
            await it.press("c")
            await it.sees("component: the engine has one log")
            await it.press("g", "slash")
            await it.type("line 004[25]")
            await it.press("enter")
            assert it.lines[3].endswith("line 0042"), it.text
            await it.press("n")
            assert it.lines[3].endswith("line 0045"), it.text
            await it.press("n")
            await it.sees("no further match")
            await it.press("N")
            assert it.lines[3].endswith("line 0042"), it.text

    run(test)


def test_a_log_keeps_a_bounded_number_of_lines(tmp_path: Path) -> None:
    async def test() -> None:
        log = Log(10)
        client = FakeClient()
        client.answers[api.ENGINE_LOGS.name] = log.page
        async with console(client, tmp_path) as it:
            await it.press("4")
            await it.sees("line 0009")
            for start in range(0, 12_000, 400):
                log.lines += [LogLine(START_S, Level.INFO, f"more {n}") for n in range(start, start + 400)]
                await it.beat()
            await it.sees("more 11999")
            await it.press("g")
            await it.sees("7010 lines skipped")

    run(test)


EVENTS = (
    Event(START_S - 60, "np_000000000000", "started", "", 1, Level.INFO, "0 root pts/3"),
    Event(START_S - 50, "", "engine", "ready", 2),
    Event(START_S - 40, "np_gone", "failed", "no broker [/b]", 3, Level.ERROR),
)


def test_events_of_all_projects(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient((running("orders"),))
        client.answers[api.ALL_EVENTS.name] = EVENTS
        async with console(client, tmp_path) as it:
            await it.press("3")
            await it.sees("obsync › Events", "Events (3)")
            assert [line.split()[1:3] for line in (it.lines[4][2:], *it.lines[5:7])] == [
                ["np_gone", "failed"],
                ["engine", "engine"],
                ["orders", "started"],
            ]
            await it.press("G", "enter")
            await it.sees("who     0 root pts/3")

    run(test)


FINDINGS = (
    Finding("disk", "room", Severity.OK, "80 GB free"),
    Finding(
        "logout",
        "engine by hand",
        Severity.FAILURE,
        "ends at logout",
        "dba",
        "Run: loginctl enable-linger dba",
    ),
)


def test_the_doctor_s_findings_with_their_cures(tmp_path: Path) -> None:
    async def test() -> None:
        times = []

        async def examine() -> tuple[Finding, ...]:
            times.append(1)
            return FINDINGS

        async with console(FakeClient(), tmp_path, examine=examine) as it:
            await it.press("6")
            await it.sees(
                "1 ok  0 warnings  1 failures",
                "Findings (2)",
                "FAIL   logout",
                "do     Run: loginctl enable-linger dba",
            )
            await it.press("j")
            await it.lost("enable-linger")
            await it.beat()
            assert len(times) == 1, "once, until it is asked again"
            await it.press("r")
            await it.until(lambda: len(times) == 2)

    run(test)

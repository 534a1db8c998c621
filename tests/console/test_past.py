"""Logs, events, and what the doctor finds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.api.operation import Operation, Request, Response
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
        self.may_look_back = True

    def searched(self, request: ask.Logs | ask.EngineLogs) -> LogPage:
        """As `page`, of lines with the text; a call looks at 300 lines of 10 kB, back only when it may."""
        if request.before and not self.may_look_back:
            return LogPage((), request.before, str(len(self.lines)))
        end = int(request.before or len(self.lines))
        first = int(request.after) if request.after else max(end - 300, 0)
        found = [
            line
            for line in self.lines[first:end]
            if request.search in line.text and line.level.rank >= Level(request.level).rank
        ]
        older = "" if request.after or not first else str(first)
        return LogPage(
            tuple(found), older, str(len(self.lines)), looked_bytes=10_000 * len(self.lines[first:end])
        )

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


class Slow(FakeClient):
    """Holds answers back that are logs."""

    def __init__(self) -> None:
        super().__init__((running("orders"),))
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        found = await super().call(operation, request)
        if operation.name == api.LOGS.name:
            await self.may_answer.wait()
        return found


def test_an_answer_that_nobody_waits_for_any_more_is_not_shown(tmp_path: Path) -> None:
    async def test() -> None:
        log = Log(10)
        log.lines += [LogLine(START_S, Level.WARNING, "careful"), LogLine(START_S, Level.ERROR, "broken")]
        client = Slow()
        client.answers[api.LOGS.name] = log.page
        async with console(client, tmp_path) as it:
            await it.press("l")
            await it.sees("level INFO and above", "line 0009", "careful", "broken")
            await it.beat()
            client.may_answer.clear()
            await it.press("v")
            while client.requests(api.LOGS)[-1].level != "WARNING":
                await it.beat()
            await it.press("v")
            client.may_answer.set()
            await it.sees("level ERROR and above", "broken")
            await it.lost("careful")

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


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_whole_log_is_searched(tmp_path: Path, size: tuple[int, int]) -> None:
    async def test() -> None:
        log = Log(1000)
        log.lines[7] = LogLine(START_S, Level.WARNING, "broker 1 \x1b[31m[/x]")
        log.lines[990] = LogLine(START_S, Level.INFO, "broker 2")
        log.may_look_back = False
        client = FakeClient((running("orders"),))
        client.answers[api.LOGS.name] = log.searched
        async with console(client, tmp_path, size=size) as it:
            await it.press("l")
            await it.sees("line 0999")
            await it.press("S")
            await it.sees("Search the whole log")
            await it.type("broker")
            await it.press("enter")
            await it.sees('project  level INFO and above, only lines with "broker"', "broker 2")
            assert "broker 1" not in it.text
            await it.sees("1 line so far, 3.0MB looked at, going on; following the end")
            log.may_look_back = True
            for _ in range(3):
                await it.beat()
            await it.sees("2 lines in the whole log; following the end", r"WARN  broker 1 \x1b[31m[/x]")
            log.lines += [LogLine(START_S, Level.ERROR, "broker 3"), LogLine(START_S, Level.ERROR, "other")]
            await it.beat()
            await it.sees("3 lines in the whole log", "ERROR broker 3")
            assert "other" not in it.text and "line 0" not in it.text
            # The level and the component are those of the log that is searched.
            await it.press("v")
            await it.sees("level WARNING and above, only", "broker 1")
            await it.lost("broker 2")
            await it.press("c")
            await it.sees("store  level WARNING and above, only")
            asked = client.requests(api.LOGS)[-1]
            assert (asked.component, asked.level, asked.search) == ("store", "WARNING", "broker")
            await it.press("escape")
            await it.sees("store  level WARNING and above ─")
            assert client.requests(api.LOGS)[-1].search == ""
            await it.press("escape")
            await it.sees("Projects (1)")

    run(test)


def test_a_search_that_finds_too_much_says_so(tmp_path: Path) -> None:
    async def test() -> None:
        client = FakeClient()
        client.answers[api.ENGINE_LOGS.name] = Log(9000).searched
        async with console(client, tmp_path) as it:
            await it.press("4", "S")
            await it.type("line")
            await it.press("enter")
            for _ in range(20):
                await it.beat()
            await it.sees(
                "5,000 lines, the newest; older ones have no room here, narrow the text", "line 8999"
            )
            calls = len(client.requests(api.ENGINE_LOGS))
            await it.press("g")
            await it.sees("line 4000")
            await it.beat()
            assert [one.before for one in client.requests(api.ENGINE_LOGS)[calls:]] == [""] * (
                len(client.requests(api.ENGINE_LOGS)) - calls
            )

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

"""The console on a fake engine whose every text is hostile: run as a process in a terminal.

python -m tests.console.hostile
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from obsync_tui.api import operations as api
from obsync_tui.app import ObsyncApp, Start, terminal_descriptor
from obsync_tui.model.check import CheckResult, Outcome
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.event import Event
from obsync_tui.model.finding import Finding
from obsync_tui.model.finding import Level as Severity
from obsync_tui.model.history import Level, LogLine, LogPage
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Failure
from obsync_tui.model.trace import MessageSample, TraceAnswer, TraceLine, TraceWindow
from obsync_tui.model.views import Done, ObjectView, ProjectFile, SourceView, TableDdl
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.hangup import restore_hangup
from obsync_tui.terminal.profile import Wishes, profile_of
from tests.console.driving import running, standing
from tests.console.figures import SERIES, details, status
from tests.fakes.console_client import FakeClient

MARKUP = "[bold]x[/nonsense][/][@click=app.quit]"
TITLE = "\x1b]0;owned\x07"
CLEAR = "\x1b[2J\x1b[H\x9b2J\x9d0;owned\x9c"
BIDI = "\u202egpj.exe\u2066\u200f"
LONG = "L" * 10_000
WIDE = "订单😀👩\u200d👧e\u0301"
BROKEN = b"\xff\xfe\x80abc".decode("utf-8", "surrogateescape")
ALL = MARKUP + TITLE + CLEAR + BIDI + WIDE + BROKEN
TEXTS = (MARKUP, TITLE + "title", CLEAR + "clear", BIDI, LONG, WIDE, BROKEN)


def client() -> FakeClient:
    failure = Failure(ALL, ALL, ALL, ALL, False, time.time())
    projects = (
        running("first", at_s=time.time(), bottleneck=ALL, source=ALL, destination=ALL),
        *(
            standing(text, ProjectState.FAILED, place, failure=failure, source=text, tags=(text,))
            for place, text in enumerate(TEXTS)
        ),
    )
    made = FakeClient(projects, now=time.time)
    components = tuple(
        ComponentStatus(
            one, ComponentState.ABNORMAL, time.time(), ALL, start=ALL, position=ALL, error=failure
        )
        for one in Component
    )
    found = details(projects[0], status=status(warnings=TEXTS), created_by=ALL, components=components)
    made.answers[api.PROJECT.name] = msgspec.structs.replace(
        found, summary=msgspec.structs.replace(projects[0], failure=failure)
    )
    made.answers[api.EVENTS.name] = tuple(Event(time.time(), "np_1", text, text) for text in TEXTS)
    made.answers[api.OBJECTS.name] = tuple(
        ObjectView(text, text, text, 5, 10, sharding_columns=(text,), columns=(text,)) for text in TEXTS
    )
    made.answers[api.SOURCES.name] = tuple(SourceView(text, error=text, used_by=(text,)) for text in TEXTS)
    made.answers[api.FILE.name] = ProjectFile(
        "first", "\n".join(TEXTS), "d", "\n".join("+" + text for text in TEXTS), ALL
    )
    made.answers[api.METRICS.name] = SERIES
    made.answers[api.BATCH.name] = Done
    made.answers[api.ALL_EVENTS.name] = tuple(
        Event(time.time(), text, text, text, who=text) for text in TEXTS
    )
    lines = tuple(LogLine(time.time(), Level.ERROR, text) for text in TEXTS)
    for log in (api.LOGS, api.ENGINE_LOGS):
        made.answers[log.name] = lambda request: LogPage(() if request.after else lines, "", "1-1")
    made.answers[api.DDL.name] = TableDdl(ALL, ALL, ALL, "CREATE TABLE " + "\n".join(TEXTS))
    made.answers[api.SAMPLES.name] = tuple(
        MessageSample(text, 0, text, text, len(text), time.time()) for text in TEXTS
    )
    window = TraceWindow(time.time(), 1, 100)
    traced = TraceLine(ALL, time.time(), time.time(), ALL, ALL, "", ALL, 0, ALL, ALL)
    made.answers[api.TRACE.name] = TraceAnswer((traced,), window)
    made.answers[api.CHECK.name] = tuple(CheckResult(text, text, Outcome.FAIL, text, text) for text in TEXTS)
    return made


async def examine() -> tuple[Finding, ...]:
    """What a doctor finds on a machine whose every name is hostile."""
    return tuple(Finding(text, text, Severity.FAILURE, text, text, text) for text in TEXTS)


async def run() -> None:
    start = Start(
        profile_of(os.environ, Wishes(ascii="--ascii" in sys.argv)),
        Path(os.environ["OBSYNC_HOME"]),
        zone=Zone("utc"),
        terminal=terminal_descriptor(),
        examine=examine,
    )
    app = ObsyncApp(client(), start)
    await app.run_async(mouse=False)
    assert app.return_code == 0, "the console crashed"


if __name__ == "__main__":
    restore_hangup()
    asyncio.run(run())

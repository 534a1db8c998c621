"""`obsync project logs`, `metrics`, `trace` and `ddl`: what was and what is, as lines."""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Ddl, EngineLogs, Logs, Metrics, Trace
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show, show_json, show_table
from obsync_tui.cli.session import Session
from obsync_tui.cli.trace_text import show_trace
from obsync_tui.model.history import LogLine, LogPage
from obsync_tui.presenters.quantities import time_text

Request = TypeVar("Request", Logs, EngineLogs)
_FOLLOW_S = 1.0
_POINTS = 20


def logs(session: Session, arguments: argparse.Namespace) -> int:
    """Print a component's newest log lines; with --follow those that come, until interrupted."""
    asked = Logs(
        arguments.name, arguments.component, arguments.level, arguments.search or "", limit=arguments.lines
    )
    page = newest(lambda part: session.call(op.LOGS, part), asked)
    if arguments.json:
        show_json(page)
        return exit_codes.OK
    show_lines(page.lines)
    while arguments.follow:
        time.sleep(_FOLLOW_S)
        asked = Logs(asked.name, asked.component, asked.level, asked.search, after=page.newer, limit=1000)
        page = session.call(op.LOGS, asked)
        if page.lost:
            show("… lines were rotated away before they could be read")
        show_lines(page.lines)
    return exit_codes.OK


def newest(page_of: Callable[[Request], LogPage], asked: Request) -> LogPage:
    """The newest lines in one page: as many calls as a search through the whole log takes."""
    page = page_of(asked)
    while page.older and len(page.lines) < asked.limit:
        part = replace(asked, before=page.older, limit=asked.limit - len(page.lines))
        before = page_of(part)
        page = replace(
            page,
            lines=before.lines + page.lines,
            older=before.older,
            looked_bytes=page.looked_bytes + before.looked_bytes,
        )
    return page


def metrics(session: Session, arguments: argparse.Namespace) -> int:
    """Print a project's metrics over the last minutes."""
    now = time.time()
    asked = Metrics(
        arguments.name, now - 60 * arguments.minutes, now, arguments.metrics or "", arguments.points
    )
    found = session.call(op.METRICS, asked)
    if arguments.json:
        show_json(found)
        return exit_codes.OK
    rows = []
    for number in range(len(found.values[0]) if found.values else 0):
        values = [column[number] for column in found.values]
        if any(value is not None for value in values):
            at_s = found.start_s + number * found.step_s
            rows.append((time_text(at_s), *("" if value is None else f"{value:.3g}" for value in values)))
    show_table(("AT", *(str(name).upper() for name in found.names)), rows)
    return exit_codes.OK


def trace(session: Session, arguments: argparse.Namespace) -> int:
    """Print what became of the newest changes of a row."""
    answer = session.call(op.TRACE, Trace(arguments.name, arguments.table, tuple(arguments.key)))
    if arguments.json:
        show_json(answer)
    else:
        show_trace(answer, time.time())
    return exit_codes.OK


def ddl(session: Session, arguments: argparse.Namespace) -> int:
    """Print the statement that makes a table, as the source has it now."""
    found = session.call(op.DDL, Ddl(arguments.name, arguments.table))
    if arguments.json:
        show_json(found)
    else:
        show(f"{found.text};")
    return exit_codes.OK


def show_lines(lines: Sequence[LogLine]) -> None:
    """Print log lines with their times and levels."""
    for line in lines:
        at = time_text(line.at_s) if line.at_s is not None else ""
        show(f"{at} {line.level:<7} {line.text}")

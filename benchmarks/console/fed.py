"""The real console on an engine that is fed: the process that is measured.

python -m benchmarks.console.fed --rows 20 --changing 3
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

from obsync_tui.api import operations as api
from obsync_tui.api import requests as ask
from obsync_tui.app import ObsyncApp, Start, terminal_descriptor
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.history import Level, LogLine, LogPage
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Phase
from obsync_tui.model.views import ProjectSummary, SourceView
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.hangup import restore_hangup
from obsync_tui.terminal.profile import Wishes, profile_of
from tests.fakes.console_client import FakeClient


def project(place: int, moving: random.Random | None) -> ProjectSummary:
    """A running project; figures of the moment when it is moving."""
    draw = moving or random.Random(place)
    return ProjectSummary(
        f"orders_to_kafka_{place:04}",
        f"np_{place:012}",
        ProjectState.RUNNING,
        time.time() - 5000,
        "ob-prod-1",
        "kafka-main",
        phase=Phase.INCREMENTAL,
        running=True,
        at_s=time.time(),
        source_lag_s=draw.random() * 5,
        delivery_lag_s=draw.random() * 9,
        read_rows_per_s=draw.random() * 3000,
        rows_per_s=draw.random() * 3000,
        bytes_per_s=draw.random() * 3e6,
        backlog_rows=draw.randrange(5000),
        bottleneck=draw.choice(["", "sink", "source", "connector"]),
    )


class Lines:
    """A log that grows by 50 lines a second."""

    def __init__(self) -> None:
        self._given = 0
        self._began_s = time.monotonic()

    def page(self, request: ask.EngineLogs) -> LogPage:
        """What has been written since the page before."""
        written = 100 + int(50 * (time.monotonic() - self._began_s))
        numbers = range(self._given, written)
        self._given = written
        texts = [
            f"store: transaction {n * 7919} of shop.orders, {n % 13} rows, position {n * 104729}"
            for n in numbers
        ]
        return LogPage(tuple(LogLine(time.time(), Level.INFO, text) for text in texts), "", str(written))


SOURCES = tuple(
    SourceView(f"source_{n}", MySQLSource(f"source_{n}", f"10.0.0.{n}", "reader"), ("orders", "stock"))
    for n in range(15)
)


async def feed(client: FakeClient, rows: int, changing: int) -> None:
    """Other figures in the first `changing` rows each second; the others only say that they are alive."""
    draw = random.Random(7)
    while True:
        await asyncio.sleep(1.0)
        client.feed(*(project(place, draw if place < changing else None) for place in range(rows)))


async def run(arguments: argparse.Namespace) -> None:
    client = FakeClient(tuple(project(place, None) for place in range(arguments.rows)), now=time.time)
    wishes = Wishes(theme=arguments.theme, slow=arguments.slow)
    start = Start(
        profile_of(os.environ, wishes),
        Path(tempfile.gettempdir()) / "obsync-console-benchmark",
        zone=Zone("utc"),
        terminal=terminal_descriptor(),
    )
    lines = Lines()
    client.answers[api.ENGINE_LOGS.name] = lines.page
    client.answers[api.SOURCES.name] = SOURCES
    feeding = asyncio.create_task(feed(client, arguments.rows, arguments.changing))
    await ObsyncApp(client, start).run_async(mouse=False)
    feeding.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--changing", type=int, default=3)
    parser.add_argument("--theme", default="")
    parser.add_argument("--slow", action="store_true")
    restore_hangup()
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()

"""The console in a test: started on a fake engine with a frozen clock, typed to, and read as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from obsync_tui.app import ObsyncApp, Start
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Phase
from obsync_tui.model.views import ProjectSummary
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.profile import Wishes, profile_of
from tests.fakes.console_client import START_S, FakeClient

TERMINAL = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
_PATIENCE_S = 20.0
UTC = Wishes(zone="utc")


def running(name: str, place: int = 0, **figures: object) -> ProjectSummary:
    """A running project with figures of now."""
    usual: dict[str, object] = {
        "source": "ob", "destination": "kafka", "phase": Phase.INCREMENTAL, "running": True, "at_s": START_S, "source_lag_s": 2.0, "delivery_lag_s": 3.0,
        "read_rows_per_s": 1300.0, "rows_per_s": 1200.0, "bytes_per_s": 250_000.0, "backlog_rows": 40, "backlog_bytes": 9000,
    }  # fmt: skip
    return ProjectSummary(
        name, f"np_{place:012}", ProjectState.RUNNING, START_S - 100, **{**usual, **figures}
    )  # type: ignore[arg-type]


def standing(name: str, state: ProjectState, place: int = 0, **figures: object) -> ProjectSummary:
    """A project that does not run."""
    usual: dict[str, object] = {"source": "ob", "destination": "kafka"}
    return ProjectSummary(name, f"np_{place:012}", state, START_S - 100, **{**usual, **figures})  # type: ignore[arg-type]


class Driven:
    """A console under test."""

    def __init__(self, app: ObsyncApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    async def press(self, *keys: str) -> None:
        """Type keys and let the console come to rest."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*text)

    async def sees(self, *texts: str) -> None:
        """Wait until the screen shows all of these."""
        await self.until(lambda: all(text in self.text for text in texts), lambda: f"{texts} in\n{self.text}")

    async def lost(self, text: str) -> None:
        """Wait until the screen does not show this any more."""
        await self.until(lambda: text not in self.text, lambda: f"{text!r} still in\n{self.text}")

    async def until(
        self, condition: Callable[[], bool], what: Callable[[], str] = lambda: "it did not happen"
    ) -> None:
        """Wait for a condition while the console runs."""
        end = asyncio.get_running_loop().time() + _PATIENCE_S
        while not condition():
            assert asyncio.get_running_loop().time() < end, what()
            await self.pilot.pause(0.02)

    async def beat(self) -> None:
        """What happens once a second, now."""
        self.app._beat()
        await self.pilot.pause()


@asynccontextmanager
async def console(
    client: FakeClient,
    home: Path,
    *,
    size: tuple[int, int] = (80, 24),
    wishes: Wishes = UTC,
    **more: object,
) -> AsyncIterator[Driven]:
    """A console on a fake engine."""
    start = Start(
        profile_of(TERMINAL, wishes),
        home,
        zone=Zone(wishes.zone),
        read_only=wishes.read_only,
        now=client.now,
        **more,  # type: ignore[arg-type]
    )
    app = ObsyncApp(client, start)
    async with app.run_test(size=size) as pilot:
        driven = Driven(app, pilot)
        await driven.until(lambda: client.is_away or app.picture.is_known)
        await driven.beat()
        yield driven


def run(test: Callable[[], Coroutine[object, object, None]] | Awaitable[None]) -> None:
    """Run a test's coroutine to its end."""
    asyncio.run(test())  # type: ignore[operator]

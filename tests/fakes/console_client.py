"""An engine for the console's tests: what it knows is set, what it is asked is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from obsync_tui import __version__
from obsync_tui.api import operations as api
from obsync_tui.api.errors import EngineAway
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.model.errors import EngineError
from obsync_tui.model.frames import Frame
from obsync_tui.model.views import PROTOCOL, EngineFacts, Hello, ProjectSummary

START_S = 1_790_000_000.0


class FakeClient:
    """Answers by operation name; an answer may be a value, an error or a function of the request."""

    def __init__(
        self, projects: tuple[ProjectSummary, ...] = (), now: Callable[[], float] = lambda: START_S
    ) -> None:
        self.now = now
        self.projects = projects
        self.engine = EngineFacts(__version__, 41, START_S - 3 * 86400, START_S, 0.02, 80_000_000, 20, 40, 1, 3, 2, 4_000_000, 9_000_000, "/home/dba", "/home/dba/run/engine.sock")  # fmt: skip
        self.hello = Hello("/home/dba", __version__, PROTOCOL, 41, START_S - 3 * 86400, "admin")
        self.answers: dict[str, object] = {}
        self.asked: list[tuple[str, object]] = []
        self.is_away = False
        self.frames = 0
        self._changed = asyncio.Event()

    async def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """The set answer; the request has to be of the operation's type."""
        assert type(request) is operation.request, (operation.name, request)
        self.asked.append((operation.name, request))
        await asyncio.sleep(0)
        if self.is_away:
            raise away()
        usual = {api.HELLO.name: self.hello, api.PROJECTS.name: self.projects, api.ENGINE.name: self.engine}
        answer = {**usual, **self.answers}.get(operation.name)
        if isinstance(answer, EngineError):
            raise answer
        if callable(answer):
            answer = answer(request)
        assert answer is not None, f"no answer is set for {operation.name}"
        return answer  # type: ignore[return-value]

    async def watch(self, topics: tuple[str, ...], every_s: float = 1.0) -> AsyncIterator[Frame]:
        """The projects now, and whenever they are fed."""
        while True:
            if self.is_away:
                raise away()
            self.frames += 1
            yield Frame(self.now(), projects=self.projects, engine=self.engine)
            self._changed.clear()
            await self._changed.wait()

    def feed(self, *projects: ProjectSummary) -> None:
        """The projects are these from now on."""
        self.projects = projects
        self._changed.set()

    def leave(self) -> None:
        """The engine is gone."""
        self.is_away = True
        self._changed.set()

    def come_back(self) -> None:
        """The engine is there again."""
        self.is_away = False

    async def close(self) -> None:
        """Nothing is open."""

    def requests(self, operation: Operation[Request, Response]) -> list[Request]:
        """What was asked of an operation."""
        return [request for name, request in self.asked if name == operation.name]  # type: ignore[misc]


def away() -> EngineAway:
    return EngineAway(
        "no engine answers", where="/home/dba/run/engine.sock", cure="Start it: obsync engine start."
    )

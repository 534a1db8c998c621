"""The watch stream: each client is told the newest value of what it watches, when it changed, and at least each 5 s.

Nothing is queued: a client that reads slowly gets fewer frames. One that does not read at all is let go.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from obsync_tui.api.requests import ListProjects
from obsync_tui.api.wire import encode
from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.service import pictures
from obsync_tui.engine.service.service import Service
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.frames import Frame
from obsync_tui.model.project import is_name
from obsync_tui.model.views import EngineFacts, ProjectDetails, ProjectSummary

HEARTBEAT_S = 5.0
SHORTEST_S = 0.25
LONGEST_S = 60.0
MAX_TOPICS = 3
_NEVER = object()
T = TypeVar("T")


class Watches:
    """Counts its clients; what several watch is made once a moment."""

    def __init__(self, service: Service, facts: Callable[[], EngineFacts]) -> None:
        self._service = service
        self._facts = facts
        self._ending = False
        self._made_s = 0.0
        self._projects: tuple[ProjectSummary, ...] = ()
        self.clients = 0

    def open(self, topics: str, every_s: str) -> AsyncIterator[bytes]:
        """A stream of frames as lines of JSON; ConfigError when it is not understood."""
        wanted = [one for one in topics.split(",") if one]
        try:
            seconds = min(LONGEST_S, max(SHORTEST_S, float(every_s)))
        except ValueError as error:
            raise ConfigError("every_s is no number of seconds", where="watch") from error
        if not wanted or len(wanted) > MAX_TOPICS:
            raise ConfigError(f"name 1 to {MAX_TOPICS} topics", where="watch, topics")
        if sum(one.startswith("project:") for one in wanted) > 1:
            raise ConfigError("a stream watches one project", where="watch, topics")
        for topic in wanted:
            kind, _, name = topic.partition(":")
            if topic not in ("projects", "engine") and not (kind == "project" and is_name(name)):
                raise ConfigError(
                    "no such topic", where="watch, topics", cure="Known: projects, project:NAME, engine."
                )
        return self._frames(tuple(wanted), seconds if seconds == seconds else SHORTEST_S)

    def end(self) -> None:
        """Let every stream end."""
        self._ending = True

    async def _frames(self, topics: tuple[str, ...], every_s: float) -> AsyncIterator[bytes]:
        seen: dict[str, object] = {}
        sent_s = 0.0
        self.clients += 1
        try:
            while not self._ending:
                frame = self._frame(topics, seen)
                if frame is not None or time.monotonic() - sent_s >= HEARTBEAT_S:
                    sent_s = time.monotonic()
                    yield encode(frame or Frame(time.time())) + b"\n"
                await asyncio.sleep(every_s)
        finally:
            self.clients -= 1

    def _frame(self, topics: tuple[str, ...], seen: dict[str, object]) -> Frame | None:
        """What changed of the topics, None when nothing did."""
        projects: tuple[ProjectSummary, ...] | None = None
        details: ProjectDetails | None = None
        engine: EngineFacts | None = None
        gone = ""
        for topic in topics:
            if topic == "projects":
                projects = _changed(seen, topic, self._all())
            elif topic == "engine":
                engine = _changed(seen, topic, self._facts())
            else:
                name = topic.partition(":")[2]
                found = self._one(name)
                if found is not None:
                    details = _changed(seen, topic, found)
                elif seen.get(topic, _NEVER) is not None:
                    seen[topic], gone = None, name
        if projects is None and details is None and engine is None and not gone:
            return None
        return Frame(time.time(), projects, details, engine, gone)

    def _all(self) -> tuple[ProjectSummary, ...]:
        if time.monotonic() - self._made_s >= SHORTEST_S:
            self._projects = pictures.summaries(self._service, ListProjects())
            self._made_s = time.monotonic()
        return self._projects

    def _one(self, name: str) -> ProjectDetails | None:
        try:
            return pictures.details(self._service, name)
        except EngineError:
            return None


def _changed(seen: dict[str, object], topic: str, value: T) -> T | None:
    if seen.get(topic, _NEVER) == value:
        return None
    seen[topic] = value
    return value

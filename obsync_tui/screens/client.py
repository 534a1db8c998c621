"""The seam to the engine: what the console needs of a client."""

from collections.abc import AsyncIterator
from typing import Protocol

from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.model.frames import Frame


class ConsoleClient(Protocol):
    """Calls operations and follows what changes. Raises EngineAway, NotOurEngine, RemoteError."""

    async def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """One call and its answer."""

    def watch(self, topics: tuple[str, ...], every_s: float = 1.0) -> AsyncIterator[Frame]:
        """Frames of the topics as they change."""

    async def close(self) -> None:
        """Close the connections."""

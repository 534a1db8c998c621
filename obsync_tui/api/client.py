"""The engine's clients: one that blocks for the command line, one that does not for the console.

Both check who holds the socket before the first byte goes there.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Protocol

import httpcore
import httpx

from obsync_tui.api.endpoint import Endpoint, check_peer
from obsync_tui.api.errors import EngineAway, NotOurEngine
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.api.wire import READ_ONLY_HEADER, answer, decode, error_of, http_request
from obsync_tui.model.frames import Frame

# Long enough for a precheck of a thousand tables; operations that are not slow answer in milliseconds.
SLOW_TIMEOUT_S = 600.0
TIMEOUT_S = 15.0
# A frame comes each second at least; silence for that long means that the engine hangs.
WATCH_TIMEOUT_S = 15.0
# Shorter than the engine keeps connections, so that no call goes to one that is being closed.
KEEP_ALIVE_S = 30.0
_HOST = "http://engine"


class Client(Protocol):
    """Calls operations; raises RemoteError, EngineAway, NotOurEngine."""

    def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """One call and its answer."""


class _Backend(httpcore.SyncBackend):
    def __init__(self, at: Endpoint) -> None:
        self._at = at

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[object] | None = None
    ) -> httpcore.NetworkStream:
        stream = super().connect_unix_socket(path, timeout)
        try:
            check_peer(stream.get_extra_info("socket"), self._at)
        except NotOurEngine:
            stream.close()
            raise
        return stream


class _AsyncBackend(httpcore.AnyIOBackend):
    def __init__(self, at: Endpoint) -> None:
        self._at = at

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[object] | None = None
    ) -> httpcore.AsyncNetworkStream:
        stream = await super().connect_unix_socket(path, timeout)
        try:
            check_peer(stream.get_extra_info("socket"), self._at)
        except NotOurEngine:
            await stream.aclose()
            raise
        return stream


class EngineClient:
    """Calls operations of the engine and blocks; to be closed. Safe to use from several threads."""

    def __init__(self, at: Endpoint, *, read_only: bool = False) -> None:
        transport = httpx.HTTPTransport(uds=str(at.path))
        # httpx has no public way to give a backend, and the peer has to be checked before the first byte.
        transport._pool = httpcore.ConnectionPool(
            uds=str(at.path), network_backend=_Backend(at), keepalive_expiry=KEEP_ALIVE_S
        )
        self._at = at
        self._http = httpx.Client(transport=transport, base_url=_HOST, headers=_headers(read_only))

    def __enter__(self) -> "EngineClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """One call and its answer."""
        asked = http_request(operation, request)
        timeout_s = SLOW_TIMEOUT_S if operation.slow else TIMEOUT_S
        try:
            found = self._http.request(
                asked.method, asked.path, params=asked.query, content=asked.body, timeout=timeout_s
            )
        except httpx.TransportError as error:
            raise _away(self._at, error) from error
        return answer(operation, found.status_code, found.content)

    def watch(self, topics: tuple[str, ...], every_s: float = 1.0) -> Iterator[Frame]:
        """Frames of the topics as they change; EngineAway when the stream ends."""
        try:
            with self._http.stream(
                "GET", "/v1/watch", params=_watched(topics, every_s), timeout=WATCH_TIMEOUT_S
            ) as found:
                if found.status_code >= 400:
                    raise error_of(found.status_code, found.read())
                for line in found.iter_lines():
                    if line:
                        yield decode(line.encode(), Frame)
        except httpx.TransportError as error:
            raise _away(self._at, error) from error
        raise _away(self._at, None)


class AsyncEngineClient:
    """Calls operations of the engine from an event loop; to be closed."""

    def __init__(self, at: Endpoint, *, read_only: bool = False) -> None:
        transport = httpx.AsyncHTTPTransport(uds=str(at.path))
        transport._pool = httpcore.AsyncConnectionPool(
            uds=str(at.path), network_backend=_AsyncBackend(at), keepalive_expiry=KEEP_ALIVE_S
        )
        self._at = at
        self._http = httpx.AsyncClient(transport=transport, base_url=_HOST, headers=_headers(read_only))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """One call and its answer."""
        asked = http_request(operation, request)
        timeout_s = SLOW_TIMEOUT_S if operation.slow else TIMEOUT_S
        try:
            found = await self._http.request(
                asked.method, asked.path, params=asked.query, content=asked.body, timeout=timeout_s
            )
        except httpx.TransportError as error:
            raise _away(self._at, error) from error
        return answer(operation, found.status_code, found.content)

    async def watch(self, topics: tuple[str, ...], every_s: float = 1.0) -> AsyncIterator[Frame]:
        """Frames of the topics as they change; EngineAway when the stream ends."""
        try:
            async with self._http.stream(
                "GET", "/v1/watch", params=_watched(topics, every_s), timeout=WATCH_TIMEOUT_S
            ) as found:
                if found.status_code >= 400:
                    raise error_of(found.status_code, await found.aread())
                async for line in found.aiter_lines():
                    if line:
                        yield decode(line.encode(), Frame)
        except (httpx.TransportError, asyncio.IncompleteReadError) as error:
            raise _away(self._at, error) from error
        raise _away(self._at, None)


def _headers(read_only: bool) -> dict[str, str]:
    return {READ_ONLY_HEADER: "1"} if read_only else {}


def _watched(topics: tuple[str, ...], every_s: float) -> dict[str, str]:
    return {"topics": ",".join(topics), "every_s": f"{every_s:g}"}


def _away(at: Endpoint, error: Exception | None) -> EngineAway:
    what = "no engine answers" if isinstance(error, httpx.ConnectError) else "the engine's answer broke off"
    if isinstance(error, httpx.TimeoutException):
        what = "the engine did not answer in time"
    return EngineAway(
        what, where=str(at.path), cure="Start it: obsync engine start. Why it ended: obsync engine logs"
    )

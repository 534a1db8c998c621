"""Where the engine listens: the unix socket of its home, and TCP for metrics when it is asked for."""

import asyncio
import contextlib
import functools
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from obsync_tui.api.endpoint import Endpoint, check_directory, peer
from obsync_tui.api.errors import NotOurEngine
from obsync_tui.config.paths import private_directory
from obsync_tui.engine.errors import ConfigError, EngineError, StateError

# A client that has not read anything for that long is let go.
READ_TIMEOUT_S = 30.0
# Longer than clients keep an idle connection, so that no call goes to one that is being closed.
KEEP_ALIVE_S = 60


class _PeerProtocol(H11Protocol):
    """Asks the kernel who connected, when the connection is made; lets go of who does not read."""

    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        found = peer(transport.get_extra_info("socket"))
        self.client = (f"{found.uid}:{found.gid}", found.pid)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(READ_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_unread()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget_unread()

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class Listener:
    """Serves an application on the socket at an endpoint; only under the home's lock: it replaces what is there."""

    def __init__(self, application: ASGIApp, at: Endpoint, shared: Callable[[], bool]) -> None:
        self._at = at
        self._shared = shared
        self._config = _config(application, _PeerProtocol)
        self._server = uvicorn.Server(self._config)
        self._listening: asyncio.Server | None = None
        self._identity: tuple[int, int] | None = None

    async def start(self) -> None:
        """Bind and serve; StateError, NotOurEngine when the place cannot be had."""
        make = functools.partial(
            _PeerProtocol, config=self._config, server_state=self._server.server_state, app_state={}
        )
        bound = _bind(self._at, shared=self._shared())
        self._listening = await asyncio.get_running_loop().create_unix_server(make, sock=bound)
        self._identity = _identity(self._at.path)

    async def look(self) -> str:
        """Bind again when the path is not ours any more, or not open to whom it should be; says what was done.

        While it cannot be bound the connections that there are go on, and the next look tries again.
        """
        if self._identity is not None and _identity(self._at.path) == self._identity:
            if stat.S_IMODE(self._at.path.lstat().st_mode) == _mode(self._shared()):
                return ""
        before, self._identity = self._listening, None
        try:
            await self.start()
        except EngineError as error:
            return f"the socket was removed, replaced or has other rights, and cannot be bound again: {error}"
        if before is not None:
            before.close()
        return f"{self._at.path} was removed, replaced or had other rights; bound again"

    def close(self) -> None:
        """Accept nothing more; connections that are open are answered to their end."""
        if self._listening is not None:
            self._listening.close()
        if self._identity is not None and _identity(self._at.path) == self._identity:
            self._at.path.unlink(missing_ok=True)

    async def drain(self, timeout_s: float) -> None:
        """Wait for the answers under way."""
        state: ServerState = self._server.server_state
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while state.connections:
                    await asyncio.sleep(0.02)


async def serve_metrics(listen: str, page: Callable[[], bytes], content_type: str) -> asyncio.Server:
    """Serve `/metrics`, and nothing else, on HOST:PORT; ConfigError when that cannot be listened on."""

    async def show(request: Request) -> Response:
        return Response(page(), media_type=content_type)

    config = _config(Starlette(routes=[Route("/metrics", show, methods=["GET"])]), H11Protocol)
    server = uvicorn.Server(config)
    make = functools.partial(H11Protocol, config=config, server_state=server.server_state, app_state={})
    host, _, port = listen.rpartition(":")
    try:
        return await asyncio.get_running_loop().create_server(
            make, host.strip("[]") or "127.0.0.1", int(port)
        )
    except (OSError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"cannot listen on {listen!r}: {error}",
            where="config.toml, metrics.listen",
            cure="Write HOST:PORT of an address of this machine that is free.",
        ) from error


def _config(application: ASGIApp, protocol: type[H11Protocol]) -> uvicorn.Config:
    config = uvicorn.Config(
        application,
        http=protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    config.load()
    return config


def _bind(at: Endpoint, *, shared: bool) -> socket.socket:
    try:
        if not os.path.lexists(at.path.parent):
            private_directory(at.path.parent)
        check_directory(at.path.parent)
        at.path.parent.chmod(0o711 if shared else 0o700)
        if os.path.lexists(at.path) and not stat.S_ISSOCK(at.path.lstat().st_mode):
            raise NotOurEngine(
                "this is no socket, and is left alone",
                where=str(at.path),
                cure="Remove it, or name another place by OBSYNC_SOCKET.",
            )
        at.path.unlink(missing_ok=True)
        return _listening(at.path, _mode(shared))
    except OSError as error:
        raise StateError(
            f"no socket can be made: {error.strerror or error}",
            where=str(at.path),
            cure="Check that the disk has room, or name another place by OBSYNC_SOCKET.",
        ) from error


def _listening(path: Path, mode: int) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        path.chmod(mode)
        listening.listen(256)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _mode(shared: bool) -> int:
    return 0o666 if shared else 0o600


def _identity(path: Path) -> tuple[int, int] | None:
    """The file that a path names now; None when there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino

"""The engine process: one per home, without a terminal, until it is told to stop."""

import asyncio
import contextlib
import functools
import gc
import importlib
import logging
import os
import pkgutil
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from obsync_tui import __version__
from obsync_tui.api import operations as op
from obsync_tui.api.endpoint import Endpoint, check_directory, endpoint, peer
from obsync_tui.api.requests import Nothing
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths, private_directory
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.config.settings import Settings, read_settings
from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.metrics.meter import rss_bytes
from obsync_tui.engine.server.application import Application, as_handlers
from obsync_tui.engine.server.watch import Watches
from obsync_tui.engine.service import drafts, probes, projects, runs, sources
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.lock import HomeLock
from obsync_tui.engine.supervisor import Supervisor
from obsync_tui.model.views import PROTOCOL, Done, EngineFacts, Hello

# Threads share one interpreter lock: short turns keep the API quick beside busy projects, for a little of their rate.
SWITCH_INTERVAL_S = 0.0005
SOCKET_CHECK_S = 60.0
SETTINGS_AGE_S = 1.0
LOG_BYTES, LOG_FILES = 4 * 1024 * 1024, 4
_LOG = logging.getLogger("obsync.engine")


class _PeerProtocol(H11Protocol):
    """Asks the kernel who connected, when the connection is made."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        found = peer(transport.get_extra_info("socket"))
        self.client = (f"{found.uid}:{found.gid}", found.pid)


class _Server(uvicorn.Server):
    """Leaves signals to the engine."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Engine:
    """Everything of one engine; `run` returns when it was told to stop."""

    def __init__(self, paths: Paths, environment: Mapping[str, str]) -> None:
        self._paths = paths
        self._at = endpoint(paths, environment)
        self._started_s = time.time()
        self._files = ConfigFiles(paths)
        self._settings = Settings()
        self._settings_s = float("-inf")
        self._state = StateFile(paths.state_file)
        secrets = SecretResolver(paths.key_file, environment)
        self.supervisor = Supervisor(self._files, secrets, self._state, self.log)
        self._service = Service(paths, secrets, self.supervisor)
        self._watches = Watches(self._service, self.facts)
        own = (
            Handler(op.HELLO, self._hello),
            Handler(op.ENGINE, self._facts),
            Handler(op.STOP_ENGINE, self._stop),
        )
        handlers = as_handlers(
            own, projects.HANDLERS, runs.HANDLERS, probes.HANDLERS, sources.HANDLERS, drafts.HANDLERS
        )
        self._application = Application(
            self._service, handlers, self.settings, self._watches, lambda: b"", self.log
        )
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def log(self, level: str, text: str) -> None:
        """A line of the engine's log."""
        _LOG.log(logging.getLevelNamesMapping()[level], "%s", text)

    def settings(self) -> Settings:
        """The settings as the file stands; the last good ones while it is wrong."""
        if time.monotonic() - self._settings_s > SETTINGS_AGE_S:
            self._settings_s = time.monotonic()
            try:
                self._settings = read_settings(self._paths.settings_file)
            except EngineError as error:
                self.log("ERROR", f"settings stay as they were: {error}")
        return self._settings

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to stop, then stop every project at its checkpoint."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stopping.set)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        config = uvicorn.Config(
            self._application.asgi,
            http=_PeerProtocol,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            limit_concurrency=None,
        )
        config.load()
        server = _Server(config)
        listener, identity = await self._listen(config, server)
        self.supervisor.start()
        ready()
        self.log("INFO", f"obsync {__version__} serves {self._at.path}, process {os.getpid()}")
        ticking = asyncio.create_task(server.main_loop())
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SOCKET_CHECK_S)
            if not self._stopping.is_set() and _identity(self._at.path) != identity:
                self.log("WARNING", f"{self._at.path} was removed or replaced; bound again")
                listener.close()
                listener, identity = await self._listen(config, server)
        self.log("INFO", "stopping at checkpoints")
        self._watches.end()
        await asyncio.to_thread(self.supervisor.stop)
        server.should_exit = True
        await ticking
        if _identity(self._at.path) == identity:
            self._at.path.unlink()
        listener.close()
        self._state.close()
        self.log("INFO", "stopped")

    async def _listen(
        self, config: uvicorn.Config, server: uvicorn.Server
    ) -> tuple[asyncio.Server, tuple[int, int] | None]:
        """What serves the socket, and the identity of the file that it is bound to."""
        shared = self.settings().shared
        listening = bind(self._at, shared=shared)
        make = functools.partial(_PeerProtocol, config=config, server_state=server.server_state, app_state={})
        assert self._loop is not None
        return await self._loop.create_unix_server(make, sock=listening), _identity(self._at.path)

    def facts(self) -> EngineFacts:
        """The engine's load at this moment."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = used.ru_utime + used.ru_stime
        entries = self.supervisor.index.entries()
        running = len(self.supervisor.statuses())
        return EngineFacts(
            version=__version__,
            pid=os.getpid(),
            started_s=self._started_s,
            at_s=time.time(),
            cpu_share=cpu_s / max(1.0, time.time() - self._started_s),
            rss_bytes=rss_bytes(),
            threads=threading.active_count(),
            descriptors=len(os.listdir("/proc/self/fd")),
            clients=self._watches.clients,
            projects=len(entries),
            running=running,
            state_bytes=_size(self._paths.state_file),
            logs_bytes=sum(_size(path) for path in self._paths.logs.rglob("*") if path.is_file()),
            home=str(self._paths.state),
            socket=str(self._at.path),
            threads_abandoned=self.supervisor.abandoned,
        )

    def _hello(self, service: Service, request: Nothing, caller: Caller) -> Hello:
        return Hello(
            str(self._paths.state), __version__, PROTOCOL, os.getpid(), self._started_s, str(caller.access)
        )

    def _facts(self, service: Service, request: Nothing, caller: Caller) -> EngineFacts:
        return self.facts()

    def _stop(self, service: Service, request: Nothing, caller: Caller) -> Done:
        self.log("INFO", f"asked to stop by {caller.who}")
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        return Done(("the engine stops; projects go on from their checkpoints when it runs again",))


def bind(at: Endpoint, *, shared: bool) -> socket.socket:
    """A listening socket at the path, in a directory of ours; only under the home's lock: it replaces what is there."""
    private_directory(at.path.parent)
    check_directory(at.path.parent)
    at.path.parent.chmod(0o711 if shared else 0o700)
    with contextlib.suppress(FileNotFoundError):
        at.path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(at.path))
    at.path.chmod(0o666 if shared else 0o600)
    listening.listen(256)
    return listening


def _identity(path: Path) -> tuple[int, int] | None:
    """The file that a path names now; None when there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def import_everything() -> None:
    """Load every module now: a package that is replaced under a running engine must not mix versions."""
    import obsync_tui

    skipped = (
        "obsync_tui.demo",
        "obsync_tui.screens",
        "obsync_tui.widgets",
        "obsync_tui.app",
        "obsync_tui.__main__",
    )
    for found in pkgutil.walk_packages(obsync_tui.__path__, "obsync_tui."):
        if not found.name.startswith(skipped) and "native" not in found.name:
            importlib.import_module(found.name)


def log_to_file(directory: Path) -> None:
    """Write the log of the process to rotating files of mode 0600."""
    private_directory(directory)
    handler = RotatingFileHandler(directory / "engine.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES - 1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("obsync").setLevel(logging.INFO)


def run_engine(
    paths: Paths, environment: Mapping[str, str], ready: Callable[[], None] = lambda: None
) -> None:
    """Run the engine of a home in this process until it is told to stop; ProjectOwned when one runs already."""
    os.umask(0o077)
    # Let go of by the end of the process only: the next engine must not meet runs of this one.
    HomeLock(paths.state, alone=True).__enter__()
    log_to_file(paths.logs / "engine")
    import_everything()
    gc.freeze()
    gc.set_threshold(50_000)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    engine = Engine(paths, environment)
    asyncio.run(engine.run(ready))

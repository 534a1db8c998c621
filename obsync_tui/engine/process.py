"""The engine process: one per home, without a terminal, until it is told to stop."""

import asyncio
import contextlib
import ctypes
import importlib
import logging
import os
import pkgutil
import resource
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from obsync_tui import __version__
from obsync_tui.api import operations as op
from obsync_tui.api.endpoint import endpoint
from obsync_tui.api.requests import Nothing
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.config.settings import Settings, read_settings
from obsync_tui.engine.errors import EngineError, ProjectOwned
from obsync_tui.engine.garbage import keep_loaded
from obsync_tui.engine.history import prometheus
from obsync_tui.engine.history.loghandler import LogHandler
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.metrics.meter import rss_bytes
from obsync_tui.engine.native.backend import backend
from obsync_tui.engine.notify import Notifier
from obsync_tui.engine.server.application import Application, as_handlers
from obsync_tui.engine.server.listener import Listener, serve_metrics
from obsync_tui.engine.server.watch import Watches
from obsync_tui.engine.service import components, drafts, objectchanges, past, probes, projects, runs, sources
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.lock import HomeLock
from obsync_tui.engine.supervisor import Supervisor
from obsync_tui.engine.threads import SWITCH_INTERVAL_S
from obsync_tui.model.history import Component, Level
from obsync_tui.model.views import PROTOCOL, Done, EngineFacts, Hello

SOCKET_CHECK_S = 60.0
SETTINGS_AGE_S = 1.0
# malloc.h
_M_ARENA_MAX = -8
ARENAS = 4
DRAIN_S = 2.0
LOCK_WAIT_S = 1.0
# What our libraries import only when they need it.
LOADED_LATE = ("anyio._backends._asyncio", "anyio.lowlevel", "cryptography.fernet", "encodings.idna")


class Engine:
    """Everything of one engine; `run` returns when it was told to stop."""

    def __init__(self, paths: Paths, environment: Mapping[str, str], logs: ComponentLogs) -> None:
        self._paths = paths
        self._logs = logs
        self._at = endpoint(paths, environment)
        self._started_s, self._began_s = time.time(), time.monotonic()
        self._files = ConfigFiles(paths)
        self._settings = Settings()
        self._settings_version: tuple[int, ...] | None = None
        self._settings_s = float("-inf")
        self._state = StateFile(paths.state_file)
        secrets = SecretResolver(paths.key_file, environment)
        self.supervisor = Supervisor(self._files, secrets, self._state, logs)
        self._service = Service(paths, secrets, self.supervisor)
        self._watches = Watches(self._service, self.facts)
        own = (
            Handler(op.HELLO, self._hello),
            Handler(op.ENGINE, self._facts),
            Handler(op.STOP_ENGINE, self._stop),
        )
        rooms = (projects, runs, components, objectchanges, past, probes, sources, drafts)
        handlers = as_handlers(own, *(room.HANDLERS for room in rooms))
        assert len(handlers) == len(op.OPERATIONS), "each operation is done by somebody"
        self._application = Application(
            self._service, handlers, self.settings, self._watches, self.metrics, self.log
        )
        self._stopping = asyncio.Event()
        self._awake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def log(self, level: Level, text: str) -> None:
        """A line of the engine's log."""
        self._logs.write("", Component.ENGINE, level, text)

    def settings(self) -> Settings:
        """The settings as the file stands; the last good ones while it is wrong."""
        if time.monotonic() - self._settings_s > SETTINGS_AGE_S:
            self._settings_s = time.monotonic()
            if (version := _version(self._paths.settings_file)) == self._settings_version:
                return self._settings
            self._settings_version = version
            try:
                self._settings = read_settings(self._paths.settings_file)
            except EngineError as error:
                self.log(Level.ERROR, f"settings stay as they were: {error}")
        return self._settings

    async def run(self, notifier: Notifier) -> None:
        """Serve until told to stop, then stop every project at its checkpoint."""
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._end)
        self._loop.add_signal_handler(signal.SIGUSR1, self._awake.set)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        listener = Listener(self._application.asgi, self._at, lambda: self.settings().shared)
        await listener.start()
        metrics = await self._serve_metrics()
        self.supervisor.start()
        notifier.ready(f"serves {self._at.path}")
        self.log(Level.INFO, f"obsync {__version__} serves {self._at.path}, process {os.getpid()}")
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SOCKET_CHECK_S):
                    await self._awake.wait()
            self._awake.clear()
            if not self._stopping.is_set() and (done := await listener.look()):
                self.log(Level.WARNING, done)
        self.log(Level.INFO, "stopping at checkpoints")
        notifier.stopping("projects stop at their checkpoints")
        listener.close()
        if metrics is not None:
            metrics.close()
        self._watches.end()
        await asyncio.to_thread(self.supervisor.stop)
        await listener.drain(DRAIN_S)
        self._state.close()
        self.log(Level.INFO, "stopped")
        self._logs.close()

    async def _serve_metrics(self) -> asyncio.Server | None:
        """TCP for metrics alone; what is wrong with it stops nothing else."""
        if not (listen := self.settings().metrics.listen):
            return None
        try:
            return await serve_metrics(listen, self.metrics, prometheus.CONTENT_TYPE)
        except EngineError as error:
            self.log(Level.ERROR, str(error))
            return None

    def metrics(self) -> bytes:
        """The page of metrics: the engine's, and those of every project that runs."""
        now = self.facts()
        states = Counter(str(life.state) for life in self.supervisor.lives().values())
        facts = prometheus.EngineFacts(
            version=now.version,
            row_plans=str(backend()),
            started_s=now.started_s,
            rss_bytes=now.rss_bytes,
            cpu_s=_cpu_s(),
            threads=now.threads,
            open_files=now.descriptors,
            states=tuple(prometheus.StateCount(state, count) for state, count in sorted(states.items())),
            log_lines_dropped=self._logs.dropped_lines,
            abandoned_threads=now.threads_abandoned,
        )
        return prometheus.render(facts, self.supervisor.statuses())

    def _end(self) -> None:
        self._stopping.set()
        self._awake.set()

    def facts(self) -> EngineFacts:
        """The engine's load at this moment."""
        return EngineFacts(
            version=__version__,
            pid=os.getpid(),
            started_s=self._started_s,
            at_s=time.time(),
            cpu_share=_cpu_s() / max(1.0, time.monotonic() - self._began_s),
            rss_bytes=rss_bytes(),
            threads=threading.active_count(),
            descriptors=len(os.listdir("/proc/self/fd")),
            clients=self._watches.clients,
            projects=len(self.supervisor.index.entries()),
            running=self.supervisor.running,
            state_bytes=_size(self._paths.state_file),
            logs_bytes=self.supervisor.logs_bytes,
            home=str(self._paths.state),
            socket=str(self._at.path),
            threads_abandoned=len(self.supervisor.threads.abandoned),
        )

    def _hello(self, service: Service, request: Nothing, caller: Caller) -> Hello:
        return Hello(
            str(self._paths.state), __version__, PROTOCOL, os.getpid(), self._started_s, str(caller.access)
        )

    def _facts(self, service: Service, request: Nothing, caller: Caller) -> EngineFacts:
        return self.facts()

    def _stop(self, service: Service, request: Nothing, caller: Caller) -> Done:
        self.log(Level.INFO, f"asked to stop by {caller.who}")
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._end)
        return Done(("the engine stops; projects go on from their checkpoints when it runs again",))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _version(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def import_everything() -> None:
    """Load every module now: a package that is replaced under a running engine must not mix versions."""
    import obsync_tui

    skipped = (
        "obsync_tui.cli",
        "obsync_tui.demo",
        "obsync_tui.screens",
        "obsync_tui.widgets",
        "obsync_tui.terminal",
        "obsync_tui.app",
        "obsync_tui.__main__",
    )
    for found in pkgutil.walk_packages(obsync_tui.__path__, "obsync_tui."):
        if not found.name.startswith(skipped) and "native" not in found.name:
            importlib.import_module(found.name)
    for name in LOADED_LATE:
        importlib.import_module(name)


def _hold_home(home: Path) -> None:
    """Lock the home until the process ends: the next engine must not meet runs of this one.

    Commands hold it for a moment while they write; they are waited for, ProjectOwned names who stays.
    """
    deadline_s = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            HomeLock(home, alone=True).__enter__()
            return
        except ProjectOwned:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


def _few_arenas() -> None:
    """Have glibc's malloc share few arenas: threads come and go, and each arena keeps what was freed in it."""
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
    except (OSError, AttributeError):  # another C library
        return


def run_engine(paths: Paths, environment: Mapping[str, str]) -> None:
    """Run the engine of a home in this process until it is told to stop; ProjectOwned when one runs already."""
    os.umask(0o077)
    _hold_home(paths.state)
    logs = ComponentLogs(paths.logs)
    logging.getLogger().addHandler(LogHandler(logs))
    import_everything()
    keep_loaded()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    _few_arenas()
    # Projects hold descriptors by the dozen; the soft limit is for programs that still use select.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        engine = Engine(paths, environment, logs)
        asyncio.run(engine.run(Notifier.of(environment)))
    except EngineError as error:
        logs.write("", Component.ENGINE, Level.ERROR, str(error))
        logs.close()
        raise

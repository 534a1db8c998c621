"""OceanBase's engine as a process of its own: the whole of it in one library, which serves the MySQL protocol."""

import importlib.util
import platform
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from obsync_tui.engine.errors import ConfigError, SourceUnreachable

WATCHDOG = Path(__file__).parent / "watchdog.py"
# Below Linux's range of ephemeral ports: no outgoing connection takes the port before the engine does.
_PORTS = range(12000, 32000)
_START_S = 60.0
_STOP_S = 10.0
_WHERE = "demo"
# The engine keeps its files, and looks for certificates, in its working directory.
_PROGRAM = """
import os, sys, threading, pylibseekdb
os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
pylibseekdb.open_with_service(sys.argv[1], int(sys.argv[2]))
threading.Event().wait()
"""


def require_engine() -> None:
    """Raise ConfigError where the engine is not installed or cannot be."""
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise ConfigError(
            f"OceanBase's embedded engine exists for Linux on x86-64 only, and this is {system} on {machine}",
            where=_WHERE,
            cure="Everything else of obsync works here.",
        )
    if importlib.util.find_spec("pylibseekdb") is None:
        raise ConfigError(
            "OceanBase's embedded engine is not installed",
            where=_WHERE,
            cure="Run: pip install 'obsync[demo]'",
        )


def engine_command(data: Path, port: int) -> list[str]:
    """The command line of an engine that keeps its data in a directory and listens on a port of every address."""
    return [sys.executable, "-c", _PROGRAM, str(data), str(port)]


def _free_port() -> int:
    for port in random.SystemRandom().sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SourceUnreachable("no free port on 127.0.0.1", where=_WHERE)


class EmbeddedOceanBase:
    """An engine with data in a temporary directory, user root without password.

    `close` ends it and removes the directory; a watchdog does the same when this process is gone without a word.
    """

    def __init__(self) -> None:
        self.port = _free_port()
        self.directory = Path()
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; ConfigError where it is not installed or cannot be."""
        require_engine()
        self.directory = Path(tempfile.mkdtemp(prefix="obsync-demo-"))
        command = engine_command(self.directory / "data", self.port)
        with open(self.directory / "log", "wb") as log:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCHDOG), str(self.directory), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                # Ctrl-C is for the demo, which then ends its servers in order.
                start_new_session=True,
            )

    def wait(self, check: Callable[[], None]) -> None:
        """Return when it answers; SourceUnreachable, with the end of its log, when it does not.

        `check` is called meanwhile and ends the wait by an exception.
        """
        deadline_s = time.monotonic() + _START_S
        while True:
            check()
            try:
                self.connect().close()
                return
            except pymysql.err.OperationalError:
                ended = self._watchdog is None or self._watchdog.poll() is not None
                if ended or time.monotonic() > deadline_s:
                    what = "ended while starting" if ended else f"does not answer after {_START_S:.0f} s"
                    raise SourceUnreachable(f"the engine {what}: {self._log_end()}", where=_WHERE) from None
            time.sleep(0.05)

    def _log_end(self) -> str:
        files = [self.directory / name for name in ("log", "data/log/seekdb.log")]
        texts = [file.read_text(errors="replace")[-800:] for file in files if file.exists()]
        return " ".join(texts) or "(no log)"

    def connect(self) -> "Connection[Cursor]":
        """A connection of root in autocommit mode."""
        connection = pymysql.connect(host="127.0.0.1", port=self.port, user="root", charset="utf8mb4")
        # The greeting does not tell that autocommit is on, so PyMySQL's own switch would not be sent.
        with connection.cursor() as cursor:
            cursor.execute("SET autocommit = 1")
        return connection

    def close(self) -> None:
        """End the engine and remove its data."""
        if self._watchdog is not None:
            assert self._watchdog.stdin is not None
            self._watchdog.stdin.close()
            try:
                self._watchdog.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                # The engine ends with its watchdog.
                self._watchdog.kill()
                self._watchdog.wait()
        if self.directory != Path():
            shutil.rmtree(self.directory, ignore_errors=True)

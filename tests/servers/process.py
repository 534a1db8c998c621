"""A server as a process of its own: started, killed, restarted, frozen, and never left behind."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from obsync_tui.demo.oceanbase import WATCHDOG

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
# Below Linux's range of ephemeral ports: no outgoing connection takes a server's port while the server is down.
SERVER_PORTS = range(12000, 32000)


class ServerFailed(RuntimeError):
    """A server did not start or did not stop; the text holds the end of its log."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    for _ in range(1000):
        port = random.SystemRandom().choice(SERVER_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailed(f"no free port in {SERVER_PORTS.start}-{SERVER_PORTS.stop} on 127.0.0.1")


class Server(ABC):
    """One server with a data directory under /tmp and fixed ports; restart keeps both.

    Used as a context manager it is started on entry and removed on exit. The process is gone too when this one is killed.
    """

    kind: str

    def __init__(self) -> None:
        # /tmp and not TMPDIR: the path of a Unix socket must stay under 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix=f"obs-{self.kind}-", dir="/tmp"))
        self.log = self.directory / "log"
        self._watchdog: subprocess.Popen[str] | None = None
        self._pid = 0
        self._prepared = False

    @abstractmethod
    def _prepare(self) -> None:
        """Make the data directory; called once."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The server's command line."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether the server answers its clients."""

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if not self.running:
            raise ServerFailed(f"{self.kind} is not running")
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the server process exists (a paused one does)."""
        return self._watchdog is not None and self._watchdog.poll() is None

    def start(self) -> Self:
        """Start the server and return when it answers; raises ServerFailed with the end of its log."""
        if self.running:
            return self
        if not self._prepared:
            self._prepare()
            self._prepared = True
        with open(self.log, "ab") as log:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(WATCHDOG), str(self.directory), *self._command()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the owner, which then stops its servers in order
            )
        assert self._watchdog.stdout is not None
        line = self._watchdog.stdout.readline()
        if not line:
            raise ServerFailed(f"{self.kind} could not be run: {self._log_end()}")
        self._pid = int(line)
        self._wait_ready()
        return self

    def _wait_ready(self) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not self._ready():
            if not self.running:
                raise ServerFailed(f"{self.kind} ended while starting: {self._log_end()}")
            if time.monotonic() > deadline_s:
                self.kill()
                raise ServerFailed(
                    f"{self.kind} does not answer after {START_TIMEOUT_S:.0f} s: {self._log_end()}"
                )
            time.sleep(0.05)

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else "(no log)"

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _wait_end(self, timeout_s: float) -> None:
        assert self._watchdog is not None
        self._watchdog.wait(timeout_s)
        for pipe in (self._watchdog.stdin, self._watchdog.stdout):
            assert pipe is not None
            pipe.close()
        self._watchdog = None

    def stop(self) -> None:
        """Shut the server down in order (SIGTERM); raises ServerFailed when it does not end."""
        if not self.running:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        try:
            self._wait_end(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(
                f"{self.kind} did not stop within {STOP_TIMEOUT_S:.0f} s: {self._log_end()}"
            ) from None

    def kill(self) -> None:
        """End the server at once (SIGKILL); its data directory stays."""
        if self.running:
            self._signal(signal.SIGKILL)
            self._wait_end(STOP_TIMEOUT_S)

    def restart(self) -> Self:
        """Stop the server if it runs, and start it on the same data and ports."""
        self.stop()
        return self.start()

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): its connections stay open and silent."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End the server and remove its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

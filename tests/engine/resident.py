"""The engine as a process of its own, in a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from obsync_tui.api.client import EngineClient
from obsync_tui.api.endpoint import endpoint
from obsync_tui.api.errors import EngineAway
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.api.operations import HELLO
from obsync_tui.api.requests import Nothing
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.project import Objects, Project, new_project_id
from obsync_tui.model.secret import SecretReference
from obsync_tui.model.views import Hello

# Far above what a start takes on a quiet machine.
PATIENCE_S = 90.0
_RUN = "from obsync_tui.cli import main; raise SystemExit(main(['engine', 'run']))"


class ResidentEngine:
    """A home, and the engine that is started in it; `close` ends it whatever happened.

    `before` is Python that the engine's process runs first.
    """

    def __init__(self, home: Path, environment: dict[str, str] | None = None, before: str = "") -> None:
        self.home = home
        home.mkdir(mode=0o700, exist_ok=True)
        self.environment = {**os.environ, "OBSYNC_HOME": str(home), **(environment or {})}
        self.paths = Paths.of(self.environment)
        self.files = ConfigFiles(self.paths)
        self.at = endpoint(self.paths, self.environment)
        self.output = home / "output.log"
        self._before = before
        self._clients: list[EngineClient] = []
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process and wait for nothing."""
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"{self._before}\n{_RUN}"],
                env=self.environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        return self.process

    def start(self) -> Hello:
        """Start the process and wait until it answers."""
        process = self.spawn()
        return self.answers(process.pid)

    def answers(self, pid: int | None = None) -> Hello:
        """Wait until the engine (of that process) answers."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            try:
                with EngineClient(self.at) as client:
                    found = client.call(HELLO, Nothing())
                if pid is None or found.pid == pid:
                    return found
            except EngineAway:
                pass
            if self.process is not None and pid == self.process.pid:
                assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.said}"
            time.sleep(0.05)
        raise AssertionError(f"no engine answers: {self.said}")

    @property
    def said(self) -> str:
        """What it wrote to its output and its log."""
        return "\n".join(
            path.read_text(errors="replace")
            for path in (self.output, *(self.paths.logs / "engine").glob("*"))
            if path.exists()
        )

    def client(self, *, read_only: bool = False) -> EngineClient:
        """A client of its own."""
        made = EngineClient(self.at, read_only=read_only)
        self._clients.append(made)
        return made

    def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """One call by the engine's own user."""
        with EngineClient(self.at) as client:
            return client.call(operation, request)

    def command(self, *arguments: str, code: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
        """A command in this home, to its end; asserts its exit code, and one sentence where it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "obsync_tui", *arguments],
            env=self.environment,
            cwd="/",
            input=given,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def fails(self, code: int, *said: str) -> str:
        """Start an engine that ends by itself; asserts the code and the words of its only line, and answers it."""
        process = self.spawn()
        process.wait(PATIENCE_S)
        output = self.output.read_text()
        assert process.returncode == code, f"{process.returncode}: {output}"
        assert "Traceback" not in output
        lines = output.strip().splitlines()
        assert len(lines) == 1 and lines[0].startswith("obsync: "), output
        for words in said:
            assert words in lines[0], output
        return lines[0]

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM; asserts that it ended well."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        assert self.process.returncode == 0, f"{self.process.returncode}: {self.said}"

    def look(self) -> None:
        """Let it look after its socket now."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)

    def close(self) -> None:
        """End what still runs, an engine that a command started too."""
        for client in self._clients:
            client.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.at.path.unlink(missing_ok=True)  # it may be outside of the home

    def pids(self) -> list[int]:
        """Processes of obsync in this home."""
        mark = f"OBSYNC_HOME={self.home}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    ours = b"obsync_tui" in (entry / "cmdline").read_bytes()
                    if ours and mark in (entry / "environ").read_bytes() + b"\0":
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def sources(self, mysql_port: int = 1, bootstrap: str = "127.0.0.1:1", password: str = "") -> None:
        """Write the data sources `shop` and `events`; by default nothing listens there."""
        self.files.write_source(
            MySQLSource("shop", "127.0.0.1", "root", mysql_port, SecretReference(password))
        )
        self.files.write_source(KafkaSource("events", bootstrap))

    def project(self, name: str, **changes: object) -> Project:
        """Write a project from `shop` to `events`."""
        made = Project(new_project_id(), name, "shop", "events", Objects(("shop.*",)))
        made = msgspec.structs.replace(made, **changes)
        self.files.write_project(made)
        return made


def until(reached: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until the function answers something true."""
    deadline_s = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < deadline_s, f"did not come about: {what}"
        time.sleep(0.02)

"""The resident engine of a home of its own: `obsync engine run` in a process, its files, its API, what it costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.workload import DATABASE
from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.endpoint import endpoint
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.api.requests import ListProjects, Named, Start
from obsync_tui.api.starting import hello
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.project import Message, Objects, Project, Step, new_project_id
from obsync_tui.model.views import ProjectSummary
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 300.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """CPU seconds so far, resident memory in bytes, threads and descriptors of a process."""

    cpu_s: float
    rss_bytes: int
    threads: int
    descriptors: int


class Resident:
    """A home with sources `shop` and `events`, and its engine while it is started; a context manager that removes both."""

    def __init__(self, mysql: MySQLServer, kafka: KafkaBroker) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="obs-", dir="/tmp"))
        self.environment = {**os.environ, "OBSYNC_HOME": str(self.home), "PYTHONPATH": str(ROOT)}
        self.paths = Paths.of(self.environment)
        self.at = endpoint(self.paths, self.environment)
        self.files = ConfigFiles(self.paths)
        self.files.write_source(MySQLSource("shop", "127.0.0.1", "root", mysql.port))
        self.files.write_source(KafkaSource("events", kafka.bootstrap))
        self.client = EngineClient(self.at)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Resident:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> float:
        """Start the engine; seconds until it answers."""
        began_s = time.monotonic()
        with (self.home / "engine.out").open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "obsync_tui", "engine", "run"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        while hello(self.at) is None:
            if self._process.poll() is not None or time.monotonic() - began_s > TIMEOUT_S:
                raise RuntimeError(
                    f"the engine did not start: {(self.home / 'engine.out').read_text()[-3000:]}"
                )
            time.sleep(0.02)
        return time.monotonic() - began_s

    def stop(self) -> float:
        """Stop the engine at checkpoints; seconds until its process has ended."""
        assert self._process is not None
        began_s = time.monotonic()
        self._process.terminate()
        self._process.wait(TIMEOUT_S)
        self.reconnect()
        return time.monotonic() - began_s

    def reconnect(self) -> None:
        """Give up this home's connections, of which it keeps as many as it had calls at once."""
        self.client.close()
        self.client = EngineClient(self.at)

    def cost(self) -> Cost:
        """What the process has used and holds (proc(5))."""
        assert self._process is not None
        proc = Path(f"/proc/{self._process.pid}")
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        rss_bytes = int((proc / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        descriptors = len(os.listdir(proc / "fd"))
        return Cost((int(fields[11]) + int(fields[12])) / _TICKS, rss_bytes, int(fields[17]), descriptors)

    def project(self, name: str, table: str) -> Project:
        """Write a project that follows one table into a topic of its own."""
        made = self.made(name, table)
        self.files.write_project(made)
        return made

    def made(self, name: str, table: str) -> Project:
        """Such a project, not written."""
        return Project(
            new_project_id(),
            name,
            "shop",
            "events",
            Objects((f"{DATABASE}.{table}",)),
            steps=(Step.INCREMENTAL,),
            message=Message(topic=f"{name}_${{table}}"),
        )

    def call(self, operation: Operation[Request, Response], request: Request) -> Response:
        """One call over this home's own connection."""
        return self.client.call(operation, request)

    def command(self, *arguments: str) -> float:
        """Seconds that a command takes from its start to its end."""
        began_s = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "obsync_tui", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.monotonic() - began_s

    def begin(self, *names: str) -> None:
        """Start projects."""
        for name in names:
            self.call(op.START, Start(name))

    def go_on(self, *names: str) -> None:
        """Resume projects."""
        for name in names:
            self.call(op.RESUME, Start(name))

    def pause(self, *names: str) -> None:
        """Pause projects, and wait until none of them settles any more."""
        for name in names:
            self.call(op.PAUSE, Named(name))
        self._until(names, lambda one: not one.settling)

    def until_streaming(self, *names: str) -> None:
        """Wait until projects stream."""
        self._until(names, lambda one: one.phase is Phase.INCREMENTAL and one.running)

    def _until(self, names: Iterable[str], reached: Callable[[ProjectSummary], bool]) -> None:
        wanted, deadline_s = frozenset(names), time.monotonic() + TIMEOUT_S
        while True:
            late = [
                one
                for one in self.call(op.PROJECTS, ListProjects())
                if one.name in wanted and not reached(one)
            ]
            if not late:
                return
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"not in time: {late[0]}")
            time.sleep(0.1)

    def status(self, name: str) -> Status:
        """A project's figures of this moment."""
        found = self.call(op.STATUS, Named(name)).status
        assert found is not None
        return found

"""obsync as a person runs it: the command in a home of its own, its processes, and what they wrote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.datasource import KafkaSource, SqlSource
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import Full, Objects, Project, Store, new_project_id

PROJECT = "orders"
PASSWORD = "open-sesame"


class Installation:
    """A home with sources `shop` and `events` and a project `orders`; `close` ends what still runs."""

    def __init__(self, home: Path, source: SqlSource, bootstrap: str, project_id: str) -> None:
        self.home = home
        self.environment = {**os.environ, "OBSYNC_HOME": str(home), "SHOP_PASSWORD": PASSWORD}
        self.paths = Paths.of(self.environment)
        self.files = ConfigFiles(self.paths)
        self.project_id = project_id or new_project_id()
        self.files.write_source(source)
        self.files.write_source(KafkaSource("events", bootstrap))
        self._processes: list[subprocess.Popen[bytes]] = []

    def project(self, include: str, **changes: object) -> Project:
        """Write the project's file; the journal of a workload is left out."""
        project = Project(
            self.project_id,
            PROJECT,
            "shop",
            "events",
            Objects((include,), exclude=("*.journal",)),
            full=Full(range_rows=500),
            store=Store(heartbeat_s=0.5, silence_s=3),
        )
        project = msgspec.structs.replace(project, **changes)
        self.files.write_project(project)
        return project

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; its output, standard error last."""
        done = subprocess.run(
            [sys.executable, "-m", "obsync_tui", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *options: str) -> Run:
        """Start `obsync project run`."""
        number = len(self._processes)
        out = self.home / f"run-{number}.log"
        with out.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "obsync_tui", "project", "run", PROJECT, *options],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._processes.append(process)
        return Run(self, process, out)

    def fails(self, code: int, *said: str) -> str:
        """Run until it ends by itself; asserts the exit code and what the last line says, and answers the line."""
        return self.start().ends(code, *said)

    def status(self) -> Status | None:
        """The newest status that a run wrote."""
        if not self.paths.state_file.exists():
            return None
        with StateFile(self.paths.state_file) as state:
            return state.status(self.project_id)

    def events(self) -> list[str]:
        """The texts of the project's events."""
        with StateFile(self.paths.state_file) as state:
            return [event.text for event in state.events(self.project_id)]

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._processes:
            process.kill()
            process.wait()


class Run:
    """One process of `obsync project run`."""

    def __init__(self, installation: Installation, process: subprocess.Popen[bytes], out: Path) -> None:
        self._installation = installation
        self.process = process
        self._out = out

    @property
    def output(self) -> str:
        """What it has written to the terminal."""
        return self._out.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def until(self, reached: Callable[[Status], bool]) -> Status:
        """Wait for a status of this process; AssertionError when it ends before."""
        while True:
            assert self.running, f"ended with {self.process.returncode}: {self.output}"
            status = self._installation.status()
            if status is not None and status.pid == self.process.pid and reached(status):
                return status
            time.sleep(0.05)

    def until_phase(self, phase: Phase) -> Status:
        """Wait for a phase."""
        return self.until(lambda status: status.phase is phase)

    def until_delivered(self, executed: str) -> Status:
        """Wait until everything of a GTID set is committed."""
        wanted = GtidSet.parse(executed)
        return self.until(
            lambda status: (
                status.phase is Phase.INCREMENTAL and wanted.issubset(GtidSet.parse(status.position))
            )
        )

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and assert that it ended at a checkpoint."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        assert self.process.returncode == 0, f"{self.process.returncode}: {self.output}"

    def ends(self, code: int, *said: str) -> str:
        """Wait for the end; asserts code and words of the last line, which is one sentence, never a traceback."""
        self.process.wait()
        output = self.output
        assert self.process.returncode == code, f"{self.process.returncode}: {output}"
        assert "Traceback" not in output
        line = output.rstrip().splitlines()[-1]
        assert line.startswith("obsync: "), output
        for words in said:
            assert words in line, line
        return line

"""obsync as a user runs it: its command in processes of its own, with a home that is removed afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.measure import Run
from benchmarks.probe import Stopwatch
from benchmarks.workload import DATABASE, TABLE
from obsync_tui.model.metrics import Phase
from obsync_tui.model.views import Report
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer
from tests.servers.oceanbase import OceanBaseServer

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 900.0
_MYSQL = ("--kind", "mysql", "--user", "root")
_OCEANBASE = ("--kind", "oceanbase", "--user", "root@sys", "--log", "view-log", "--accept-view-log-costs")
START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 40.0


class Product:
    """Creates and runs projects from a MySQL or OceanBase's engine to a Kafka; used as a context manager, it ends what it started."""

    def __init__(self, source: MySQLServer | OceanBaseServer, kafka: KafkaBroker) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="obs-home-", dir="/tmp"))
        self._environment = {**os.environ, "OBSYNC_HOME": str(self._home), "PYTHONPATH": str(ROOT)}
        self._processes: list[subprocess.Popen[str]] = []
        kind = _OCEANBASE if isinstance(source, OceanBaseServer) else _MYSQL
        self._command("source", "add", "shop", "--host", "127.0.0.1", "--port", str(source.port), *kind)
        self._command("source", "add", "events", "--kind", "kafka", "--endpoint", kafka.bootstrap)

    def __enter__(self) -> Product:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
        shutil.rmtree(self._home, ignore_errors=True)

    def create(
        self,
        name: str,
        steps: str,
        topic: str = "${table}",
        objects: str = f"{DATABASE}.{TABLE}*",
        partitions: int = 3,
    ) -> None:
        """Write a project's file; everything else is the defaults."""
        options = ["--from", "shop", "--to", "events", "--objects", objects, "--topic", topic]
        self._command("project", "create", name, *options, "--steps", steps, "--partitions", str(partitions))

    def append(self, name: str, text: str) -> None:
        """Add lines to a project's file."""
        path = self._home / "config" / "projects" / f"{name}.toml"
        path.write_text(f"{path.read_text()}\n{text}")

    def prepare(self, name: str) -> float:
        """Commit the stream's start at the source's position of now; seconds from the process' start to that."""
        began_s, watch = time.monotonic(), self._probed(name, 0)
        return watch.position_s - began_s

    def run(self, name: str, rows: int) -> Run:
        """Run the project until the rows are committed."""
        began_s = time.monotonic()
        watch = self._probed(name, rows)
        if watch.rows != rows:
            raise RuntimeError(f"obsync committed {watch.rows} rows, {rows} were expected")
        return Run(
            rows,
            watch.last_commit_s - watch.first_read_s,
            watch.last_commit_cpu_s - watch.first_read_cpu_s,
            watch.last_commit_s - began_s,
            watch.last_commit_cpu_s,
            (rows - watch.half_rows) / max(watch.last_commit_s - watch.half_s, 1e-9),
        )

    def start(self, name: str, probe: tuple[Path, int] | None = None) -> subprocess.Popen[str]:
        """Start the project and return when it streams; `probe` is where the stopwatch goes and at how many rows."""
        process = self._popen(name, probe)
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while self.status(name) is not Phase.INCREMENTAL:
            if process.poll() is not None or time.monotonic() > deadline_s:
                self.stop(process)
                raise RuntimeError(f"project {name} does not stream")
            time.sleep(0.5)
        return process

    def finish(self, process: subprocess.Popen[str], timeout_s: float = TIMEOUT_S) -> None:
        """Wait for a process that ends by itself."""
        self._wait(process, timeout_s)

    def stop(self, process: subprocess.Popen[str]) -> None:
        """Stop a running project at its checkpoint."""
        process.terminate()
        self._wait(process, STOP_TIMEOUT_S)

    def status(self, name: str) -> Phase | None:
        """What the project's run was doing when it last said so."""
        output = self._command("project", "status", name, "--json")
        status = msgspec.json.decode(output, type=Report).status
        return status.phase if status else None

    def _probed(self, name: str, rows: int) -> Stopwatch:
        file = self._home / "stopwatch"
        self._wait(self._popen(name, (file, rows)), TIMEOUT_S)
        return msgspec.json.decode(file.read_bytes(), type=Stopwatch)

    def _popen(self, name: str, probe: tuple[Path, int] | None) -> subprocess.Popen[str]:
        module = ["benchmarks.probe", str(probe[0]), str(probe[1])] if probe else ["obsync_tui"]
        process = subprocess.Popen(
            [sys.executable, "-m", *module, "project", "run", name],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._processes.append(process)
        return process

    def _wait(self, process: subprocess.Popen[str], timeout_s: float) -> None:
        try:
            output, _ = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise RuntimeError(f"obsync did not end in {timeout_s:.0f} s: {output[-3000:]}") from None
        if process.returncode:
            raise RuntimeError(f"obsync ended with code {process.returncode}: {output[-3000:]}")

    def _command(self, *arguments: str, check: bool = True) -> str:
        result = subprocess.run(
            [sys.executable, "-m", "obsync_tui", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
        )
        if check and result.returncode:
            raise RuntimeError(f"obsync {' '.join(arguments)}: {result.stderr[-3000:]}")
        return result.stdout

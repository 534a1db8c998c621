"""Projects that share one process: what ten cost each other and an idle one, and what fifty cost that have nothing to do."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import msgspec

from benchmarks.delivered import check_delivered
from benchmarks.measure import Figure, Result
from benchmarks.quiet import Watcher
from benchmarks.sharing_host import Named, Request, Seen
from benchmarks.sizes import Sizes
from benchmarks.stage import MYSQL_OPTIONS, tell
from benchmarks.workload import TABLE, Load
from obsync_tui.engine.threads import SWITCH_INTERVAL_S
from obsync_tui.model.project import new_project_id
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer

BUSY = 10
IDLE = 50
SLOW_TABLE = "slow"
_ECHO_EVERY_S = 0.02
_TIMEOUT_S = 600.0


class Shared:
    """The process with the projects, and one connection to it."""

    def __init__(self, request: Request) -> None:
        command = [sys.executable, "-m", "benchmarks.sharing_host", msgspec.json.encode(request).decode()]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the process with the projects did not start")
        self._socket = request.socket
        self._files = self._connect()

    def _connect(self) -> socket.SocketIO:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._socket)
        return connection.makefile("rwb", buffering=0)

    def ask(self, *words: str) -> bytes:
        """One command and its answer."""
        self._files.write(" ".join(words).encode() + b"\n")
        return self._files.readline()

    def rows(self, *names: str) -> dict[str, Seen]:
        return msgspec.json.decode(self.ask("rows", *names), type=dict[str, Seen])

    def until_streaming(self, *names: str) -> None:
        deadline_s = time.monotonic() + _TIMEOUT_S
        while any(seen.phase != "incremental" for seen in self.rows(*names).values()):
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"not all of {', '.join(names)} stream")
            time.sleep(0.2)

    def until_rows(self, rows: int, *names: str) -> dict[str, Seen]:
        deadline_s = time.monotonic() + _TIMEOUT_S
        while True:
            found = self.rows(*names)
            if min(seen.rows for seen in found.values()) >= rows:
                return found
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"{rows} rows were not delivered: {found}")
            time.sleep(0.1)

    def echo_ms(self, ending: threading.Event) -> list[float]:
        """Round trips over a connection of its own, until told to end."""
        files, took_ms = self._connect(), []
        while not ending.wait(_ECHO_EVERY_S):
            began_s = time.monotonic()
            files.write(b"echo\n")
            files.readline()
            took_ms.append((time.monotonic() - began_s) * 1000)
        return took_ms

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def facts(self, name: str) -> int:
        """A number of proc(5), status: VmRSS (kB) or Threads."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Servers:
    """One MySQL, one Kafka; a shared process at a time."""

    def __init__(self, mysql: MySQLServer, kafka: KafkaBroker, home: Path, load: Load) -> None:
        self.mysql, self.kafka, self.home, self.load = mysql, kafka, home, load

    @contextmanager
    def shared(
        self, projects: Sequence[Named], tokens: int = 1, interval_s: float = SWITCH_INTERVAL_S
    ) -> Iterator[Shared]:
        path = str(self.home / "s")
        Path(path).unlink(missing_ok=True)
        request = Request(
            str(self.home), path, self.mysql.port, self.kafka.bootstrap, tuple(projects), tokens, interval_s
        )
        shared = Shared(request)
        try:
            yield shared
        finally:
            shared.close()


@contextmanager
def _servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        mysql = stack.enter_context(MySQLServer("5.7", MYSQL_OPTIONS))
        kafka = stack.enter_context(KafkaBroker())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="obs-", dir="/tmp")))
        load = Load(mysql)
        stack.callback(load.close)
        yield Servers(mysql, kafka, home, load)


def _named(prefix: str, count: int, table: str) -> list[Named]:
    return [Named(f"{prefix}{number}", new_project_id(), table) for number in range(count)]


def sharing(sizes: Sizes) -> list[Result]:
    """Ten projects at full speed beside one that has a row each 100 ms."""
    rows = sizes.shared_rows
    with _servers() as at:
        busy, slow = _named("busy", BUSY, TABLE), Named("slow", new_project_id(), SLOW_TABLE)
        alone = Named("alone", new_project_id(), TABLE)
        at.load.create(TABLE, SLOW_TABLE)
        everyone = [*busy, slow, alone]
        names = [one.name for one in busy]
        with at.shared(everyone) as shared:
            # Everybody's stream begins before the rows.
            shared.ask("begin", *(one.name for one in everyone))
            shared.until_streaming(*(one.name for one in everyone))
            shared.ask("stop", *(one.name for one in everyone))
            tell(f"{rows} rows for each of {BUSY} projects")
            at.load.inserts(rows)
            shared.ask("begin", alone.name)
            seen = shared.until_rows(rows, alone.name)[alone.name]
            one_rate = rows / (seen.last_s - seen.first_s)
            shared.ask("stop", alone.name)
            tell(f"one alone: {one_rate:,.0f} rows/s")
            quiet = _beside(at, shared, slow, sizes)
            shared.ask("begin", *names)
            loaded = _beside(at, shared, slow, sizes, *names)
            stop_s = float(shared.ask("stop", names[0]))
            shared.until_rows(rows, names[1])
        check_delivered(at.kafka.bootstrap, [f"{names[1]}_{TABLE}"], range(1, rows + 1), 1)
    title = f"{BUSY} projects at full speed"
    return [
        Figure("sharing-alone", "one project alone", one_rate, "rows/s"),
        Figure("sharing-rate", f"{title}, all together", loaded.rows_per_s, "rows/s"),
        Figure(
            "sharing-loss",
            f"{title}, slower than one alone by",
            (1 - loaded.rows_per_s / one_rate) * 100,
            "%",
            10.0,
        ),
        Figure("sharing-latency-quiet", "a slow project alone, latency p99", quiet.latency_ms, "ms"),
        Figure("sharing-latency", f"{title}, a slow one's latency p99", loaded.latency_ms, "ms", 1000.0),
        Figure("sharing-echo-quiet", "a slow project alone, round trip p99", quiet.echo_ms, "ms"),
        Figure("sharing-echo", f"{title}, round trip p99", loaded.echo_ms, "ms", 100.0),
        Figure("sharing-stop", f"{title}, stop of one", stop_s * 1000, "ms", 1000.0),
    ]


class Beside(NamedTuple):
    """p99 of a slow project's latency and of round trips, and what the others delivered together meanwhile."""

    latency_ms: float
    echo_ms: float
    rows_per_s: float = 0.0


def _beside(at: Servers, shared: Shared, slow: Named, sizes: Sizes, *names: str) -> Beside:
    """Rows of the slow project, one each 100 ms, once the others have all begun."""
    shared.ask("begin", slow.name)
    shared.until_streaming(slow.name)
    if names:
        shared.until_rows(1, *names)
    first = at.load.number + 1
    watcher = Watcher(at.kafka.bootstrap, sizes.shared_samples, f"{slow.name}_{SLOW_TABLE}")
    watcher.ready.wait(_TIMEOUT_S)
    ending, took_ms = threading.Event(), []
    echo = threading.Thread(target=lambda: took_ms.extend(shared.echo_ms(ending)))
    echo.start()
    before, began_s = _total(shared, names), time.monotonic()
    committed_s: dict[int, float] = {}
    for _ in range(sizes.shared_samples):
        at.load.inserts(1, table=SLOW_TABLE)
        committed_s[at.load.number] = time.monotonic()
        time.sleep(random.uniform(0.05, 0.15))
    rate = (_total(shared, names) - before) / (time.monotonic() - began_s)
    if names and max(seen.rows for seen in shared.rows(*names).values()) >= sizes.shared_rows:
        tell("not valid: some projects were through before the samples were")
    tell(f"commits of the slow project take {shared.rows(slow.name)[slow.name].commit_s or 0:.3f} s")
    ending.set()
    echo.join()
    watcher.join(_TIMEOUT_S)
    shared.ask("stop", slow.name)
    waits_ms = [(watcher.seen_s[n] - committed_s[n]) * 1000 for n in range(first, at.load.number + 1)]
    return Beside(_p99(waits_ms), _p99(took_ms), rate)


def _total(shared: Shared, names: Sequence[str]) -> int:
    return sum(seen.rows for seen in shared.rows(*names).values())


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]


def many_idle(sizes: Sizes) -> list[Result]:
    """Fifty projects that have nothing to do."""
    with _servers() as at:
        at.load.create(TABLE)
        projects = _named("idle", IDLE, TABLE)
        with at.shared(projects) as shared:
            empty_kb = shared.facts("VmRSS")
            began_s = time.monotonic()
            shared.ask("begin", *(one.name for one in projects))
            shared.until_streaming(*(one.name for one in projects))
            started_s = time.monotonic() - began_s
            time.sleep(5)
            before_s, began_s = shared.cpu_s(), time.monotonic()
            time.sleep(sizes.idle_s)
            share = (shared.cpu_s() - before_s) / (time.monotonic() - began_s)
            rss_kb, threads = shared.facts("VmRSS"), shared.facts("Threads")
            stop_s = float(shared.ask("stop", *(one.name for one in projects)))
            began_s = time.monotonic()
            shared.ask("begin", *(one.name for one in projects))
            shared.until_streaming(*(one.name for one in projects))
            again_s = time.monotonic() - began_s
    title = f"{IDLE} idle projects"
    return [
        Figure("many-idle-cpu", f"{title}, CPU of a core", share * 100, "%", 15.0),
        Figure("many-idle-memory", f"{title}, resident memory", rss_kb / 1000, "MB", 1000.0),
        Figure("many-idle-empty", "the process without projects, resident memory", empty_kb / 1000, "MB"),
        Figure("many-idle-threads", f"{title}, threads", threads, "threads"),
        Figure("many-idle-start", f"{title}, from start to streaming, first run", started_s, "s"),
        Figure("many-idle-again", f"{title}, from start to streaming, later runs", again_s, "s", 5.0),
        Figure("many-idle-stop", f"{title}, all stopped", stop_s, "s"),
    ]

"""Many projects in one process, as the engine runs them: python -m benchmarks.sharing_host REQUEST (JSON).

A line on the unix socket is a command: `echo` comes back as it is, `begin`, `stop` and `rows` take projects' names. The
answers are those of an event loop that shares the interpreter with all projects.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.workload import DATABASE
from obsync_tui.engine.errors import Stopped
from obsync_tui.engine.pipeline.run import ProjectRun
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.threads import SWITCH_INTERVAL_S, RunToken, ThreadPool
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.project import Message, Objects, Project, Step
from obsync_tui.model.secret import Secret, SecretReference

_LOOK_S = 0.02


class Named(msgspec.Struct, frozen=True):
    """A project: its id and the table that it follows into a topic of its own."""

    name: str
    id: str
    table: str


class Request(msgspec.Struct, frozen=True):
    """What the process is started with."""

    home: str
    socket: str
    mysql_port: int
    bootstrap: str
    projects: tuple[Named, ...]
    tokens: int = 1
    switch_interval_s: float = SWITCH_INTERVAL_S


class Seen(msgspec.Struct):
    """What one run has delivered, and when (monotonic seconds): its first rows, its last ones.

    `commit_s` is how long its commits took of late.
    """

    rows: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    phase: str = ""
    commit_s: float | None = None


class Host:
    """Runs projects and notes when their rows are committed."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._state = StateFile(Path(request.home) / "state.db")
        self._threads = ThreadPool(RunToken(request.tokens))
        self._runs: dict[str, ProjectRun] = {}
        self._ended: dict[str, threading.Event] = {}
        self._seen: dict[str, Seen] = {}
        threading.Thread(target=self._look, daemon=True).start()

    def begin(self, names: Sequence[str]) -> None:
        """Start runs, each on a thread of its own."""
        for project in self._request.projects:
            if project.name in names:
                self._begin(project)

    def _begin(self, named: Named) -> None:
        source = MySQLSource("shop", "127.0.0.1", "root", self._request.mysql_port, SecretReference(""))
        project = Project(
            named.id,
            named.name,
            "shop",
            "events",
            Objects((f"{DATABASE}.{named.table}",)),
            steps=(Step.INCREMENTAL,),
            message=Message(topic=f"{named.name}_${{table}}"),
        )
        destination = KafkaSource("events", self._request.bootstrap)
        run = ProjectRun(
            project, source, destination, lambda _: Secret(""), self._state, threads=self._threads
        )
        ended = self._ended[named.name] = threading.Event()
        self._seen[named.name] = Seen()
        self._runs[named.name] = run

        def work() -> None:
            try:
                run.run()
            except Stopped:
                ended.set()

        self._threads.lend(named.name, work)

    def stop(self, names: Sequence[str]) -> float:
        """Stop runs; seconds until all have ended."""
        began_s = time.monotonic()
        for name in names:
            self._runs[name].stop()
        for name in names:
            if not self._ended[name].wait(60):
                raise RuntimeError(f"{name} does not stop: {self._threads.abandoned}")
        return time.monotonic() - began_s

    def rows(self, names: Sequence[str]) -> dict[str, Seen]:
        """What the runs have delivered."""
        for name in names:
            status, seen = self._runs[name].status(), self._seen[name]
            seen.phase, seen.commit_s = status.phase, status.commit_s
        return {name: self._seen[name] for name in names}

    def _look(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            for name, seen in list(self._seen.items()):
                rows = self._runs[name]._meter.acknowledged_rows
                if rows != seen.rows:
                    now_s = time.monotonic()
                    seen.first_s = seen.first_s or now_s
                    seen.rows, seen.last_s = rows, now_s


async def serve(request: Request) -> None:
    """Answer until the process is ended."""
    host = Host(request)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            command, *names = line.decode().split()
            if command == "begin":
                host.begin(names)
            elif command == "stop":
                line = msgspec.json.encode(await asyncio.to_thread(host.stop, names)) + b"\n"
            elif command == "rows":
                line = msgspec.json.encode(host.rows(names)) + b"\n"
            writer.write(line)
            await writer.drain()

    server = await asyncio.start_unix_server(answer, request.socket)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.argv[1], type=Request)
    sys.setswitchinterval(wanted.switch_interval_s)
    gc.freeze()
    gc.set_threshold(50_000)
    asyncio.run(serve(wanted))

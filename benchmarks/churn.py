"""What the soak does to an engine: projects that live a whole life, and clients that come, read, do not read, and go."""

from __future__ import annotations

import itertools
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from benchmarks.resident import TIMEOUT_S, Resident
from benchmarks.workload import TABLE, Load
from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.requests import (
    Component,
    Confirmed,
    CreateProject,
    Events,
    ListProjects,
    Logs,
    Named,
    Release,
    Rename,
    SaveProject,
    Start,
)
from obsync_tui.model.project import Trace, new_project_id

NEVER_READING = 20
STEADY = 3
_LIVES = 2
_CLIENTS = 6
_WATCH = b"GET /v1/watch?topics=projects,engine&every_s=0.25 HTTP/1.1\r\nHost: engine\r\n\r\n"
_LIST = b"GET /v1/projects HTTP/1.1\r\nHost: engine\r\n\r\n"
_LOAD_EVERY_S = 0.1
# Full within the warm-up: what the row trace keeps is not growth.
_TRACE_BYTES = 1 << 20


class Turns:
    """Workers take turns; who wants quiet waits for those under way, and holds up the next ones."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._working = 0
        self._quiet = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._quiet)
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        with self._changed:
            self._quiet = True
            self._changed.wait_for(lambda: not self._working)
        try:
            yield
        finally:
            with self._changed:
                self._quiet = False
                self._changed.notify_all()


class Churn:
    """Works on an engine from several threads until `end`; `failures` are what went wrong, `lives` and `calls` count."""

    def __init__(self, engine: Resident, load: Load) -> None:
        self.turns = Turns()
        self.failures: list[str] = []
        self.lives = self.calls = 0
        self._engine, self._load = engine, load
        self._ending = threading.Event()
        self._numbers = itertools.count()
        work: list[Callable[[random.Random], None]] = [self._live] * _LIVES + [self._call] * _CLIENTS
        work += [self._steady, self._never_read]
        self._threads = [
            threading.Thread(target=self._repeat, args=(one, random.Random(seed)), daemon=True)
            for seed, one in enumerate(work)
        ]
        self._threads.append(threading.Thread(target=self._write, daemon=True))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop after the turns under way."""
        self._ending.set()
        for thread in self._threads:
            thread.join(TIMEOUT_S)

    def _repeat(self, work: Callable[[random.Random], None], chance: random.Random) -> None:
        while not self._ending.is_set():
            with self.turns.turn():
                try:
                    work(chance)
                except Exception as error:  # whatever it is, the soak fails of it, and goes on to see more
                    self.failures.append(f"{work.__name__}: {type(error).__name__}: {error}")
                    time.sleep(1)
            self._ending.wait(chance.uniform(0, 0.2))

    def _write(self) -> None:
        while not self._ending.wait(_LOAD_EVERY_S):
            self._load.inserts(5)

    def _live(self, chance: random.Random) -> None:
        """One project from its creation to its deletion, with a clone that never runs."""
        engine, number = self._engine, next(self._numbers)
        name, other, clone = f"life{number}", f"renamed{number}", f"clone{number}"
        made = msgspec.structs.replace(engine.made("life", TABLE), id=new_project_id(), name=name)
        engine.call(op.CREATE, CreateProject(made))
        engine.begin(name)
        engine.until_streaming(name)
        for component in ("store", "connector"):
            engine.call(op.COMPONENT, Component(name, component, "pause"))
            time.sleep(chance.uniform(0, 0.5))
            engine.call(op.COMPONENT, Component(name, component, "start"))
        engine.call(op.COMPONENT, Component(name, "store", "restart"))
        engine.pause(name)
        engine.call(op.RENAME, Rename(name, other))
        engine.call(op.CLONE, Rename(other, clone))
        engine.go_on(other)
        engine.until_streaming(other)
        file = engine.call(op.FILE, Named(other))
        edited = msgspec.structs.replace(made, name=other, tags=("soaked",))
        engine.call(op.SAVE, SaveProject(other, edited, file.digest))
        engine.call(op.APPLY, Named(other))
        engine.pause(other)
        engine.call(op.RELEASE, Release(other, other))
        for gone in (other, clone):
            engine.call(op.DELETE, Confirmed(gone, gone))
        self.lives += 1

    def _steady(self, chance: random.Random) -> None:
        """One of the projects that stay is paused and goes on."""
        name = f"steady{chance.randrange(STEADY)}"
        self._engine.pause(name)
        time.sleep(chance.uniform(0, 1))
        self._engine.go_on(name)
        self._engine.until_streaming(name)
        time.sleep(chance.uniform(0, 2))

    def _call(self, chance: random.Random) -> None:
        """A client connects, asks and watches for a while; now and then one is gone in the midst of an answer."""
        if chance.random() < 0.3:
            self._drop(_WATCH if chance.random() < 0.5 else _LIST)
            return
        name = f"steady{chance.randrange(STEADY)}"
        with EngineClient(self._engine.at) as client:
            found = {one.name for one in client.call(op.PROJECTS, ListProjects())}
            assert name in found, f"{name} is not among {found}"
            client.call(op.PROJECT, Named(name))
            client.call(op.EVENTS, Events(name))
            client.call(op.LOGS, Logs(name))
            frames = client.watch(("projects", f"project:{name}"), 0.25)
            for _ in range(chance.randrange(1, 6)):
                next(frames)
        self.calls += 1

    def _drop(self, request: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._engine.at.path))
            connection.sendall(request)
            connection.recv(100)
        self.calls += 1

    def _never_read(self, chance: random.Random) -> None:
        """Clients that watch and read nothing, until the engine lets go of the first of them, or the turn ends."""
        connections = [socket.socket(socket.AF_UNIX) for _ in range(NEVER_READING)]
        waiting = select.poll()
        try:
            for connection in connections:
                connection.connect(str(self._engine.at.path))
                connection.sendall(_WATCH)
                waiting.register(connection, select.POLLHUP)
            waiting.poll(chance.uniform(5, 20) * 1000)
        finally:
            for connection in connections:
                connection.close()


def begin_steady(engine: Resident) -> None:
    """The projects that stay."""
    names = [f"steady{number}" for number in range(STEADY)]
    for name in names:
        made = engine.made(name, TABLE)
        engine.files.write_project(msgspec.structs.replace(made, trace=Trace(_TRACE_BYTES)))
        engine.call(op.START, Start(name))
    engine.until_streaming(*names)

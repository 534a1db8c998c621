"""Reads all facts, in one place and within a time: a file system that hangs becomes a finding, not a wait."""

import os
import platform
import re
import sys
import time
import zoneinfo
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from obsync_tui.api.endpoint import Endpoint
from obsync_tui.api.starting import hello
from obsync_tui.config.files import ConfigFiles, Listed
from obsync_tui.config.mounts import read_mounts
from obsync_tui.config.paths import Paths
from obsync_tui.engine.doctor import files, machine, session
from obsync_tui.engine.doctor.deadline import within
from obsync_tui.engine.doctor.facts import (
    Clock,
    Engine,
    Entry,
    Facts,
    Interpreter,
    Lock,
    Login,
    Place,
    State,
    Usage,
)
from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.native.backend import backend

LIMIT_S = 2.5
ENGINE_LIMIT_S = 1.0
# TZ of the POSIX form: CET-1CEST,M3.5.0,M10.5.0/3
_POSIX_ZONE = re.compile(r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)[+-]?\d")
_SILENT = f"the file system does not answer within {LIMIT_S:g} s"


class _Kept(msgspec.Struct, frozen=True):
    """What files say; every part of it can hang."""

    entries: tuple[Entry, ...]
    usage: tuple[Usage, ...]
    newest_file_s: float | None
    newest_file: str
    locks: tuple[Lock, ...]
    home: Lock | None
    sources: tuple[Listed, ...]
    projects: tuple[Listed, ...]


def read_facts(paths: Paths, socket: Path, environment: Mapping[str, str]) -> Facts:
    """Everything that checks look at; takes `LIMIT_S` seconds at most. To be called before threads are started."""
    step = _boot_s()
    locale = session.read_locale(environment)
    mounts = read_mounts()
    roles = {"config": paths.config, "state": paths.state, "run": socket.parent}
    tasks: list[Callable[[], Place | State | _Kept | Login]] = [
        partial(files.read_place, role, path, mounts) for role, path in roles.items()
    ]
    tasks += [partial(files.read_state, paths.state_file), partial(_read_kept, paths, socket)]
    tasks.append(partial(session.read_login, environment))
    found = within(LIMIT_S, tasks)
    places = tuple(
        one if isinstance(one, Place) else Place(role, str(path), error=_SILENT)
        for one, (role, path) in zip(found[:3], roles.items(), strict=True)
    )
    state, kept, login = found[3:]
    if not isinstance(state, State):
        state = State(
            str(paths.state_file), error=_SILENT, cure="Bring the file system back, or set OBSYNC_HOME."
        )
    if not isinstance(kept, _Kept):
        silent = Listed("all", error=f"{paths.config}: {_SILENT}")
        kept = _Kept((), (), None, "", (), None, (silent,), ())
    return Facts(
        uid=os.geteuid(),
        interpreter=read_interpreter(environment),
        terminal=session.read_terminal(environment),
        locale=locale,
        login=login if isinstance(login, Login) else Login(session.user_name(), systemd=True),
        memory=machine.read_memory(),
        limits=machine.read_limits(),
        clock=Clock(
            wall_s=time.time(),
            step_s=_boot_s() - step,
            newest_file_s=kept.newest_file_s,
            newest_file=kept.newest_file,
            zone=environment.get("TZ", ""),
            zone_known=is_zone(environment.get("TZ", "")),
        ),
        places=places,
        entries=kept.entries,
        state=state,
        usage=kept.usage,
        locks=kept.locks,
        home=kept.home,
        sources=kept.sources,
        projects=kept.projects,
    )


def read_engine(at: Endpoint) -> Engine:
    """Who answers at the engine's socket; takes `ENGINE_LIMIT_S` seconds at most."""
    socket = str(at.path)
    try:
        (answer,) = within(ENGINE_LIMIT_S, [lambda: hello(at)])
    except EngineError as error:
        return Engine(socket, problem=error.what, cure=error.cure)
    except OSError as error:
        return Engine(
            socket,
            problem=f"cannot be looked for: {error.strerror}",
            cure="Let this user pass to its directory.",
        )
    return Engine(socket, answer.version, answer.pid) if answer else Engine(socket)


def read_interpreter(environment: Mapping[str, str]) -> Interpreter:
    """The Python that runs this, and which back-end row plans have in the environment."""
    own = (sys.version_info[:3], platform.python_implementation(), sys.executable)
    try:
        return Interpreter(*own, backend=str(backend(environment)))
    except EngineError as error:
        return Interpreter(*own, backend="", backend_problem=error.what, backend_cure=error.cure)


def is_zone(name: str) -> bool:
    """Whether the value of TZ means a time zone here; the C library takes UTC for any that does not."""
    if not name or _POSIX_ZONE.match(name):
        return True
    zone = name.removeprefix(":")
    if zone.startswith("/"):
        return Path(zone).is_file()
    try:
        zoneinfo.ZoneInfo(zone)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _read_kept(paths: Paths, socket: Path) -> _Kept:
    configuration = ConfigFiles(paths)
    state, newest_s, newest = files.read_usage(paths.state)
    return _Kept(
        entries=files.read_entries(paths, socket),
        usage=(state,),
        newest_file_s=newest_s,
        newest_file=newest,
        locks=files.read_locks(paths.state),
        home=files.read_home_lock(paths.state),
        sources=_listed(configuration.sources),
        projects=_listed(configuration.projects),
    )


def _listed(read: Callable[[], list[Listed]]) -> tuple[Listed, ...]:
    try:
        return tuple(read())
    except EngineError as error:
        return (Listed("all", error=str(error)),)


def _boot_s() -> float:
    """The wall clock's time of boot: constant, unless the clock is stepped."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.time() - time.clock_gettime(clock)

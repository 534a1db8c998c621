"""Each check by facts that break it: the level, what is said, and the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from obsync_tui import __version__
from obsync_tui.config.files import Listed
from obsync_tui.engine.doctor import (
    access,
    clock,
    configuration,
    installation,
    keeping,
    limits,
    login,
    places,
    terminal,
)
from obsync_tui.engine.doctor.examination import examine_machine
from obsync_tui.engine.doctor.facts import Engine, Entry, Lock, Usage
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.finding import Finding, Level
from obsync_tui.model.project import Objects, Project
from tests.engine.doctor.machine import (
    CLOCK,
    FACTS,
    GIB,
    INTERPRETER,
    LIMITS,
    LOCALE,
    LOGIN,
    MEMORY,
    NOW_S,
    PLACE,
    STATE,
    TERMINAL,
    UID,
)

MIB = 1 << 20
SOCKET = Engine("/h/run/engine.sock")
ID = "np_aaaaaaaaaaaa"
PROJECT = Project(ID, "orders", "shop", "events", Objects(("shop.*",)))
OK, WARNING, FAILURE = Level.OK, Level.WARNING, Level.FAILURE


def broken(check: Callable[..., Finding], facts: Any, *more: object, **changes: object) -> Finding:
    return check(replace(facts, **changes), *more)


def test_a_machine_without_a_fault() -> None:
    findings = list(examine_machine(FACTS, SOCKET))
    assert [one for one in findings if one.level is not OK] == []
    assert all(one.what and not one.cure for one in findings)
    assert len(findings) == len({(one.subject, one.check) for one in findings}) == 33


def test_a_fault_shows_in_the_whole() -> None:
    facts = replace(
        FACTS, places=(replace(PLACE, filesystem="nfs4"),), entries=(Entry("key", "/k", "file", 0o644, UID),)
    )
    failed = {(one.subject, one.check) for one in examine_machine(facts, SOCKET) if one.level is FAILURE}
    assert failed == {("files", "state file system"), ("permissions", "key")}


# check, facts, what is changed, level, words of what is said, words of the cure
CASES: list[tuple[Callable[..., Finding], Any, dict[str, Any], Level, str, str]] = [
    (installation.check_python, INTERPRETER, {"version": (3, 10, 9)}, FAILURE, "3.11 is needed", "virtual environment"),
    (installation.check_python, INTERPRETER, {"implementation": "PyPy"}, WARNING, "PyPy", "CPython"),
    (installation.check_backend, INTERPRETER, {"backend": "python"}, WARNING, "fifth", "gcc"),
    (installation.check_backend, INTERPRETER, {"backend_problem": "is 'x'", "backend_cure": "leave it out"}, FAILURE, "'x'", "leave it out"),
    (terminal.check_kind, TERMINAL, {"term": ""}, WARNING, "TERM is not set", "export TERM"),
    (terminal.check_kind, TERMINAL, {"term": "dumb"}, WARNING, "dumb", "export TERM"),
    (terminal.check_multiplexer, TERMINAL, {"multiplexer": "tmux"}, WARNING, "xterm-256color", "default-terminal"),
    (terminal.check_multiplexer, TERMINAL, {"multiplexer": "screen"}, WARNING, "xterm-256color", ".screenrc"),
    (terminal.check_size, TERMINAL, {"columns": 79}, WARNING, "79 columns, 40 rows", "80 by 24"),
    (terminal.check_size, TERMINAL, {"columns": 0, "rows": 0}, WARNING, "0 columns", "stty cols"),
    (terminal.check_passwords, TERMINAL, {"asks": False}, WARNING, "/dev/tty", "--password -"),
    (terminal.check_locale, LOCALE, {"there": False, "name": "de_XX.UTF-8"}, WARNING, "LANG=de_XX.UTF-8", "C.UTF-8"),
    (login.check_survival, LOGIN, {"kills": True, "linger": False}, FAILURE, "KillUserProcesses=yes", "loginctl enable-linger dba"),
    (login.check_survival, LOGIN, {"kills": True}, WARNING, "ends with the session", "obsync engine unit"),
    (login.check_survival, LOGIN, {"kills": None}, WARNING, "does not tell", "enable-linger dba"),
    (login.check_linger, LOGIN, {"linger": False, "user_unit": True}, FAILURE, "ends at the last logout", "enable-linger dba"),
    (limits.check_file_size, LIMITS, {"file_bytes": 10 * MIB}, FAILURE, "10.0 MiB", "ulimit -f"),
    (limits.check_file_size, LIMITS, {"file_bytes": GIB}, WARNING, "1,024.0 MiB", "ulimit -f"),
    (clock.check_wall, CLOCK, {"wall_s": 3600.0, "newest_file_s": None}, FAILURE, "1970-01-01 01:00:00", "NTP"),
    (clock.check_wall, CLOCK, {"newest_file_s": NOW_S + 3600}, WARNING, "3,600 s later", "NTP"),
    (clock.check_step, CLOCK, {"step_s": -3600.0}, WARNING, "-3600.0 s", "slewed"),
    (clock.check_zone, CLOCK, {"zone": "Mars/Olympus", "zone_known": False}, WARNING, "Mars/Olympus", "tzdata"),
    (places.check_filesystem, PLACE, {"filesystem": "nfs4"}, FAILURE, "write-ahead log", "OBSYNC_HOME"),
    (places.check_filesystem, PLACE, {"filesystem": "fuse.sshfs"}, FAILURE, "fuse.sshfs", "local disk"),
    (places.check_filesystem, PLACE, {"filesystem": "nfs", "role": "run"}, FAILURE, "unix socket", "OBSYNC_SOCKET"),
    (places.check_filesystem, PLACE, {"filesystem": "nfs", "role": "config"}, OK, "does for configuration", ""),
    (places.check_filesystem, PLACE, {"filesystem": "tmpfs"}, WARNING, "restarts", "OBSYNC_HOME"),
    (places.check_filesystem, PLACE, {"filesystem": "tmpfs", "role": "run"}, OK, "tmpfs", ""),
    (places.check_filesystem, PLACE, {"filesystem": "overlay"}, WARNING, "container", "volume"),
    (places.check_filesystem, PLACE, {"error": "does not answer"}, FAILURE, "does not answer", "bring"),
    (places.check_writable, PLACE, {"read_only": True}, FAILURE, "read-only", "remount,rw /"),
    (places.check_writable, PLACE, {"writable": False}, FAILURE, "cannot be written", "chmod"),
    (places.check_room, PLACE, {"free_bytes": 63 * MIB}, FAILURE, "63 MiB", "Free some room"),
    (places.check_room, PLACE, {"free_bytes": MIB, "role": "run"}, OK, "1 MiB", ""),
    (places.check_room, PLACE, {"free_bytes": 1000, "role": "run"}, FAILURE, "0 MiB", "Free some room"),
    (places.check_room, PLACE, {"free_bytes": 500 * MIB}, WARNING, "500 MiB", "Free some room"),
    (places.check_room, PLACE, {"free_inodes": 3}, FAILURE, "3 files more", "df -i"),
    (places.check_room, PLACE, {"free_inodes": 900}, WARNING, "900 files more", "room"),
    (places.check_room, PLACE, {"free_inodes": None}, OK, "9,216 MiB", ""),
    (keeping.check_state, STATE, {"version": 2}, FAILURE, "newer obsync", "Install that obsync"),
    (keeping.check_state, STATE, {"faults": ("row 7 missing",)}, FAILURE, "row 7 missing", "put back a backup"),
    (keeping.check_state, STATE, {"error": "locked", "cure": "stop what it is"}, FAILURE, "locked", "stop what"),
    (keeping.check_state, STATE, {"log_bytes": GIB}, WARNING, "1,024 MiB", "fuser"),
    (keeping.check_state, STATE, {"whole": False}, OK, "no fault so far", ""),
    (keeping.check_state, STATE, {"version": None}, OK, "not there yet", ""),
]  # fmt: skip


@pytest.mark.parametrize(("check", "facts", "changes", "level", "what", "cure"), CASES)
def test_check(
    check: Callable[..., Finding], facts: Any, changes: dict[str, Any], level: Level, what: str, cure: str
) -> None:
    found = broken(check, facts, **changes)
    assert found.level is level
    assert what in found.what
    assert cure in found.cure and bool(found.cure) is bool(cure)
    assert check(facts).level is OK


@pytest.mark.parametrize(
    ("changes", "projects", "level", "cure"),
    [
        ({"open_files": 1024}, 16, OK, ""),
        ({"open_files": 1024}, 17, WARNING, "ulimit -n 1072"),
        ({"open_files": 255}, 0, FAILURE, "ulimit -n 256"),
        ({"open_files": 1024, "open_files_hard": 1024}, 17, WARNING, "limits.conf"),
        ({"open_files": None}, 50, OK, ""),
    ],
)
def test_open_files(changes: dict[str, Any], projects: int, level: Level, cure: str) -> None:
    found = broken(limits.check_open_files, LIMITS, projects, **changes)
    assert (found.level, cure in found.cure) == (level, True)


@pytest.mark.parametrize(
    ("changes", "level", "cure"),
    [
        ({"group_tasks_limit": 1000, "group_tasks": 100}, OK, ""),
        ({"group_tasks_limit": 1000, "group_tasks": 800}, WARNING, "TasksMax"),
        ({"group_tasks_limit": 64, "group_tasks": 60}, FAILURE, "TasksMax"),
        ({"processes": 200}, WARNING, "ulimit -u"),
        ({"processes": 20}, FAILURE, "ulimit -u"),
    ],
)
def test_threads(changes: dict[str, Any], level: Level, cure: str) -> None:
    found = broken(limits.check_tasks, LIMITS, 10, **changes)
    assert (found.level, cure in found.cure) == (level, True)


@pytest.mark.parametrize(
    ("memory", "address_bytes", "level", "cure"),
    [
        (replace(MEMORY, limit_bytes=GIB), None, OK, ""),
        (replace(MEMORY, limit_bytes=400 * MIB), None, WARNING, "MemoryMax"),
        (replace(MEMORY, limit_bytes=100 * MIB), None, FAILURE, "MemoryMax"),
        (MEMORY, 100 * MIB, FAILURE, "ulimit -v"),
        (replace(MEMORY, available_bytes=300 * MIB), None, WARNING, "larger machine"),
        (replace(MEMORY, available_bytes=None), None, OK, ""),
    ],
)
def test_memory(memory: Any, address_bytes: int | None, level: Level, cure: str) -> None:
    found = limits.check_memory(memory, replace(LIMITS, address_bytes=address_bytes), 10)
    assert (found.level, cure in found.cure) == (level, True)


def test_what_a_terminal_can() -> None:
    plain = replace(TERMINAL, output_is=False, term="", columns=0, rows=0, multiplexer="tmux", colorterm="")
    for check in (
        terminal.check_kind,
        terminal.check_multiplexer,
        terminal.check_colours,
        terminal.check_size,
    ):
        assert check(plain).level is OK
    said = [
        (replace(TERMINAL, no_color=True), "NO_COLOR"),
        (TERMINAL, "16 million"),
        (replace(TERMINAL, colorterm=""), "256"),
        (replace(TERMINAL, colorterm="", term="linux"), "16"),
        (replace(TERMINAL, colorterm="", term="vt100"), "none"),
    ]
    for facts, words in said:
        assert words in terminal.check_colours(facts).what
    inside = replace(TERMINAL, multiplexer="tmux", term="tmux-256color", ssh=True)
    assert terminal.check_multiplexer(inside).level is OK
    assert terminal.check_kind(inside).what == "tmux-256color in tmux over SSH"
    nowhere = replace(TERMINAL, asks=False, input_is=False)
    assert (
        terminal.check_passwords(nowhere).level,
        "--password -" in terminal.check_passwords(nowhere).what,
    ) == (OK, True)


@pytest.mark.parametrize(("charset", "encoding", "level"), [("UTF-8", "utf-8", OK), ("ANSI_X3.4-1968", "utf-8", WARNING), ("UTF-8", "iso8859-1", WARNING)])  # fmt: skip
def test_characters(charset: str, encoding: str, level: Level) -> None:
    found = terminal.check_charset(replace(LOCALE, charset=charset), replace(TERMINAL, encoding=encoding))
    assert (found.level, "C.UTF-8" in found.cure) == (level, level is WARNING)


def test_logout_where_nothing_ends() -> None:
    bare = replace(LOGIN, systemd=False, linger=None, kills=None)
    assert "does not run systemd" in login.check_survival(bare).what
    assert (login.check_survival(bare).level, login.check_linger(bare).level) == (OK, OK)
    in_unit = replace(LOGIN, kills=True, scope="obsync.service")
    assert login.check_survival(in_unit).level is OK
    assert login.check_linger(replace(LOGIN, linger=False)).level is OK


@pytest.mark.parametrize(
    ("entry", "level", "what", "cure"),
    [
        (Entry("key", "/h/a b.key", "file", 0o640, UID), FAILURE, "others may read secrets in it (mode 0640)", "chmod 600 '/h/a b.key'"),
        (Entry("secrets", "/h/environment", "file", 0o604, UID), FAILURE, "0604", "chmod 600"),
        (Entry("key", "/h/k", "file", 0o600, 0), FAILURE, "belongs to user id 0, obsync runs as user id 1000", "chown 1000 /h/k"),
        (Entry("key", "/h/k", "dangling link", 0o777, UID), FAILURE, "leads nowhere", "rm /h/k"),
        (Entry("directory", "/h/state", "directory", 0o755, UID), WARNING, "0755", "chmod 700"),
        (Entry("directory", "/h/state", "directory", 0o770, UID), FAILURE, "others may change it", "chmod 700"),
        (Entry("directory", "/h/state", "link", 0o700, 33), FAILURE, "user id 33", "chown"),
        (Entry("state", "/h/state.db", "file", 0o644, UID), WARNING, "0644", "chmod 600"),
        (Entry("state", "/h/state.db-wal", "file", 0o600, 0), FAILURE, "user id 0", "chown 1000"),
        (Entry("configuration", "/h/a.toml", "file", 0o664, UID), FAILURE, "others may change it", "chmod 600"),
        (Entry("configuration", "/h/a.toml", "link", 0o644, UID), WARNING, "replaces the link", "by hand"),
        (Entry("socket", "/h/s", "link", 0o600, UID), FAILURE, "is a link", "rm /h/s"),
        (Entry("socket", "/h/s", "socket", 0o600, 33), FAILURE, "user id 33", "chown"),
        (Entry("socket directory", "/h/run", "link", 0o700, UID), FAILURE, "is a link", "OBSYNC_SOCKET"),
        (Entry("socket directory", "/h/run", "directory", 0o755, UID), FAILURE, "others may list or change it (mode 0755)", "chmod 700 /h/run"),
        (Entry("socket directory", "/tmp", "directory", 0o1777, 0), FAILURE, "user id 0", "OBSYNC_SOCKET"),
        (Entry("directory above", "/srv", "directory", 0o777, 0), FAILURE, "rename", "chmod o-w /srv"),
    ],
)  # fmt: skip
def test_permissions(entry: Entry, level: Level, what: str, cure: str) -> None:
    (found,) = access.check_entries((*FACTS.entries, entry), UID)
    assert (found.level, what in found.what, cure in found.cure, found.where) == (
        level,
        True,
        True,
        entry.path,
    )


def test_permissions_that_are_right() -> None:
    (found,) = access.check_entries(FACTS.entries, UID)
    assert (found.level, found.what) == (OK, "5 files and directories are this user's, and private")
    assert "obsync runs as root" in access.check_entries(FACTS.entries, 0)[0].what


def test_usage() -> None:
    assert places.check_usage(Usage("/h", GIB, 9), 0).level is OK
    for usage in (Usage("/h", GIB + 1, 9), Usage("/h", 1, 50_000, whole=False)):
        found = places.check_usage(usage, 0)
        assert (found.level, "du -ah" in found.cure) == (WARNING, True)
    assert places.check_usage(Usage("/h", 2 * GIB, 9), 11).level is OK


@pytest.mark.parametrize(
    ("engine", "home", "level", "what", "cure"),
    [
        (SOCKET, None, OK, "not running", ""),
        (SOCKET, Lock("/h/home.lock", "", 7, False), OK, "not running", ""),
        (SOCKET, Lock("/h/home.lock", "", 7, True, "S"), FAILURE, "process 7 holds this home, but does not answer", "obsync engine logs"),
        (SOCKET, Lock("/h/home.lock", "", 7, True, "T"), FAILURE, "stopped by a signal", "kill -CONT 7"),
        (replace(SOCKET, problem="user 33 holds the socket", cure="find out"), None, FAILURE, "user 33", "find out"),
        (replace(SOCKET, version=__version__, pid=7), None, OK, "process 7", ""),
        (replace(SOCKET, version="0.0.1", pid=7), None, WARNING, "version 0.0.1", "obsync engine restart"),
    ],
)  # fmt: skip
def test_engine(engine: Engine, home: Lock | None, level: Level, what: str, cure: str) -> None:
    found = installation.check_engine(engine, home)
    assert (found.level, what in found.what, cure in found.cure) == (level, True, True)


@pytest.mark.parametrize(
    ("held", "process", "known", "what", "cure"),
    [
        (True, "S", True, "1 of 1 are held", ""),
        (False, "", True, "0 of 1 are held", ""),
        (None, "", False, "0 of 1 are held", ""),
        (True, "T", True, "stopped by a signal", "kill -CONT 7"),
        (True, "S", False, "whose file is gone", "kill 7"),
        (False, "", False, "no project has the id", "rm '/h/l k'"),
    ],
)
def test_locks(held: bool | None, process: str, known: bool, what: str, cure: str) -> None:
    (found,) = keeping.check_locks((Lock("/h/l k", ID, 7, held, process),), frozenset([ID] if known else []))
    assert (found.level, what in found.what, cure in found.cure) == (WARNING if cure else OK, True, True)


def test_configuration() -> None:
    shop, events = MySQLSource("shop", "h", "u"), KafkaSource("events", "h:9092")
    sources = [Listed("shop", source=shop), Listed("events", source=events)]
    (fine,) = configuration.check_files(sources, [Listed("orders", project=PROJECT)])
    assert (fine.level, fine.what) == (OK, "2 data sources, 1 projects")
    wrong = Listed("odd", error="/h/odd.toml, line 3: is not TOML. Correct that line.")
    found = configuration.check_files([*sources, wrong], [wrong])
    assert [(one.level, one.check, "line 3" in one.what) for one in found] == [(FAILURE, "data source", True), (FAILURE, "project", True)]  # fmt: skip
    swapped = replace(PROJECT, source="events", destination="gone")
    found = configuration.check_files(sources, [Listed("orders", project=swapped)])
    assert [(one.level, one.where) for one in found] == [(FAILURE, "project orders, from"), (FAILURE, "project orders, to")]  # fmt: skip
    assert "mysql or oceanbase" in found[0].cure and "obsync source add gone" in found[1].cure
    # A data source whose own file is wrong is told of once.
    unread = [Listed("shop", error="x"), sources[1]]
    assert [one.check for one in configuration.check_files(unread, [Listed("orders", project=PROJECT)])] == [
        "data source"
    ]

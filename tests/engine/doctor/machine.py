"""A machine without a fault, for tests that break one thing."""

from __future__ import annotations

from obsync_tui.engine.doctor.facts import (
    Clock,
    Entry,
    Facts,
    Interpreter,
    Limits,
    Locale,
    Login,
    Memory,
    Place,
    State,
    Terminal,
    Usage,
)

GIB = 1 << 30
UID = 1000
NOW_S = 1_780_000_000.0
INTERPRETER = Interpreter((3, 12, 4), "CPython", "/opt/obsync/bin/python", "native")
TERMINAL = Terminal("xterm-256color", "truecolor", False, True, True, True, 120, 40, "utf-8")
LOCALE = Locale("LANG", "C.UTF-8", True, "UTF-8")
LOGIN = Login("dba", systemd=True, linger=True, kills=False, scope="session-7.scope")
MEMORY = Memory(None, 8 * GIB)
LIMITS = Limits(20_000, 20_000, None, None, None, None, None)
CLOCK = Clock(NOW_S, 0.0, NOW_S - 60, "/h/state/state.db")
PLACE = Place(
    "state",
    "/h/state",
    True,
    "ext4",
    "/",
    read_only=False,
    writable=True,
    free_bytes=9 * GIB,
    free_inodes=1_000_000,
)
PLACES = (
    Place("config", "/h/config", True, "ext4", "/", free_bytes=9 * GIB, free_inodes=1_000_000),
    PLACE,
    Place("run", "/h/run", True, "tmpfs", "/run", free_bytes=9 * GIB),
)
STATE = State("/h/state/state.db", 1, 1, 4096)
ENTRIES = (
    Entry("directory above", "/tmp", "directory", 0o1777, 0),
    Entry("directory", "/h/state", "directory", 0o700, UID),
    Entry("key", "/h/state/secret.key", "file", 0o600, UID),
    Entry("configuration", "/h/config/projects/a.toml", "file", 0o644, UID),
    Entry("socket directory", "/h/run", "directory", 0o711, UID),
    Entry("socket", "/h/run/engine.sock", "socket", 0o666, UID),
)
FACTS = Facts(
    UID, INTERPRETER, TERMINAL, LOCALE, LOGIN, MEMORY, LIMITS, CLOCK, PLACES, ENTRIES, STATE, (Usage("/h/state", 4096, 2),),
    (), None, (), (),
)  # fmt: skip

"""Reads obsync's own files: where they are, whose they are, what is in the state file, who holds locks.

A file system that does not answer holds up its reader for ever; callers wait with a limit.
"""

import os
import re
import sqlite3
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from obsync_tui.config.mounts import Mount, mount_of
from obsync_tui.config.paths import Paths
from obsync_tui.engine.doctor.facts import Entry, Lock, Place, State, Usage
from obsync_tui.engine.doctor.machine import ROOT, process_state, read_holders, read_text
from obsync_tui.engine.state.database import CURES, MIGRATIONS
from obsync_tui.model.project import ID_PATTERN

CHECK_S = 2.0
MOST_FILES = 50_000
_STEPS = 10_000
_BUSY_S = 1.0


def read_place(role: str, path: Path, mounts: tuple[Mount, ...]) -> Place:
    """The directory, or the nearest above it that exists, and its file system."""
    try:
        there = next(one for one in (path, *path.absolute().parents) if one.exists())
        room = os.statvfs(there)
    except OSError as error:
        return Place(role, str(path), error=f"cannot be looked at: {error.strerror}")
    mount = mount_of(os.path.realpath(there), mounts)
    return Place(
        role,
        str(path),
        exists=there == path,
        filesystem=mount.filesystem if mount else "",
        mount_point=mount.mount_point if mount else "",
        read_only=bool(room.f_flag & os.ST_RDONLY),
        writable=there.is_dir() and os.access(there, os.W_OK | os.X_OK, effective_ids=True),
        free_bytes=room.f_bavail * room.f_frsize,
        free_inodes=room.f_favail if room.f_files else None,
    )


def read_entries(paths: Paths, socket: Path) -> tuple[Entry, ...]:
    """Every file and directory of obsync that exists, and the directories above."""
    locks = paths.state / "locks"
    wanted = [("directory", one) for one in (paths.config, paths.sources, paths.projects, paths.state, locks)]
    wanted += [("key", paths.key_file), ("secrets", paths.config / "environment")]
    wanted += [
        ("state", paths.state_file.with_name(paths.state_file.name + end)) for end in ("", "-wal", "-shm")
    ]
    wanted += [("state", one) for one in _inside(paths.state, f"{paths.state_file.name}.version-*")]
    wanted += [("state", one) for one in _inside(locks, "*.lock")]
    wanted += [("configuration", one) for one in (paths.settings_file,)]
    wanted += [
        ("configuration", one) for room in (paths.sources, paths.projects) for one in _inside(room, "*.toml")
    ]
    wanted += [("socket", socket), ("socket directory", socket.parent)]
    above = {one for path in (paths.config, paths.state, socket.parent) for one in path.absolute().parents}
    own = {path for _, path in wanted}
    wanted += [("directory above", one) for one in sorted(above - own)]
    return tuple(entry for role, path in wanted if (entry := _entry(role, path)) is not None)


def read_usage(directory: Path) -> tuple[Usage, float | None, str]:
    """What the directory holds, and the newest time on its files with the file's path."""
    size = count = 0
    newest_s, newest = None, ""
    for path, status in _walk(directory):
        count += 1
        size += status.st_size
        if newest_s is None or status.st_mtime > newest_s:
            newest_s, newest = status.st_mtime, path
        if count >= MOST_FILES:
            return Usage(str(directory), size, count, whole=False), newest_s, newest
    return Usage(str(directory), size, count), newest_s, newest


def read_state(path: Path) -> State:
    """The state file, checked for `CHECK_S` seconds at most; it is read only and never made."""
    state = State(str(path), known_version=len(MIGRATIONS))
    try:
        status = path.stat()
    except FileNotFoundError:
        return state
    except OSError as error:
        return _unusable(state, f"cannot be looked at: {error.strerror}", "Make it readable for this user.")
    if status.st_uid != os.geteuid():
        # SQLite would make files beside it that its owner cannot use.
        return _unusable(
            state, f"belongs to user id {status.st_uid}: not looked into", "Run obsync as the file's owner."
        )
    log = path.with_name(path.name + "-wal")
    try:
        log_bytes = log.stat().st_size
    except OSError:
        log_bytes = -1
    # Without a log nobody has the file open. Read-only SQLite would make one and leave it; this way it removes it.
    mode = "rw" if log_bytes < 0 else "ro"
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=_BUSY_S)
        try:
            connection.execute("PRAGMA query_only = ON")
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            faults, whole = _quick_check(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        cure = CURES.get(
            getattr(error, "sqlite_errorcode", 0) & 0xFF, "Move the file away if this comes back."
        )
        return _unusable(state, f"cannot be used: {error}", cure)
    return State(str(path), version, len(MIGRATIONS), status.st_size, max(log_bytes, 0), whole, faults)


def read_locks(state: Path, root: Path = ROOT) -> tuple[Lock, ...]:
    """The lock files of projects, and who holds them; none is taken for it."""
    holders = read_holders(root)
    locks = [
        _lock(path, path.stem, holders, root)
        for path in _inside(state / "locks", "*.lock")
        if re.match(ID_PATTERN, path.stem)
    ]
    return tuple(lock for lock in locks if lock is not None)


def read_home_lock(state: Path, root: Path = ROOT) -> Lock | None:
    """The engine's lock of the home, None when there was never one."""
    return _lock(state / "locks" / "home.lock", "", read_holders(root), root)


def _lock(path: Path, project_id: str, holders: frozenset[tuple[int, int]] | None, root: Path) -> Lock | None:
    try:
        inode = path.stat().st_ino
    except OSError:
        return None
    text = read_text(path).strip()
    pid = int(text) if text.isdecimal() else 0
    held = None if holders is None else (pid, inode) in holders
    return Lock(str(path), project_id, pid, held, process_state(pid, root) if pid else "")


def _quick_check(connection: sqlite3.Connection) -> tuple[tuple[str, ...], bool]:
    """What is wrong, and whether all was read within the time."""
    end_s = time.monotonic() + CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > end_s, _STEPS)
    try:
        rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(10)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return (), False
        raise
    return tuple(row for row in rows if row != "ok"), True


def _unusable(state: State, error: str, cure: str) -> State:
    return State(state.path, known_version=state.known_version, error=error, cure=cure)


def _entry(role: str, path: Path) -> Entry | None:
    try:
        own = os.lstat(path)
    except OSError:
        return None
    kind, status = _kind(own), own
    if kind == "link":
        try:
            status = os.stat(path)
        except OSError:
            kind = "dangling link"
    return Entry(role, str(path), kind, stat.S_IMODE(status.st_mode), status.st_uid)


def _kind(status: os.stat_result) -> str:
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFSOCK: "socket", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(status.st_mode), "other")


def _inside(directory: Path, pattern: str) -> list[Path]:
    try:
        return sorted(directory.glob(pattern))
    except OSError:
        return []


def _walk(directory: Path) -> Iterator[tuple[str, os.stat_result]]:
    for above, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(above, name)
            try:
                yield path, os.lstat(path)
            except OSError:
                continue

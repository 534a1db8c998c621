"""Reads what the kernel says of this machine and process: control groups, limits, memory, locks, processes.

Formats: proc(5) and the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2. `root` stands for `/` in tests.
"""

import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from obsync_tui.config.mounts import read_mounts
from obsync_tui.engine.doctor.facts import Limits, Memory

_T = TypeVar("_T")
ROOT = Path("/")
_FLOCK = re.compile(r"^\d+: FLOCK +\S+ +\S+ +(\d+) +\S+?:(\d+) ", re.MULTILINE)
# Kernels say "no limit" of control groups of the first kind by a number close to the largest.
_UNLIMITED = 1 << 60


def read_text(path: Path) -> str:
    """A file's text, empty where it cannot be read: another system, or not for us."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def read_memory(root: Path = ROOT) -> Memory:
    """The least limit of our control groups, and the memory that is available."""
    limits = [
        limit
        for directory in _groups("memory", root)
        for name in ("memory.max", "memory.limit_in_bytes")
        if (limit := _number(directory / name)) is not None
    ]
    available = re.search(r"^MemAvailable: +(\d+) kB", read_text(root / "proc/meminfo"), re.MULTILINE)
    return Memory(min(limits, default=None), int(available[1]) * 1024 if available else None)


def read_limits(root: Path = ROOT) -> Limits:
    """This process's limits, and the fullest of its control groups."""
    groups = []
    for directory in _groups("pids", root):
        limit, tasks = _number(directory / "pids.max"), _number(directory / "pids.current")
        if limit is not None and tasks is not None:
            groups.append((limit - tasks, limit, tasks))
    _, group_limit, group_tasks = min(groups, default=(0, None, None))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Limits(
        open_files=_limit(soft),
        open_files_hard=_limit(hard),
        processes=_limit(resource.getrlimit(resource.RLIMIT_NPROC)[0]),
        file_bytes=_limit(resource.getrlimit(resource.RLIMIT_FSIZE)[0]),
        address_bytes=_limit(resource.getrlimit(resource.RLIMIT_AS)[0]),
        group_tasks_limit=group_limit,
        group_tasks=group_tasks,
    )


def read_holders(root: Path = ROOT) -> frozenset[tuple[int, int]] | None:
    """Who holds file locks (flock): process and inode; None where the kernel does not tell."""
    path = root / "proc/locks"
    if not path.exists():
        return None
    return frozenset((int(pid), int(inode)) for pid, inode in _FLOCK.findall(read_text(path)))


def process_state(pid: int, root: Path = ROOT) -> str:
    """A process's state by proc(5)'s letter, empty when it is gone."""
    return read_text(root / f"proc/{pid}/stat").rpartition(")")[2].strip()[:1]


def control_group(process: str = "self", root: Path = ROOT) -> str:
    """The path of a process's control group as systemd sees it: its last part is a unit or a session."""
    for line in read_text(root / f"proc/{process}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "name=systemd") and path != "/":
            return path
    return ""


def _groups(controller: str, root: Path) -> Iterator[Path]:
    """The directories of our control group and all above it, by both kinds of control groups."""
    mounts = read_mounts(root)
    for line in read_text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount = _first(mounts, lambda one: one.filesystem == "cgroup2")
        elif controller in controllers.split(","):
            mount = _first(mounts, lambda one: one.filesystem == "cgroup" and controller in one.super_options)
        else:
            continue
        if mount is None:
            continue
        top = root / mount.mount_point.lstrip("/")
        below = path.removeprefix(mount.root.rstrip("/")).strip("/")
        directory = top / below if ".." not in below.split("/") else top
        while directory != top:
            yield directory
            directory = directory.parent
        yield top


def _first(of: tuple[_T, ...], wanted: Callable[[_T], bool]) -> _T | None:
    return next((one for one in of if wanted(one)), None)


def _number(path: Path) -> int | None:
    text = read_text(path).strip()
    return int(text) if text.isdecimal() and int(text) < _UNLIMITED else None


def _limit(value: int) -> int | None:
    return None if value == resource.RLIM_INFINITY else value

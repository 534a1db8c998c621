"""Checks of limits: descriptors, tasks, memory, file sizes, for as many projects as there are."""

from obsync_tui.engine.doctor.facts import Limits, Memory
from obsync_tui.model.finding import About, Finding

_ABOUT = About("limits")
_MIB = 1 << 20
# A running project with two connections for rows and one broker was seen with up to 24 descriptors and 12 threads; each
# further broker adds one of both for each of its three clients.
FILES, FILES_PER_PROJECT = 256, 48
TASKS, TASKS_PER_PROJECT = 64, 24
MEMORY_BYTES, MEMORY_PER_PROJECT_BYTES = 128 * _MIB, 32 * _MIB
_FILE_WANTED_BYTES, _FILE_NEEDED_BYTES = 2048 * _MIB, 64 * _MIB


def check_open_files(limits: Limits, projects: int) -> Finding:
    """Every project can have its connections and files."""
    needed = FILES + FILES_PER_PROJECT * projects
    soft, hard = limits.open_files, limits.open_files_hard
    check, what = "open files", f"{_count(soft)} allowed, {needed:,} for {_projects(projects)}"
    if soft is None or soft >= needed:
        return _ABOUT.ok(check, what)
    if hard is None or hard >= needed:
        cure = f"Run before the engine starts: ulimit -n {needed}; in a unit: LimitNOFILE={needed}."
    else:
        places = f"nofile in /etc/security/limits.conf, or LimitNOFILE={needed} in a unit"
        cure = f"Raise the hard limit ({hard:,}): {places}."
    if soft < FILES:
        return _ABOUT.failure(check, what, cure)
    return _ABOUT.warning(check, what, cure)


def check_tasks(limits: Limits, projects: int) -> Finding:
    """Every project can have its threads."""
    needed = TASKS + TASKS_PER_PROJECT * projects
    left = None if limits.group_tasks_limit is None else limits.group_tasks_limit - (limits.group_tasks or 0)
    check = "threads"
    for name, allowed, cure in (
        (
            "the control group",
            left,
            "Raise TasksMax= of the unit or slice, or the container's limit of processes.",
        ),
        (
            "the user",
            limits.processes,
            f"Raise it: ulimit -u, nproc in /etc/security/limits.conf, LimitNPROC={needed}.",
        ),
    ):
        if allowed is not None and allowed < needed:
            what = f"{max(allowed, 0):,} left for {name}, {needed:,} for {_projects(projects)}"
            make = _ABOUT.failure if allowed < TASKS else _ABOUT.warning
            return make(check, what, cure)
    return _ABOUT.ok(check, f"enough for {_projects(projects)} ({needed:,})")


def check_file_size(limits: Limits) -> Finding:
    """State and logs can grow to their bounds."""
    size = limits.file_bytes
    if size is None or size >= _FILE_WANTED_BYTES:
        return _ABOUT.ok("file size", "unlimited" if size is None else f"{size // _MIB:,} MiB")
    what = f"a file may have {size / _MIB:,.1f} MiB at most"
    cure = "Run before the engine starts: ulimit -f unlimited; or fsize in /etc/security/limits.conf."
    if size < _FILE_NEEDED_BYTES:
        return _ABOUT.failure("file size", what, cure)
    return _ABOUT.warning("file size", what, cure)


def check_memory(memory: Memory, limits: Limits, projects: int) -> Finding:
    """The engine and its projects have room in their control group, their limit, and the machine."""
    needed = MEMORY_BYTES + MEMORY_PER_PROJECT_BYTES * projects
    for name, size, cure in (
        (
            "the control group's limit",
            memory.limit_bytes,
            "Raise MemoryMax= of the unit or slice, or the container's.",
        ),
        (
            "the address-space limit",
            limits.address_bytes,
            "Run before the engine starts: ulimit -v unlimited.",
        ),
        (
            "available on this machine",
            memory.available_bytes,
            "End something, or run the engine on a larger machine.",
        ),
    ):
        if size is not None and size < needed:
            what = f"{name}: {size // _MIB:,} MiB; {needed // _MIB:,} MiB are wanted for {_projects(projects)} running"
            if size < MEMORY_BYTES:
                return _ABOUT.failure("memory", what, cure)
            return _ABOUT.warning("memory", what, cure)
    return _ABOUT.ok("memory", f"enough for {_projects(projects)} running ({needed // _MIB:,} MiB)")


def _count(limit: int | None) -> str:
    return "unlimited" if limit is None else f"{limit:,}"


def _projects(count: int) -> str:
    return "1 project" if count == 1 else f"{count} projects"

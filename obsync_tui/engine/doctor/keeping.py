"""Checks of what obsync keeps: the state file, and locks of projects."""

import shlex

from obsync_tui.engine.doctor.facts import STOPPED, Lock, State
from obsync_tui.model.finding import About, Finding

_ABOUT = About("state")
_LOCKS = About("locks")
_MIB = 1 << 20
_LOG_BYTES = 256 * _MIB


def check_state(state: State) -> Finding:
    """`state.db` is whole, and of a version that this obsync knows."""
    check = "state.db"
    if state.error:
        return _ABOUT.failure(check, state.error, state.cure, state.path)
    if state.version is None:
        return _ABOUT.ok(check, "not there yet", state.path)
    if state.version > state.known_version:
        return _ABOUT.failure(
            check,
            f"a newer obsync wrote it (version {state.version}, this one knows {state.known_version})",
            "Install that obsync again, or set OBSYNC_HOME to another directory.",
            state.path,
        )
    if state.faults:
        return _ABOUT.failure(
            check,
            f"is damaged: {state.faults[0]}",
            "Stop the engine and move the file away: projects that deliver exactly once keep their checkpoint in "
            "Kafka; for the others put back a backup.",
            state.path,
        )
    size = f"{state.size_bytes / _MIB:,.1f} MiB, version {state.version}"
    if state.log_bytes > _LOG_BYTES:
        return _ABOUT.warning(
            check,
            f"{size}; its write-ahead log has {state.log_bytes // _MIB:,} MiB: somebody reads the file for long",
            "End what holds state.db open besides the engine: fuser -v PATH",
            state.path,
        )
    return _ABOUT.ok(
        check, f"{size}, {'whole' if state.whole else 'too large to read whole: no fault so far'}", state.path
    )


def check_lock(lock: Lock, is_project: bool) -> Finding | None:
    """What is wrong with a project's lock, None when nothing is: its process lives and goes on."""
    if lock.held:
        if lock.process == STOPPED:
            return _LOCKS.warning(
                "holder",
                f"process {lock.pid} holds the project {lock.project_id}, but is stopped by a signal",
                f"Run: kill -CONT {lock.pid}; or end it.",
                lock.path,
            )
        if not is_project:
            return _LOCKS.warning(
                "holder",
                f"process {lock.pid} runs the project {lock.project_id}, whose file is gone",
                f"Put the project's file back, or stop the process: kill {lock.pid}",
                lock.path,
            )
        return None
    if not is_project and lock.held is not None:
        return _LOCKS.warning(
            "left behind",
            f"no project has the id {lock.project_id}",
            f"Run: rm {shlex.quote(lock.path)}",
            lock.path,
        )
    return None


def check_locks(locks: tuple[Lock, ...], projects: frozenset[str]) -> list[Finding]:
    """What is wrong with locks, by project ids; one finding that all is well when nothing is."""
    found = [finding for lock in locks if (finding := check_lock(lock, lock.project_id in projects))]
    held = sum(bool(lock.held) for lock in locks)
    return found or [_LOCKS.ok("locks", f"{held} of {len(locks)} are held, by living processes")]

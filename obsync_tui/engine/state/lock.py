"""One process per project and machine, and one engine per home, by file locks that end with their process."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from obsync_tui.config.paths import private_directory
from obsync_tui.engine.errors import ConfigError, ProjectOwned, StateError


class _FileLock:
    """A lock on a file below `locks`, from `with` to its end; the file names the process that holds it alone.

    Entering raises ProjectOwned, in the words of the kind of lock, and StateError when the file cannot be made.
    """

    def __init__(self, path: Path, *, alone: bool) -> None:
        self._path = path
        self._alone = alone
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            private_directory(self._path.parent)
            self._lock()
            while not self._stands():
                self.release()
                self._lock()
            if self._alone:
                os.ftruncate(self._descriptor, 0)
                os.write(self._descriptor, str(os.getpid()).encode())
        except BlockingIOError as error:
            owned = self._owned(os.read(self._descriptor, 20).decode())
            self.release()
            raise owned from error
        except ConfigError as error:
            raise StateError(error.what, where=error.where, cure=error.cure) from error
        except OSError as error:
            self.release()
            raise StateError(
                f"cannot be locked: {error.strerror}",
                where=str(self._path),
                cure="Check that the disk has room and that this user owns the path.",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _lock(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # flock and not POSIX locks: those would end with any descriptor of the file that this process closes.
        fcntl.flock(self._descriptor, (fcntl.LOCK_EX if self._alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)

    def _stands(self) -> bool:
        """Whether the file that is locked is still the one of that name: it can be removed between open and lock."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _owned(self, pid: str) -> ProjectOwned:
        """Why it is not to be had; `pid` is what stands in the file."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go; nothing happens the second time."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class ProjectLock(_FileLock):
    """Holds a project on this machine: `locks/<id>.lock` below the state directory, from `with` to its end.

    Entering raises ProjectOwned, naming the process that holds it, and StateError when the file cannot be made. The
    file stays when the lock ends; only who holds it may remove it, with the project.
    """

    def __init__(self, state_directory: Path, project_id: str) -> None:
        super().__init__(state_directory / "locks" / f"{project_id}.lock", alone=True)

    def _owned(self, pid: str) -> ProjectOwned:
        return ProjectOwned(
            f"process {pid or 'unknown'} on this machine runs the project",
            where=str(self._path),
            cure=f"Stop it first: kill {pid}" if pid else "Stop it first.",
        )

    def remove(self) -> None:
        """Remove the file of a lock that is held. Raises StateError."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(
                f"cannot be removed: {error.strerror}",
                where=str(self._path),
                cure="Check that this user owns the path.",
            ) from error


class HomeLock(_FileLock):
    """Holds a home: the engine alone (`alone`), or any number of commands that run a project or change state.

    Entering raises ProjectOwned, naming who holds it, and StateError when the file cannot be made.
    """

    def __init__(self, state_directory: Path, *, alone: bool) -> None:
        super().__init__(state_directory / "locks" / "home.lock", alone=alone)

    def _owned(self, pid: str) -> ProjectOwned:
        if self._alone:
            who = " and ".join(_named(holder) for holder in _holders(self._descriptor)) or "another process"
            return ProjectOwned(
                f"{who} works in this home",
                where=str(self._path),
                cure="Stop it first: obsync engine stop for an engine, Ctrl-C or kill for a project in the foreground.",
            )
        return ProjectOwned(
            f"the engine (process {pid or 'unknown'}) holds this home and does not answer",
            where=str(self._path),
            cure="Try again; if this stays: obsync engine restart.",
        )


def _holders(descriptor: int) -> list[int]:
    """The processes that hold the file by flock, as far as the kernel tells (proc_locks(5))."""
    inode = str(os.fstat(descriptor).st_ino)
    try:
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return []
    held = {int(line[4]) for line in lines if line[1] == "FLOCK" and line[5].rpartition(":")[2] == inode}
    return sorted(pid for pid in held if pid > 0)


def _named(pid: int) -> str:
    """A process with what it does, where it is an `obsync`."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = []
    for number, word in enumerate(words):
        if word == "obsync_tui" or word.rpartition("/")[2] == "obsync":
            return f"process {pid} ({' '.join(['obsync', *words[number + 1 :]]).strip()})"
    return f"process {pid}"

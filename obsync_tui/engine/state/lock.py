"""One process per project and machine, by a file lock that ends with its process."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from obsync_tui.config.paths import private_directory
from obsync_tui.engine.errors import ConfigError, ProjectOwned, StateError


class ProjectLock:
    """Holds a project on this machine: `locks/<id>.lock` below the state directory, from `with` to its end.

    Entering raises ProjectOwned, naming the process that holds it, and StateError when the file cannot be made. The
    file stays when the lock ends: removing it would let two processes hold two files of one name.
    """

    def __init__(self, state_directory: Path, project_id: str) -> None:
        self._path = state_directory / "locks" / f"{project_id}.lock"
        self._descriptor = -1

    def __enter__(self) -> "ProjectLock":
        try:
            private_directory(self._path.parent)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            # flock and not POSIX locks: those would end with any descriptor of the file that this process closes.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode())
        except BlockingIOError as error:
            pid = os.read(self._descriptor, 20).decode()
            self._release()
            raise ProjectOwned(
                f"process {pid or 'unknown'} on this machine runs the project",
                where=str(self._path),
                cure=f"Stop it first: kill {pid}" if pid else "Stop it first.",
            ) from error
        except ConfigError as error:
            raise StateError(error.what, where=error.where, cure=error.cure) from error
        except OSError as error:
            self._release()
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
        self._release()

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

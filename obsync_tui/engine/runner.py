"""One project's run in the engine: its thread, its lock, and what came of it."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from obsync_tui.engine.pipeline.run import ProjectRun
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.engine.threads import Lent, ThreadPool
from obsync_tui.model.metrics import Status
from obsync_tui.model.project import Project


class Run(Protocol):
    """What is followed to its end: `run` blocks until then, `stop` asks for it, `status` is this moment's picture."""

    def run(self) -> None:
        """Run to the end; EngineError is why it failed, Stopped that it was asked to stop."""

    def stop(self) -> None:
        """Ask for a stop at a checkpoint."""

    def status(self) -> Status:
        """The numbers of this moment."""


class Runner:
    """Runs until its end and tells `ended` the error it ended in, None for a good end.

    The lock is let go of at the end, or when the runner is abandoned: a call to a server that never returns holds
    nothing but its thread.
    """

    def __init__(
        self,
        project: Project,
        run: ProjectRun,
        lock: ProjectLock,
        threads: ThreadPool,
        ended: Callable[["Runner", BaseException | None], None],
    ) -> None:
        self.project = project
        self.run = run
        self.stop_asked_s: float | None = None
        self._mutex, self._has_ended = threading.Lock(), False
        self._lock = lock
        self._ended = ended
        self._over = threading.Event()
        self._threads = threads
        self._lent: Lent | None = None

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self._over.is_set()

    def start(self) -> None:
        """Begin."""
        self._lent = self._threads.lend(f"project {self.project.name}", self._work)

    def stop(self) -> None:
        """Ask for a stop at a checkpoint; does not wait."""
        if self.stop_asked_s is None:
            self.stop_asked_s = time.monotonic()
            self.run.stop()

    def wait(self, timeout_s: float) -> bool:
        """Whether the run has ended within the time."""
        return self._over.wait(timeout_s)

    def abandon(self) -> bool:
        """Give up waiting: what is not committed is done again by whoever runs the project next.

        False for a run that came to its end meanwhile, and then that is told before this returns.
        """
        if not self._is_first():
            self._over.wait()
            return False
        if self._lent is not None:
            self._threads.collect((self._lent,), 0)
        self._lock.release()
        self._over.set()
        return True

    def _is_first(self) -> bool:
        """Whether nobody ended it before the caller: the run itself, or who gives it up."""
        with self._mutex:
            ended, self._has_ended = self._has_ended, True
        return not ended

    def _work(self) -> None:
        error: BaseException | None = None
        try:
            self.run.run()
        except BaseException as caught:  # whatever it is, the supervisor decides about it
            error = caught
        if self._is_first():
            self._lock.release()
            try:
                self._ended(self, error)
            finally:
                self._over.set()

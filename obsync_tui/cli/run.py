"""`obsync project run`: a project in the foreground, until it ends or a signal stops it at a checkpoint."""

import argparse
import os
import select
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

import msgspec

from obsync_tui.cli import exit_codes
from obsync_tui.cli.display import Display
from obsync_tui.cli.output import drop, note
from obsync_tui.cli.session import Session
from obsync_tui.engine.errors import StateError, Stopped
from obsync_tui.engine.garbage import Sweep, keep_loaded
from obsync_tui.engine.history.journal import ProjectJournal
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.pipeline.ending import final_status
from obsync_tui.engine.refusal import require
from obsync_tui.engine.runner import Run
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.lock import HomeLock, ProjectLock
from obsync_tui.engine.state.projects import ProjectTable
from obsync_tui.model.lifecycle import Action, ProjectState, state_after
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.project import Project

TICK_S = 1.0
# A run that has not ended by then waits in a call to a server that does not answer; ending the process is as safe as
# a kill, for nothing counts that is not committed.
STOP_TIMEOUT_S = 4.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(session: Session, arguments: argparse.Namespace) -> int:
    """Run a project in the foreground and return the exit code of its end."""
    if session.client is not None:
        from obsync_tui.cli.attached import run_attached

        return run_attached(session, arguments.name, take_over=arguments.take_over)
    project = session.files.project(arguments.name)
    source, destination = session.files.source_of(project), session.files.destination_of(project)
    from obsync_tui.engine.pipeline.run import ProjectRun

    keep_loaded()
    home = session.paths.state
    with (
        HomeLock(home, alone=False),
        StateFile(session.paths.state_file) as state,
        ProjectLock(home, project.id),
    ):
        _refuse_released(ProjectTable(state), project)
        logs = ComponentLogs(session.paths.logs)
        project_run = ProjectRun(
            project,
            source,
            destination,
            session.secrets.resolve,
            state,
            take_over=arguments.take_over,
            journal=ProjectJournal(project.id, state, logs),
        )
        try:
            return run_in_foreground(project_run, state)
        finally:
            _keep(ProjectTable(state), project.id, project_run.status().phase)
            logs.close()


def _refuse_released(table: ProjectTable, project: Project) -> None:
    life = table.life(project.id)
    if life and life.state in (ProjectState.RELEASING, ProjectState.RELEASED):
        require(life.state, Action.RESUME, project.name)


def _keep(table: ProjectTable, project_id: str, phase: Phase) -> None:
    """Remember how the run ended: an engine never takes up what ran in the foreground by itself."""
    table.move(project_id, frozenset(ProjectState), state_after(phase), "", "ended in the foreground")


def run_in_foreground(project_run: Run, state: StateFile) -> int:
    """Run, writing and showing the status; raises the error that the run ended in.

    SIGINT, SIGTERM and SIGHUP stop at a checkpoint. A second SIGINT ends the process at once, which is as safe as a
    kill: what is not committed is done again.
    """
    reader, writer = os.pipe()

    def on_signal(number: int, frame: FrameType | None) -> None:
        os.write(writer, bytes([number]))

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        # One that the parent ignores (nohup, a background job of a shell) stays ignored.
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, on_signal)
    try:
        return _Foreground(project_run, state, reader, writer).wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


class _Foreground:
    """The main thread's side of a run: waits for its end, signals and the next second."""

    def __init__(self, project_run: Run, state: StateFile, reader: int, writer: int) -> None:
        self._run = project_run
        self._state = state
        self._reader = reader
        self._writer = writer
        self._display = Display()
        self._sweep = Sweep()
        self._error: BaseException | None = None
        self._state_error: StateError | None = None
        self._stop_asked_s = 0.0

    def wait(self) -> int:
        status = self._run.status()
        self._event(status, "started", f"process {os.getpid()}")
        worker = threading.Thread(target=self._work, name="project", daemon=True)
        worker.start()
        ended = False
        next_tick_s = time.monotonic()
        while not ended:
            left_s = max(0.0, next_tick_s - time.monotonic())
            if select.select([self._reader], [], [], left_s)[0]:
                ended = self._hear(os.read(self._reader, 64))
            elif self._stop_asked_s and time.monotonic() - self._stop_asked_s > STOP_TIMEOUT_S:
                self._abandon()
            if time.monotonic() >= next_tick_s:
                next_tick_s = max(next_tick_s + TICK_S, time.monotonic())
                self._tick()
        worker.join()
        return self._finish()

    def _work(self) -> None:
        try:
            self._run.run()
        except BaseException as error:  # whatever it is, the main thread raises it
            self._error = error
        os.write(self._writer, b"\0")

    def _hear(self, signals: bytes) -> bool:
        """Whether the run ended; a signal asks for it, a second SIGINT does not wait."""
        for number in signals:
            if number == 0:
                return True
            if not self._stop_asked_s:
                self._stop("stopping at a checkpoint")
            elif number == signal.SIGINT:
                self._display.end()
                note("interrupted again: ended at once, the project goes on from its last checkpoint")
                _end_process(exit_codes.INTERRUPTED)
        return False

    def _abandon(self) -> NoReturn:
        status = msgspec.structs.replace(self._run.status(), phase=Phase.STOPPED, at_s=time.time())
        self._save(status)
        self._display.end()
        note(
            "a server does not answer: ended without waiting for it; the project goes on from its last checkpoint"
        )
        self._event(status, "stopped", "without an answer of a server")
        _end_process(exit_codes.OK)

    def _stop(self, why: str) -> None:
        self._stop_asked_s = time.monotonic()
        self._run.stop()
        self._display.say(why)

    def _tick(self) -> None:
        status = self._run.status()
        self._save(status)
        self._display.show(status)
        self._sweep.when_due()

    def _save(self, status: Status) -> None:
        try:
            self._state.save_status(status)
        except StateError as error:
            if self._state_error is None:
                self._state_error = error
                self._stop(f"stopping: {error.what}")

    def _event(self, status: Status, kind: str, text: str) -> None:
        try:
            self._state.add_event(status.project_id, kind, text)
        except StateError as error:
            self._state_error = self._state_error or error

    def _finish(self) -> int:
        error = self._error if self._error is not None else self._state_error
        if isinstance(error, Stopped):
            error = self._state_error
        status = final_status(self._run.status(), error)
        self._save(status)
        self._display.show(status, last=True)
        if error is not None:
            self._event(status, "failed", str(error))
            raise error
        self._event(status, str(status.phase), "")
        return exit_codes.OK


def _end_process(code: int) -> NoReturn:
    """End without waiting for threads that hang in a call."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            drop(stream.fileno())
    os._exit(code)

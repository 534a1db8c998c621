"""`obsync project run`: a project in the foreground, until it ends or a signal stops it at a checkpoint."""

import argparse
import gc
import os
import select
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn, Protocol

import msgspec

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import drop, note
from obsync_tui.cli.session import Session
from obsync_tui.cli.status_text import ENDED, WIDTH, status_line, time_text
from obsync_tui.engine.errors import EngineError, StateError, Stopped
from obsync_tui.engine.pipeline.run import failed_phase
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.model.metrics import Failure, Phase, Status

TICK_S = 1.0
LINE_EVERY_S = 60.0
# A run that has not ended by then waits in a call to a server that does not answer; ending the process is as safe as
# a kill, for nothing counts that is not committed.
STOP_TIMEOUT_S = 4.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Run(Protocol):
    """A project's run: `run` blocks until its end, `stop` asks for it, `status` is this moment's picture."""

    def run(self) -> None:
        """Run to the end; EngineError is why it failed, Stopped that it was asked to stop."""

    def stop(self) -> None:
        """Ask for a stop at a checkpoint."""

    def status(self) -> Status:
        """The numbers of this moment."""


def run(session: Session, arguments: argparse.Namespace) -> int:
    """Run a project in the foreground and return the exit code of its end."""
    project = session.files.project(arguments.name)
    source, destination = session.source_of(project), session.destination_of(project)
    from obsync_tui.engine.pipeline.run import ProjectRun

    # A message is a dict: hundreds of thousands are made in a second and none is part of a cycle.
    gc.freeze()
    gc.set_threshold(50_000)
    with StateFile(session.paths.state_file) as state, ProjectLock(session.paths.state, project.id):
        project_run = ProjectRun(
            project, source, destination, session.secrets.resolve, state, take_over=arguments.take_over
        )
        return run_in_foreground(project_run, state)


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
        self._display = _Display()
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
        status = _final(self._run.status(), error)
        self._save(status)
        self._display.show(status, last=True)
        if error is not None:
            self._event(status, "failed", str(error))
            raise error
        self._event(status, str(status.phase), "")
        return exit_codes.OK


def _final(status: Status, error: BaseException | None) -> Status:
    """The status that stays when the process is gone: ended, with the error it ended in."""
    if error is None:
        phase = status.phase if status.phase in ENDED else Phase.STOPPED
        return msgspec.structs.replace(status, phase=phase, at_s=time.time())
    failure = Failure(type(error).__name__, str(error), "", "", False, time.time())
    if isinstance(error, EngineError):
        failure = msgspec.structs.replace(
            failure, what=error.what, where=error.where, cure=error.cure, retryable=error.retryable
        )
    return msgspec.structs.replace(status, phase=failed_phase(error), failure=failure, at_s=time.time())


class _Display:
    """Status on standard output: one line rewritten each second on a terminal, else a line a minute and per phase."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._phase: Phase | None = None
        self._shown_s = -LINE_EVERY_S
        self._warned: set[str] = set()

    def show(self, status: Status, last: bool = False) -> None:
        for warning in status.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.say(f"warning: {warning}")
        if self._terminal:
            self._write("\r" + status_line(status, self._width()) + "\x1b[K" + ("\n" if last else ""))
        elif last or status.phase is not self._phase or time.monotonic() - self._shown_s >= LINE_EVERY_S:
            self._shown_s = time.monotonic()
            self._write(f"{time_text(status.at_s)} {status_line(status)}\n")
        self._phase = status.phase

    def say(self, text: str) -> None:
        self.end()
        note(text)

    def end(self) -> None:
        """Leave the rewritten line, so that what follows stands on one of its own."""
        if self._terminal and self._phase is not None:
            self._write("\n")

    def _width(self) -> int:
        try:
            # The last column stays free: some terminals wrap when it is written.
            return min(WIDTH, os.get_terminal_size(sys.stdout.fileno()).columns - 1)
        except OSError:
            return WIDTH

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:  # the terminal is gone; the project does not depend on it
            drop(sys.stdout.fileno())
            self._terminal = False


def _end_process(code: int) -> NoReturn:
    """End without waiting for threads that hang in a call."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            drop(stream.fileno())
    os._exit(code)

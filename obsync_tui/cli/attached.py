"""`obsync project run` while an engine runs: the engine runs the project, this command follows it."""

import os
import select
import signal
import time
from types import FrameType

from obsync_tui.api import operations as op
from obsync_tui.api.errors import ErrorAnswer, RemoteError
from obsync_tui.api.requests import Named, Start
from obsync_tui.cli import exit_codes
from obsync_tui.cli.display import Display
from obsync_tui.cli.output import note
from obsync_tui.cli.session import Session
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Failure

TICK_S = 1.0


def run_attached(session: Session, name: str, *, take_over: bool) -> int:
    """Start or resume the project where it does not run, and show it until its end; a signal only detaches."""
    state = session.call(op.PROJECT, Named(name)).summary.state
    if state is not ProjectState.RUNNING:
        operation = op.START if state is ProjectState.NOT_STARTED else op.RESUME
        session.call(operation, Start(name, take_over))
    reader, writer = os.pipe()

    def on_signal(number: int, frame: FrameType | None) -> None:
        os.write(writer, b"\0")

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, on_signal)
    # Told only when it holds: a Ctrl-C right after these words detaches.
    note(f"the engine runs {name}; Ctrl-C leaves it running: obsync project pause {name} stops it")
    display = Display()
    while True:
        details = session.call(op.PROJECT, Named(name))
        ended = details.summary.state is not ProjectState.RUNNING and not details.summary.settling
        if details.status is not None:
            display.show(details.status, last=ended)
        if ended:
            return _ended(details.summary.state, details.summary.failure, name)
        if select.select([reader], [], [], TICK_S)[0]:
            display.say(f"detached: the engine goes on with {name}")
            return exit_codes.OK


def _ended(state: ProjectState, failure: Failure | None, name: str) -> int:
    if state is ProjectState.FAILED and failure is not None:
        answer = ErrorAnswer(failure.code, failure.what, failure.where, failure.cure, failure.retryable)
        raise RemoteError(answer, 200)
    note(f"{name} is {state} since {time.strftime('%H:%M:%S')}")
    return exit_codes.OK

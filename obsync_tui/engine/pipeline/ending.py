"""How a run that ended stands."""

import time

import msgspec

from obsync_tui.engine.errors import EngineError, LogGap
from obsync_tui.model.metrics import ENDED, Failure, Phase, Status


def failed_phase(error: BaseException) -> Phase:
    """How a run that ended in an error stands."""
    return Phase.GAP if isinstance(error, LogGap) else Phase.FAILED


def failure_of(error: BaseException) -> Failure:
    """The error as clients are shown it."""
    if not isinstance(error, EngineError):
        return Failure(type(error).__name__, str(error), "", "", False, time.time())
    return Failure(type(error).__name__, error.what, error.where, error.cure, error.retryable, time.time())


def final_status(status: Status, error: BaseException | None) -> Status:
    """The status that stays when the run is over: ended, with the error it ended in."""
    if error is None:
        phase = status.phase if status.phase in ENDED else Phase.STOPPED
        return msgspec.structs.replace(status, phase=phase, at_s=time.time())
    return msgspec.structs.replace(
        status, phase=failed_phase(error), failure=failure_of(error), at_s=time.time()
    )

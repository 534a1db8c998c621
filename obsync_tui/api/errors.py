"""What can go wrong between a client and the engine.

EngineError (of the model)
    RemoteError        what the engine answered; `code` is the class of the failure there
        AccessDenied   this user may not do that
    EngineAway         no engine answers on the socket (retryable)
    NotOurEngine       somebody else holds the socket, or the engine speaks another protocol
"""

import msgspec

from obsync_tui.model.errors import EngineError

__all__ = ["AccessDenied", "EngineAway", "EngineError", "ErrorAnswer", "NotOurEngine", "RemoteError"]

ACCESS_DENIED = "AccessDenied"


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every answer that is an error; `code` is the name of a class."""

    code: str
    what: str
    where: str = ""
    cure: str = ""
    retryable: bool = False


class RemoteError(EngineError):
    """A failure that the engine answered."""

    def __init__(self, answer: ErrorAnswer, status: int) -> None:
        super().__init__(answer.what, where=answer.where, cure=answer.cure)
        self.code = answer.code
        self.status = status
        self.is_retryable = answer.retryable


class AccessDenied(RemoteError):
    """This user may not do that."""


class EngineAway(EngineError):
    """No engine answers."""

    retryable = True


class NotOurEngine(EngineError):
    """The socket is not that of an engine that this client may talk to."""


def remote_error(answer: ErrorAnswer, status: int) -> RemoteError:
    """The error that an answer stands for."""
    return (AccessDenied if answer.code == ACCESS_DENIED else RemoteError)(answer, status)

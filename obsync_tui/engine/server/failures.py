"""Errors as answers: which status each has; nothing in them but what, where and the cure."""

from starlette.responses import Response as HttpResponse

from obsync_tui.api.errors import ErrorAnswer
from obsync_tui.api.wire import encode
from obsync_tui.engine import errors

# By the name of the class, the nearest one above counts.
_STATUS = {
    "AccessDenied": 403,
    "BadRequest": 400,
    "Busy": 503,
    "Conflict": 409,
    "Refused": 409,
    "NeedsEngine": 409,
    "ProjectOwned": 409,
    "ConfigError": 422,
    "SourceError": 502,
    "SinkError": 502,
    "CheckpointError": 409,
    "StateError": 507,
}


def status_of(error: errors.EngineError) -> int:
    """The HTTP status of an error's class, or of the nearest class above it; 404 for a name that is not there."""
    if isinstance(error, errors.ConfigError) and error.what.startswith("there is no "):
        return 404
    return next((_STATUS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _STATUS), 409)


def failure(error: errors.EngineError) -> HttpResponse:
    """The answer of an error."""
    answer = ErrorAnswer(type(error).__name__, error.what, error.where, error.cure, error.retryable)
    return HttpResponse(encode(answer), status_of(error), media_type="application/json")

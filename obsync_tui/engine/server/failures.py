"""Errors as answers: which status each has; nothing in them but what, where and the cure."""

from starlette.responses import Response as HttpResponse

from obsync_tui.api.errors import ErrorAnswer
from obsync_tui.api.wire import encode
from obsync_tui.engine import errors

# The nearest class above an error counts.
_STATUS: dict[type[errors.EngineError], int] = {
    errors.AccessDenied: 403,
    errors.BadRequest: 400,
    errors.Busy: 503,
    errors.ConfigError: 422,
    errors.SourceError: 502,
    errors.SinkError: 502,
    errors.StateError: 507,
    # What stands in the way of the request: a state, a file, another process, a checkpoint.
    errors.EngineError: 409,
}


def status_of(error: errors.EngineError) -> int:
    """The HTTP status of an error's class, or of the nearest class above it; 404 for a name that is not there."""
    if isinstance(error, errors.ConfigError) and error.missing:
        return 404
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def failure(error: errors.EngineError) -> HttpResponse:
    """The answer of an error."""
    answer = ErrorAnswer(type(error).__name__, error.what, error.where, error.cure, error.retryable)
    return HttpResponse(encode(answer), status_of(error), media_type="application/json")

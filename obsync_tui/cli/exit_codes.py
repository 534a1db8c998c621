"""Exit codes of `obsync`. The table is stable: a code never changes its meaning.

0   done, or stopped at a checkpoint as asked
1   unexpected error: a fault of obsync itself
2   the command line cannot be understood
3   configuration: a file, an option or a secret is wrong
4   the source does not answer, or the connection broke for good
5   the source refused the user: password or right
6   the source's settings or objects would lose changes
7   the source's log no longer holds the position
8   a table's schema changed in a way that cannot be followed
9   a value cannot be converted
10  the destination does not answer, or its transactions fail for good
11  the destination refused the user: password or right
12  a topic or a message does not fit
13  the checkpoint is lost
14  another instance runs the project, or took it over
15  local state cannot be read or written (full disk)
16  a check failed
17  the source's log is damaged on the wire
18  no engine answers, or it refuses this user
19  the project's state does not allow it, or its file was changed meanwhile
130 interrupted a second time: ended at once, goes on from the last checkpoint
141 the reader of the output is gone (as with SIGPIPE)
"""

from obsync_tui.api.errors import RemoteError
from obsync_tui.engine import errors

OK = 0
UNEXPECTED = 1
USAGE = 2
CHECK_FAILED = 16
INTERRUPTED = 130
OUTPUT_GONE = 141

CODES: dict[type[errors.EngineError], int] = {
    errors.Stopped: OK,
    errors.ConfigError: 3,
    errors.SourceError: 4,
    errors.SourceUnreachable: 4,
    errors.SnapshotLost: 4,
    errors.SourceRefused: 5,
    errors.SourceUnfit: 6,
    errors.LogGap: 7,
    errors.SchemaMismatch: 8,
    errors.SchemaChanged: 8,
    errors.ValueUnreadable: 9,
    errors.SinkError: 10,
    errors.SinkUnreachable: 10,
    errors.TransactionAborted: 10,
    errors.SinkRefused: 11,
    errors.TopicUnfit: 12,
    errors.MessageTooLarge: 12,
    errors.CheckpointError: 13,
    errors.CheckpointLost: 13,
    errors.ProjectOwned: 14,
    errors.Fenced: 14,
    errors.ReplacedReader: 14,
    errors.StateError: 15,
    errors.LogDamaged: 17,
    errors.AccessDenied: 18,
    errors.NeedsEngine: 18,
    errors.Busy: 18,
    errors.Refused: 19,
    errors.Conflict: 19,
    errors.BadRequest: 3,
    errors.EngineError: UNEXPECTED,
}


# By the names that answers carry, with what only the way to the engine knows.
_NAMED = {kind.__name__: code for kind, code in CODES.items()} | {
    "EngineAway": 18,
    "NotOurEngine": 18,
    "NotUnderstood": 18,
    "NotFound": 3,
}


def exit_code(error: errors.EngineError) -> int:
    """The code of the error's class, or of the nearest class above it; an answer's error counts as what it was."""
    if isinstance(error, RemoteError):
        return named(error.code)
    return next(_NAMED[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _NAMED)


def named(code: str) -> int:
    """The exit code of an error by the name of its class."""
    return _NAMED.get(code, UNEXPECTED)

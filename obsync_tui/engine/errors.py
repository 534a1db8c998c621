"""Every failure the engine can end in.

    EngineError                       what, where, what to do next; `retryable` says whether trying again can help
    ├── SourceError
    │   ├── SourceUnreachable         the server does not answer, or the connection broke         retryable
    │   ├── SourceRefused             wrong password, missing right
    │   ├── SourceUnfit               a setting that would lose changes (GTID off, STATEMENT, …)
    │   ├── LogGap                    the log no longer holds, or never held, our position
    │   ├── LogDamaged                checksum or framing is wrong on the wire                     retryable
    │   ├── ReplacedReader            another reader took our server_id
    │   ├── SchemaMismatch            the wire disagrees with the schema version in force
    │   ├── SchemaChanged             DDL that cannot be followed
    │   ├── SnapshotLost              a snapshot connection is gone                                retryable
    │   └── ValueUnreadable           a value cannot be converted
    ├── SinkError
    │   ├── SinkUnreachable           no broker answers, or a time-out                             retryable
    │   ├── SinkRefused               authentication or authorization
    │   ├── TransactionAborted        the transaction must be done again from the checkpoint       retryable
    │   ├── Fenced                    another instance of this project took over
    │   ├── TopicUnfit                missing, illegal, colliding, or of another shape
    │   └── MessageTooLarge
    ├── CheckpointError
    │   ├── CheckpointLost            progress is known here but the checkpoint is gone
    │   └── ProjectOwned              another process runs the project
    ├── StateError                    the local state cannot be read or written (disk full, …)
    ├── ConfigError                   a file or an option is wrong
    ├── Refused                       the project's state does not allow the action
    ├── Conflict                      the file was changed by somebody else meanwhile
    ├── NeedsEngine                   only a running engine can do it
    ├── AccessDenied                  this user may not do that
    ├── BadRequest                    a request of the API cannot be understood
    ├── Busy                          too many calls wait for servers                          retryable
    └── Stopped                       the user asked; not an error

Whether an error is retried is decided here, by its class, and nowhere else.
"""

from obsync_tui.model.errors import ConfigError as ConfigError
from obsync_tui.model.errors import EngineError as EngineError


class SourceError(EngineError):
    """The source's side failed."""


class SourceUnreachable(SourceError):
    """The source does not answer, or the connection broke."""

    retryable = True


class SourceRefused(SourceError):
    """The source refused the user: wrong password or a missing right."""


class SourceUnfit(SourceError):
    """A setting or object of the source would lose changes."""


class LogGap(SourceError):
    """The log no longer holds the position, or belongs to another history."""


class LogDamaged(SourceError):
    """An event's checksum or framing is wrong."""

    retryable = True


class ReplacedReader(SourceError):
    """Another reader registered with this project's server_id."""


class SchemaMismatch(SourceError):
    """Column count or types on the wire disagree with the schema version in force."""


class SchemaChanged(SourceError):
    """A DDL statement that cannot be followed."""


class SnapshotLost(SourceError):
    """A snapshot connection is gone; what is unread goes on under another cut."""

    retryable = True


class ValueUnreadable(SourceError):
    """A value cannot be converted; names table, column and GTID."""


class SinkError(EngineError):
    """The destination's side failed."""


class SinkUnreachable(SinkError):
    """No broker answers, or a request timed out."""

    retryable = True


class SinkRefused(SinkError):
    """The broker refused authentication or authorization."""


class TransactionAborted(SinkError):
    """The open transaction is lost; everything in it is done again from the checkpoint."""

    retryable = True


class Fenced(SinkError):
    """Another instance of this project took over; this one stops for good."""


class TopicUnfit(SinkError):
    """A topic is missing, illegally named, colliding, or of another shape."""


class MessageTooLarge(SinkError):
    """A message is above the topic's limit."""


class CheckpointError(EngineError):
    """The checkpoint cannot be trusted or used."""


class CheckpointLost(CheckpointError):
    """Local state shows progress but the checkpoint is gone."""


class ProjectOwned(CheckpointError):
    """Another process runs the project."""


class StateError(EngineError):
    """The local state cannot be read or written."""


class Stopped(EngineError):
    """The user asked to stop; nothing is wrong."""


class Refused(EngineError):
    """The project's state does not allow the action."""


class Conflict(EngineError):
    """The file was changed by somebody else meanwhile."""


class NeedsEngine(EngineError):
    """Only a running engine can do it."""


class AccessDenied(EngineError):
    """This user may not do that."""


class BadRequest(EngineError):
    """The request cannot be understood."""


class Busy(EngineError):
    """Too many calls wait for servers."""

    retryable = True

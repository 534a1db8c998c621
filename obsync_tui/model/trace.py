"""A row's way from the source's log to its message, and messages as they went out."""

import msgspec


class TraceLine(msgspec.Struct, frozen=True):
    """One message that came of a change of a row, or a change of which none came.

    `kind` is the source's (INSERT, UPDATE, DELETE, or ROW of Full-Import), `record` the message's: an UPDATE of key or
    hash columns is a DELETE and an INSERT. Where there is no message, `left_out` says why and `record`, `topic` and
    `partition` are empty. `position` is where the project stood behind the change, `inside` and `rows` as in
    LogPosition. Times are UTC epoch seconds: `commit_s` by the source's clock, 0 for ROW; `delivered_s` None: not yet.
    """

    gtid: str
    commit_s: float
    read_s: float
    kind: str
    record: str = ""
    left_out: str = ""
    topic: str = ""
    partition: int | None = None
    position: str = ""
    inside: str = ""
    rows: int = 0
    delivered_s: float | None = None


class TraceWindow(msgspec.Struct, frozen=True):
    """What can be looked at: since when, and of how many bytes at most; `limit_bytes` 0 is switched off."""

    since_s: float | None
    size_bytes: int
    limit_bytes: int


class TraceAnswer(msgspec.Struct, frozen=True):
    """The lines of a row, oldest first, and the window that they are from."""

    lines: tuple[TraceLine, ...]
    window: TraceWindow


class MessageSample(msgspec.Struct, frozen=True):
    """A message of a topic; `value` is cut, `size_bytes` the whole one's. `delivered_s` None: not committed yet."""

    topic: str
    partition: int
    key: str | None
    value: str
    size_bytes: int
    delivered_s: float | None

"""Message plans: what a message is made of, as data.

A format maps a table version to plans; a row plan compiles a plan for a wire shape. A plan is a sequence of
operations whose texts, joined, are the message's value in UTF-8.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from obsync_tui.model.table import TableName, TableVersion


class RecordKind(StrEnum):
    """What a message tells: a change, or a row of Full-Import."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    ROW = "ROW"


class Image(StrEnum):
    """Which image of a row a value comes from."""

    BEFORE = "before"
    AFTER = "after"


class Renderer(StrEnum):
    """How a column's value becomes JSON text."""

    NUMBER = "number"
    STRING = "string"
    BASE64 = "base64"
    UNIX_FRACTION = "unix.fraction"


class Variable(StrEnum):
    """What is known of a change besides its row.

    COMMIT_S: commit time, whole seconds. SEQUENCE: `storeDataSequence`. GTID: `uuid:gno`. GNO: the number alone.
    """

    COMMIT_S = "commit_s"
    SEQUENCE = "sequence"
    GTID = "gtid"
    GNO = "gno"


class Literal(msgspec.Struct, frozen=True, tag=True):
    """Text as it stands."""

    text: str


class Value(msgspec.Struct, frozen=True, tag=True):
    """A column's value as JSON: `null` when the column is NULL."""

    column: int
    image: Image
    renderer: Renderer


class Joined(msgspec.Struct, frozen=True, tag=True):
    """A JSON string of literal texts and plain column texts: `parts` are texts or column ordinals."""

    parts: tuple[str | int, ...]
    image: Image


Operation = Literal | Value | Joined | Variable


class MessagePlan(msgspec.Struct, frozen=True):
    """The operations that make one message's value."""

    operations: tuple[Operation, ...]


class Identity(msgspec.Struct, frozen=True):
    """What a format tells of the source: `tenant` is empty for MySQL, `cluster_id` None there."""

    db_type: str
    source_identity: str
    tenant: str = ""
    cluster_id: str | None = None


class DdlRecord(msgspec.Struct, frozen=True):
    """A DDL statement for a message; `ddl_type` as OMS spells it (ALTER_TABLE)."""

    table: TableName
    statement: str
    ddl_type: str
    commit_s: int


class MessageFormat(msgspec.Struct, frozen=True):
    """A format: `row` gives the plan of a kind, `ddl` and `heartbeat` give whole messages.

    `renderer` names how the format writes a column's value; ValueError when it cannot.
    """

    row: Callable[[TableVersion, RecordKind, Identity], MessagePlan]
    ddl: Callable[[DdlRecord, Identity], bytes]
    heartbeat: Callable[[int, Identity], bytes]

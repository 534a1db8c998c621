"""A project: what is synchronized from where to where, and how."""

import random
import re
import string
from enum import StrEnum
from typing import Annotated

import msgspec

from obsync_tui.model.moment import Moment, parse_moment
from obsync_tui.model.table import TableName

NOW = "now"
NAME_PATTERN = r"\A[A-Za-z0-9_-]{1,64}\Z"
ID_PATTERN = r"\Anp_[a-z0-9]{12}\Z"
ProjectId = Annotated[str, msgspec.Meta(pattern=ID_PATTERN)]
Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
Tag = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


def is_name(text: str) -> bool:
    """Whether the text may name a project or a data source: letters, digits, `_`, `-`, at most 64."""
    return re.match(NAME_PATTERN, text) is not None


def new_project_id() -> str:
    """A random project id: `np_` and 12 letters or digits."""
    letters = random.SystemRandom().choices(string.ascii_lowercase + string.digits, k=12)
    return "np_" + "".join(letters)


class DmlKind(StrEnum):
    """A row change's kind, as the source made it."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


class Step(StrEnum):
    """A step of synchronization, in OMS's words."""

    SCHEMA = "schema"
    FULL = "full"
    INCREMENTAL = "incremental"


class PartitionRule(StrEnum):
    """How a row's partition is chosen."""

    HASH = "Hash"
    TABLE = "Table"
    ONE = "One"


class HashFunction(StrEnum):
    """CRC32 of the hash columns' text, or Java's murmur2 of the message key."""

    CRC32 = "crc32"
    MURMUR2 = "murmur2"


class KeyForm(StrEnum):
    """The message key: primary-key text joined by U+0001, a JSON array, or none."""

    PRIMARY_KEY = "primary-key"
    JSON = "json"
    NONE = "none"


class Format(StrEnum):
    """Message formats, by OMS's names."""

    DEFAULT = "Default"
    DEFAULT_EXTEND_COLUMN_TYPE = "DefaultExtendColumnType"


class Guarantee(StrEnum):
    """What delivery promises."""

    EXACTLY_ONCE = "exactly-once"
    AT_LEAST_ONCE = "at-least-once"


class TooLarge(StrEnum):
    """What happens to a message above the topic's limit."""

    STOP = "stop"
    DEAD_LETTER = "dead-letter"


class TopicMode(StrEnum):
    """Who makes the topics: obsync, somebody before, or the broker at first use."""

    CREATE = "create"
    EXISTING = "existing"
    AUTO_CREATE = "auto-create"


class OnDrop(StrEnum):
    """What DROP or TRUNCATE of a table in scope does to the project."""

    CONTINUE = "continue"
    STOP = "stop"


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the project file: no unknown keys, defaults left out."""


class TableRule(Strict, frozen=True):
    """What differs for one table: `name` is `database.table`.

    `accept_lost_lob_updates` leaves the table's LOB columns out of its view log and so out of its changes.
    """

    name: str
    topic: str = ""
    sharding_columns: tuple[str, ...] = ()
    accept_lost_lob_updates: bool = False

    def __post_init__(self) -> None:
        TableName.parse(self.name)


class Objects(Strict, frozen=True):
    """Synchronization objects: OMS match rules, include minus exclude, and what differs per table.

    `ddl` sends DDL records, `heartbeat_s` sends HEARTBEAT records (0: none). `merge_upserts` sends a DELETE and the
    INSERT of the same key right behind it, in one transaction, as an UPDATE.
    """

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    dml: tuple[DmlKind, ...] = (DmlKind.INSERT, DmlKind.UPDATE, DmlKind.DELETE)
    ddl: bool = False
    heartbeat_s: Count = 0
    on_drop: OnDrop = OnDrop.CONTINUE
    tables: tuple[TableRule, ...] = ()
    merge_upserts: bool = False

    def __post_init__(self) -> None:
        if not any(self.include):
            raise ValueError("include names no objects")
        if not self.dml:
            raise ValueError("dml names no kind of change")
        if len({table.name for table in self.tables}) < len(self.tables):
            raise ValueError("a table stands twice in tables")


class Message(Strict, frozen=True):
    """How a row becomes a message and where it goes."""

    topic: str = "${database}_${table}"
    format: Format = Format.DEFAULT
    key: KeyForm = KeyForm.PRIMARY_KEY
    partition: PartitionRule = PartitionRule.HASH
    hash: HashFunction = HashFunction.CRC32
    one_partition: Count = 0


class Topics(Strict, frozen=True):
    """How topics come to be; `replication` -1 is the broker's default."""

    mode: TopicMode = TopicMode.CREATE
    partitions: Positive = 3
    replication: Annotated[int, msgspec.Meta(ge=-1)] = -1
    settings: dict[str, str] = {}


class Delivery(Strict, frozen=True):
    """Delivery's guarantee, and the policy for messages that are too large."""

    guarantee: Guarantee = Guarantee.EXACTLY_ONCE
    too_large: TooLarge = TooLarge.STOP
    dead_letter_topic: str = ""
    transaction_timeout_s: Positive = 60

    def __post_init__(self) -> None:
        if self.too_large is TooLarge.DEAD_LETTER and not self.dead_letter_topic:
            raise ValueError("too_large = 'dead-letter' needs dead_letter_topic")


class Full(Strict, frozen=True):
    """Full-Import: connections, rows per range, and rate limits (0: none)."""

    connections: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    range_rows: Positive = 100_000
    rows_per_s: Count = 0
    bytes_per_s: Count = 0


class Store(Strict, frozen=True):
    """Log pulling: heartbeat period, when silence counts as a fault, how long view logs get, rate limits (0: none).

    `start` is where the stream first begins: `now`, or for a project without the step full a point of time, ISO 8601
    with its zone or epoch seconds.
    """

    heartbeat_s: Annotated[float, msgspec.Meta(ge=0.1, le=30)] = 1.0
    silence_s: Annotated[float, msgspec.Meta(ge=1)] = 15.0
    purge_rows: Annotated[int, msgspec.Meta(ge=100)] = 50_000
    rows_per_s: Count = 0
    bytes_per_s: Count = 0
    start: str = NOW

    def __post_init__(self) -> None:
        if self.start != NOW:
            parse_moment(self.start)

    @property
    def start_moment(self) -> Moment | None:
        """The point of time, None for now."""
        return None if self.start == NOW else parse_moment(self.start)


class Trace(Strict, frozen=True):
    """Row trace: how many bytes of the newest batches are kept in memory while the project runs; 0: none."""

    window_bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 30)] = 8 << 20


class Project(Strict, frozen=True, rename={"source": "from", "destination": "to"}):
    """A project file, whole; `source` and `destination` are data-source names (`from` and `to` in the file).

    `tags` group projects for people and batches.
    """

    id: ProjectId
    name: Name
    source: Name
    destination: Name
    objects: Objects
    steps: tuple[Step, ...] = (Step.SCHEMA, Step.FULL, Step.INCREMENTAL)
    message: Message = Message()
    topics: Topics = Topics()
    delivery: Delivery = Delivery()
    full: Full = Full()
    store: Store = Store()
    tags: tuple[Tag, ...] = ()
    trace: Trace = Trace()

    def __post_init__(self) -> None:
        if not self.steps or len(set(self.steps)) < len(self.steps):
            raise ValueError("steps names each step once, and at least one")
        if self.store.start != NOW and (Step.FULL in self.steps or Step.INCREMENTAL not in self.steps):
            raise ValueError(
                "store.start is for incremental synchronization without the step full, whose stream begins where the "
                "tables were read"
            )
        one = self.message.one_partition if self.message.partition is PartitionRule.ONE else 0
        if self.topics.mode is TopicMode.CREATE and one >= self.topics.partitions:
            raise ValueError("message.one_partition is not one of topics.partitions")

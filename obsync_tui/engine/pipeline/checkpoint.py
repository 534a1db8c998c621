"""A project's checkpoint, as read back from its sink."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from obsync_tui.engine.errors import CheckpointError
from obsync_tui.engine.store.versions import schemas_of
from obsync_tui.model.checkpoint import OWNER_KEY, POSITION_KEY, RESYNC_KEY, SCOPE_KEY, Record
from obsync_tui.model.objects import Scope
from obsync_tui.model.position import LogPosition
from obsync_tui.model.table import TableName, TableVersion

EPOCH_KEY = "epoch"
TOPICS_KEY = "topics"
# These two are in `state.db` only, and no progress.
LOCAL_PROGRESS_KEY = "progress"
PAUSED_KEY = "paused"


class Checkpoint(msgspec.Struct, frozen=True):
    """What is durable: the stream's position once Full-Import is done, frozen partition counts, schema versions.

    `resync` are tables to read again before the stream goes on, under a cut later than `resync_after_cut`. `scope` are
    the rules that the rest is of, None where nobody kept them yet. `records` are all, for whoever keeps its own.
    """

    position: LogPosition | None
    epoch: int
    partitions: dict[str, int]
    schemas: tuple[TableVersion, ...]
    records: tuple[Record, ...]
    resync: frozenset[TableName] = frozenset()
    resync_after_cut: int = 0
    scope: Scope | None = None

    @property
    def started(self) -> bool:
        """Whether any progress was ever committed."""
        return any(record.key not in (OWNER_KEY, EPOCH_KEY, PAUSED_KEY, SCOPE_KEY) for record in self.records)


def decode_checkpoint(values: Mapping[str, bytes]) -> Checkpoint:
    """Read the records; CheckpointError when one cannot be read."""
    try:
        position = values.get(POSITION_KEY)
        return Checkpoint(
            msgspec.json.decode(position, type=LogPosition) if position else None,
            msgspec.json.decode(values.get(EPOCH_KEY, b"0"), type=int),
            msgspec.json.decode(values.get(TOPICS_KEY, b"{}"), type=dict[str, int]),
            schemas_of(Record(key, value) for key, value in values.items()),
            tuple(Record(key, value) for key, value in sorted(values.items())),
            *_resync_of(values.get(RESYNC_KEY)),
            msgspec.json.decode(scope, type=Scope) if (scope := values.get(SCOPE_KEY)) else None,
        )
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise CheckpointError(
            f"a record cannot be read: {error}",
            where="checkpoint",
            cure="It may be a newer version's. Use that version, or reset the project.",
        ) from error


def after_commit(checkpoint: Checkpoint, records: Iterable[Record]) -> Checkpoint:
    """The checkpoint once these records are committed."""
    values = {record.key: record.value for record in (*checkpoint.records, *records)}
    return decode_checkpoint({key: value for key, value in values.items() if value is not None})


def scope_record(scope: Scope) -> Record:
    """The rules of the scope as a record."""
    return Record(SCOPE_KEY, msgspec.json.encode(scope))


def position_record(position: LogPosition) -> Record:
    """The stream's position as a record."""
    return Record(POSITION_KEY, msgspec.json.encode(position))


def partitions_record(partitions: Mapping[str, int]) -> Record:
    """The frozen partition counts as a record."""
    return Record(TOPICS_KEY, msgspec.json.encode(dict(partitions), order="sorted"))


def resync_record(tables: Collection[TableName], after_cut: int = 0) -> Record:
    """The tables to read again, under a cut with a larger id, as a record; none removes it."""
    return read_again_record(tables, after_cut) if tables else Record(RESYNC_KEY, None)


def read_again_record(tables: Collection[TableName], after_cut: int) -> Record:
    """The record even without tables: what is read then is read under a cut with a larger id."""
    return Record(RESYNC_KEY, msgspec.json.encode((sorted(tables), after_cut)))


def _resync_of(value: bytes | None) -> tuple[frozenset[TableName], int]:
    return msgspec.json.decode(value, type=tuple[frozenset[TableName], int]) if value else (frozenset(), 0)

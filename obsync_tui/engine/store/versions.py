"""Schema versions as checkpoint records: one key per table, the version in force at the position."""

from collections.abc import Iterable

import msgspec

from obsync_tui.engine.errors import CheckpointError
from obsync_tui.model.checkpoint import SCHEMA_PREFIX, Record
from obsync_tui.model.table import TableName, TableVersion


def schema_record(table: TableVersion) -> Record:
    """The record of a version; quoted names, for a dot may stand in a name."""
    return Record(SCHEMA_PREFIX + table.name.quoted, msgspec.json.encode(table))


def dropped_schema_record(name: TableName) -> Record:
    """The record that removes a table's version."""
    return Record(SCHEMA_PREFIX + name.quoted, None)


def schemas_of(records: Iterable[Record]) -> tuple[TableVersion, ...]:
    """The versions among a checkpoint's records; CheckpointError when one cannot be read."""
    try:
        return tuple(
            msgspec.json.decode(record.value, type=TableVersion)
            for record in records
            if record.key.startswith(SCHEMA_PREFIX) and record.value is not None
        )
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise CheckpointError(
            f"a schema version cannot be read: {error}", where="checkpoint", cure="Reset the project."
        ) from error

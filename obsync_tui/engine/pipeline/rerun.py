"""Reading tables again under a later cut, while the stream keeps its position."""

import msgspec

from obsync_tui.engine.full.progress import FullProgress, table_key
from obsync_tui.engine.pipeline.checkpoint import (
    Checkpoint,
    after_commit,
    position_record,
    read_again_record,
    resync_record,
)
from obsync_tui.engine.pipeline.source import Commit, SourceSide
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.position import LogPosition
from obsync_tui.model.table import TableName


class Rerun(msgspec.Struct, frozen=True):
    """What Full-Import is asked to read again; no tables: all of the project's."""

    tables: frozenset[TableName] = frozenset()


def read_again(
    side: SourceSide, checkpoint: Checkpoint, tables: frozenset[TableName], lost: frozenset[TableName]
) -> list[Record]:
    """The records by which the next attempt reads the tables again.

    Logs of the tables themselves are given up, and those of `lost` tables too: what they hold is older than the cut.
    Inside a transaction the position goes back to its beginning. Raises SourceError.
    """
    records = [Record(table_key(table), None) for table in sorted(tables)]
    records += side.give_up(checkpoint, tables | lost)
    after_cut = FullProgress(checkpoint.records).last_cut_id
    if checkpoint.position is None:
        # The first full synchronization is not done, which reads every table that has no progress.
        records.append(read_again_record((), after_cut))
    else:
        records.append(resync_record(checkpoint.resync | tables, after_cut))
        records.append(position_record(outside(checkpoint.position)))
    return records


def outside(position: LogPosition) -> LogPosition:
    """The position before the transaction that it lies in.

    The changes that were counted in it are not those that come of it when tables are left out up to their cut.
    """
    return msgspec.structs.replace(position, inside="", rows=0)


def sent_again(position: LogPosition) -> str:
    """A sentence on the transaction that the position lies in; empty when it lies in none."""
    if not position.inside:
        return ""
    return (
        f"transaction {position.inside} was delivered in part, {position.rows:,} changes of it, and is sent again from "
        "its beginning"
    )


def commit_rerun(
    rerun: Rerun, side: SourceSide, checkpoint: Checkpoint, commit: Commit
) -> tuple[Checkpoint, tuple[TableName, ...]]:
    """Make a rerun durable: the checkpoint that then is, and the tables; names that it does not know are left out."""
    known = {table.name for table in checkpoint.schemas}
    tables = frozenset(known & rerun.tables if rerun.tables else known)
    if not tables:
        return checkpoint, ()
    records = tuple(read_again(side, checkpoint, tables, frozenset()))
    commit(records)
    return after_commit(checkpoint, records), tuple(sorted(tables))

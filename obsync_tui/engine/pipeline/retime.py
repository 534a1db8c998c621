"""Setting a stopped project to a point of time: its stream goes on from there, in the next epoch.

What lies between is sent again, or never; both are told before. The position goes through the same transactional path
as every checkpoint, so that no older instance can overrule it. The sequence numbers of messages go on rising.
"""

import threading
from collections.abc import Collection

import msgspec

from obsync_tui.engine.errors import ConfigError
from obsync_tui.engine.full.progress import FullProgress, table_key
from obsync_tui.engine.pipeline.checkpoint import (
    EPOCH_KEY,
    LOCAL_PROGRESS_KEY,
    Checkpoint,
    decode_checkpoint,
    position_record,
    resync_record,
)
from obsync_tui.engine.pipeline.scope import kept_rules
from obsync_tui.engine.pipeline.shapes import Shapes, check_known
from obsync_tui.engine.pipeline.source import SourceSide
from obsync_tui.engine.pipeline.stopped import StoppedProject
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.versions import dropped_schema_record, schema_record
from obsync_tui.model.checkpoint import OWNER_KEY, PURGE_KEY, TABLE_PREFIX, Record
from obsync_tui.model.event import EventKind
from obsync_tui.model.moment import Moment
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import Project
from obsync_tui.model.retime import Retime, Stretch
from obsync_tui.model.table import TableName

_SHOWN = 200


class Plan(msgspec.Struct, frozen=True):
    """What is told, and the shapes of the tables that go on."""

    retime: Retime
    shapes: Shapes


def plan(
    project: Project,
    side: SourceSide,
    stopped: StoppedProject,
    at: Moment,
    again: Collection[TableName] | None = (),
    stopping: threading.Event | None = None,
) -> Plan:
    """Find the position of a time and what it means; nothing is changed. `again` are tables to read anew, None: all.

    ConfigError when the stream has not begun, a table is unknown, or the time is to come; LogGap when the log does not
    reach back so far. Raises SourceError, CheckpointError, Stopped.
    """
    stopping = stopping or threading.Event()
    checkpoint = decode_checkpoint(stopped.values)
    position = _position(project, checkpoint)
    names = _again(project, checkpoint, again)
    left = msgspec.structs.replace(
        checkpoint,
        resync=names,
        schemas=tuple(table for table in checkpoint.schemas if table.name not in names),
    )
    found = side.position_at(at, left, stopping)
    epoch = max(checkpoint.epoch, position.epoch) + 1
    start = msgspec.structs.replace(found.position, sequence=position.sequence, epoch=epoch)
    found = msgspec.structs.replace(found, position=start)
    shapes = side.shapes_at(start, left, stopping)
    rules = kept_rules(checkpoint)

    def goes_on(table: TableName) -> bool:
        """Tables that an edit brought into scope since are read by the next run, like those to read anew."""
        return table not in names and (rules is None or rules.matches(table))

    unknown = tuple(one for one in shapes.unknown if goes_on(one.table))
    tables = tuple(table for table in shapes.tables if goes_on(table.name))
    return Plan(
        Retime(found, position, epoch, tuple(sorted(names)), unknown),
        msgspec.structs.replace(shapes, tables=tables),
    )


def retime(
    project: Project,
    side: SourceSide,
    stopped: StoppedProject,
    state: StateFile,
    wanted: Plan,
    who: str = "",
) -> tuple[str, ...]:
    """Commit a plan of this very checkpoint; the next run goes on from there. Answers what was done, in sentences.

    SchemaChanged when the shape of a table at that position is not known. Raises SourceError, SinkError, StateError.
    """
    told = wanted.retime
    check_known(
        told.unknown, f"project {project.name}", "Give a later time, or read them again with --resync."
    )
    checkpoint = decode_checkpoint(stopped.values)
    again = frozenset(told.again)
    position = told.found.position
    kept = {table.name for table in wanted.shapes.tables} | again
    records = {
        # Full synchronization is done, and what it left for the stream to be compared with is of the old position.
        **{key: Record(key, None) for key in stopped.values if key.startswith(TABLE_PREFIX)},
        **{record.key: record for record in FullProgress(checkpoint.records).retired()},
        **{record.key: record for record in side.give_up(checkpoint, again)},
        **{
            record.key: record
            for record in (
                *(dropped_schema_record(t.name) for t in checkpoint.schemas if t.name not in kept),
                *(schema_record(table) for table in wanted.shapes.tables),
                resync_record(again),
                position_record(position),
                Record(EPOCH_KEY, msgspec.json.encode(told.epoch)),
                Record(PURGE_KEY, None),
                Record(OWNER_KEY, None),
            )
        },
    }
    stopped.commit(tuple(records.values()))
    state.save(project.id, (Record(LOCAL_PROGRESS_KEY, position_record(position).value),))
    lines = _told(told)
    for line in lines:
        state.add_event(project.id, EventKind.RETIME, line, who=who)
    return lines


def _position(project: Project, checkpoint: Checkpoint) -> LogPosition:
    where = f"project {project.name}"
    if checkpoint.position is None:
        what = "the project's stream has not begun, so there is no position to set"
        if checkpoint.started:
            what = "full synchronization is not finished: the stream begins where it reads"
        raise ConfigError(
            what, where=where, cure="Run the project; without the step full it can begin at store.start."
        )
    under_way = {record.key for record in checkpoint.records} & {table_key(t) for t in checkpoint.resync}
    if under_way:
        raise ConfigError(
            f"tables are being read again: {', '.join(map(str, sorted(checkpoint.resync)[:5]))}",
            where=where,
            cure="Run the project until they are done.",
        )
    return checkpoint.position


def _again(
    project: Project, checkpoint: Checkpoint, again: Collection[TableName] | None
) -> frozenset[TableName]:
    """The tables to read anew, with those that were to be read anyway."""
    known = {table.name for table in checkpoint.schemas} | checkpoint.resync
    names = frozenset(known if again is None else again)
    if strangers := sorted(names - known):
        raise ConfigError(
            f"not a table of this project: {', '.join(map(str, strangers))}",
            where=f"project {project.name}",
            cure="Name them as database.table.",
        )
    return names | checkpoint.resync


def _told(told: Retime) -> tuple[str, ...]:
    found = told.found
    lines = [
        f"set to {found.at.utc}, epoch {told.epoch}: the stream goes on at {found.position.executed[:_SHOWN]}",
        f"{_transactions(found.repeated)} sent again, {_transactions(found.skipped)} skipped",
    ]
    return (*lines, *(f"{table} is read again at the next run" for table in told.again))


def _transactions(stretch: Stretch) -> str:
    return "1 transaction" if stretch.transactions == 1 else f"{stretch.transactions} transactions"

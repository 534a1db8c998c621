"""A point of a log as a position to go on from, compared with the one that a project has, and the shapes there."""

import threading
from collections.abc import Iterable

import msgspec
import pymysql

from obsync_tui.engine.pipeline.checkpoint import Checkpoint
from obsync_tui.engine.pipeline.shapes import Shapes, shapes_at
from obsync_tui.engine.store.binlog.pointintime import find_point
from obsync_tui.engine.store.binlog.scan import ddl_statements
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.engine.store.logpoint import LogPoint
from obsync_tui.engine.store.mlog.ownership import owned_of
from obsync_tui.engine.store.mlog.pointintime import committed
from obsync_tui.engine.store.mlog.pointintime import find_point as find_scn
from obsync_tui.engine.store.mlog.purge import check_none_runs, intent_of
from obsync_tui.model.moment import Moment
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition, executed_scn
from obsync_tui.model.project import Project
from obsync_tui.model.retime import FoundPosition, Stretch
from obsync_tui.model.table import TableVersion


def binlog_position_at(
    server: BinlogServer, project_id: str, at: Moment, checkpoint: Checkpoint, stopping: threading.Event
) -> FoundPosition:
    """See `SourceSide.position_at`; transactions are counted by their GTIDs, of those that the source has had."""
    point, current = find_point(server, project_id, at.at_us, stopping), checkpoint.position
    found = _found(at, point)
    if current is None:
        return found
    ours, theirs = GtidSet.parse(current.executed), GtidSet.parse(point.executed)
    repeated = ours.common_with(GtidSet.parse(point.newest)).missing_from(theirs).count()
    return msgspec.structs.replace(
        found,
        repeated=Stretch(repeated, found.following, _moment(current.commit_us)) if repeated else Stretch(),
        skipped=_skipped(theirs.missing_from(ours).count(), current, point),
    )


def binlog_shapes_at(
    server: BinlogServer,
    project: Project,
    there: Iterable[TableVersion],
    upto: str,
    position: LogPosition,
    checkpoint: Checkpoint,
    stopping: threading.Event,
) -> Shapes:
    """See `SourceSide.shapes_at`; `there` are the tables of the catalog, `upto` was executed after they were read."""
    at, current = GtidSet.parse(position.executed), checkpoint.position
    return shapes_at(
        at,
        there,
        ddl_statements(server, project.id, at, GtidSet.parse(upto), stopping),
        ObjectRules(project.objects),
        checkpoint.schemas,
        GtidSet.parse(current.executed) if current is not None else None,
    )


def view_log_position_at(
    connection: pymysql.Connection, at: Moment, checkpoint: Checkpoint, where: str
) -> FoundPosition:
    """See `SourceSide.position_at`; transactions are counted by their scns, as far as the logs still hold them."""
    tables = {table.name for table in checkpoint.schemas} - checkpoint.resync
    if intent_of(checkpoint.records) is not None:
        # How far back the logs reach is known when what was begun is over.
        check_none_runs(connection, where)
    point = find_scn(connection, owned_of(checkpoint.records), tables, at.at_us, where)
    found, current = _found(at, point), checkpoint.position
    scn, current_scn = executed_scn(point.executed), _scn_of(current)
    if current is None or not current_scn:
        return found
    count, first_scn, last_scn = committed(connection, tables, scn, current_scn, where)
    passed, _, _ = committed(connection, tables, current_scn, scn, where)
    repeated = Stretch(count, Moment(first_scn // 1000), Moment(last_scn // 1000)) if count else Stretch()
    return msgspec.structs.replace(found, repeated=repeated, skipped=_skipped(passed, current, point))


def _scn_of(position: LogPosition | None) -> int:
    """The scn of a position, 0 for that of another kind of log."""
    try:
        return executed_scn(position.executed) if position else 0
    except ValueError:
        return 0


def _skipped(count: int, current: LogPosition, point: LogPoint) -> Stretch:
    """Transactions behind the current position and before the point."""
    return Stretch(count, _moment(current.commit_us), _moment(point.last_us)) if count else Stretch()


def _found(at: Moment, point: LogPoint) -> FoundPosition:
    following = None if point.following_us is None else Moment(point.following_us)
    return FoundPosition(
        at,
        LogPosition(point.executed, commit_us=point.last_us),
        following,
        Moment(point.earliest_us),
        Moment(point.now_us),
        point.whole_seconds,
    )


def _moment(at_us: int) -> Moment | None:
    return Moment(at_us) if at_us else None

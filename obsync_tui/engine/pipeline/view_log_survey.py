"""Which view logs of a project no longer hold all that it has not read."""

from collections.abc import Sequence

import pymysql

from obsync_tui.engine.pipeline.checkpoint import Checkpoint
from obsync_tui.engine.pipeline.source import changed_tables
from obsync_tui.engine.store.mlog.catalog import current_scn, read_logs
from obsync_tui.engine.store.mlog.ownership import owned_of
from obsync_tui.engine.store.mlog.purge import intent_of
from obsync_tui.model.gap import Survey, TableGap
from obsync_tui.model.position import executed_scn, scn_executed
from obsync_tui.model.table import TableVersion


def view_log_survey(
    connection: pymysql.Connection, checkpoint: Checkpoint, there: Sequence[TableVersion], where: str
) -> Survey:
    """Compare every log with its record; `there` are the tables in scope as they are. Raises SourceError."""
    now_scn = current_scn(connection, where)
    executed = checkpoint.position.executed if checkpoint.position else ""
    lost = ""
    try:
        scn = executed_scn(executed)
        if scn > now_scn:
            lost = f"the position {scn} lies in the future of the tenant, which is at {now_scn}"
    except ValueError as error:
        scn, lost = now_scn, str(error)
    if lost:
        scn = now_scn
    owned, logs, intent = (
        owned_of(checkpoint.records),
        read_logs(connection, where),
        intent_of(checkpoint.records),
    )
    expected = {one.log_id: one.purged_scn for one in intent.tables} if intent else {}
    gaps: list[TableGap] = []
    for table in sorted(checkpoint.schemas, key=lambda one: one.name):
        mine, facts = owned.get(table.name), logs.get(table.name)
        if facts is None:
            gaps.append(TableGap(table.name, "its view log is gone"))
        elif mine is None or facts.log_id != mine.log_id:
            gaps.append(TableGap(table.name, "its view log was dropped and created again"))
        elif facts.purged_scn > max(scn, mine.floor_scn) and facts.log_id not in expected:
            gaps.append(TableGap(table.name, "its view log was purged by somebody else"))
    return Survey(scn_executed(scn), lost, tuple(gaps), changed_tables(checkpoint.schemas, there))

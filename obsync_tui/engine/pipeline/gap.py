"""A gap between a project's position and what the source's log still holds: what it is, and the user's decision.

Nothing is skipped by itself. Tables can be read again, under a cut, while the stream goes on from the position or from
where the log is whole again; or the changes that are out of reach are given up, by name.
"""

from collections.abc import Iterable

from obsync_tui.engine.errors import ConfigError
from obsync_tui.engine.pipeline.checkpoint import (
    LOCAL_PROGRESS_KEY,
    Checkpoint,
    decode_checkpoint,
    position_record,
)
from obsync_tui.engine.pipeline.rerun import outside, read_again, sent_again
from obsync_tui.engine.pipeline.source import SourceSide
from obsync_tui.engine.pipeline.stopped import StoppedProject
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.checkpoint import OWNER_KEY, Record
from obsync_tui.model.gap import Gap, Survey
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableName

_EVENT = "gap"


def read_gap(side: SourceSide, stopped: StoppedProject, where: str) -> Gap:
    """Compare a stopped project's checkpoint with its source; ConfigError before its stream began."""
    checkpoint = _checkpoint(stopped, where)
    assert checkpoint.position is not None
    names = tuple(sorted(table.name for table in checkpoint.schemas))
    return Gap(checkpoint.position.executed, side.survey(checkpoint), names, tuple(sorted(checkpoint.resync)))


def decide(
    project: Project,
    side: SourceSide,
    stopped: StoppedProject,
    state: StateFile,
    resync: Iterable[TableName] | None,
    accept: bool,
) -> tuple[str, ...]:
    """Commit the decision: tables to read again (None: all), and whether the rest of the gap is given up.

    The next run does it. Answers what will happen, in sentences. ConfigError when it leaves something open.
    """
    where = f"project {project.name}"
    checkpoint = _checkpoint(stopped, where)
    position = checkpoint.position
    assert position is not None
    survey = side.survey(checkpoint)
    known = {table.name for table in checkpoint.schemas}
    scope = known | set(survey.changed)
    again = frozenset(scope if resync is None else resync)
    _check(survey, scope, known, again, accept, where)
    # A log that was lost goes too where its table is only accepted: the next run makes it anew.
    records = read_again(side, checkpoint, again, frozenset(gap.table for gap in survey.gaps))
    lines = [f"{table} is read again at the next run" for table in sorted(again)]
    lines += [
        f"{gap.table}: {gap.what}; its changes since then are given up"
        for gap in survey.gaps
        if gap.table not in again
    ]
    if not survey.lost:
        lines += filter(None, (sent_again(position),))
        position = outside(position)
    else:
        position = LogPosition(survey.executed, sequence=position.sequence, epoch=position.epoch)
        records.append(position_record(position))
        lines.append(f"the stream goes on at {survey.executed[:200] or 'the beginning'}: {survey.lost}")
    stopped.commit((*records, Record(OWNER_KEY, None)))
    state.save(project.id, (Record(LOCAL_PROGRESS_KEY, position_record(position).value),))
    for line in lines:
        state.add_event(project.id, _EVENT, line)
    return tuple(lines)


def _checkpoint(stopped: StoppedProject, where: str) -> Checkpoint:
    checkpoint = decode_checkpoint(stopped.values)
    if checkpoint.position is None:
        raise ConfigError(
            "the project's stream has not begun, so there is no gap",
            where=where,
            cure="Run the project; to start it over: obsync project reset.",
        )
    return checkpoint


def _check(
    survey: Survey,
    scope: set[TableName],
    known: set[TableName],
    again: frozenset[TableName],
    accept: bool,
    where: str,
) -> None:
    def refuse(what: str, cure: str) -> ConfigError:
        return ConfigError(what, where=where, cure=cure)

    if strangers := sorted(again - scope):
        raise refuse(
            f"not a table of this project: {', '.join(map(str, strangers))}", "Name them as database.table."
        )
    if not again and not survey.lost and not survey.gaps:
        raise refuse("there is no gap to accept", "Run the project.")
    affected = known if survey.lost else {gap.table for gap in survey.gaps}
    if left := sorted(affected - again):
        if not accept:
            raise refuse(
                f"changes of {len(left)} more tables are out of reach: {', '.join(map(str, left[:5]))}",
                "Read them again too (--resync all), or give their changes up (--accept).",
            )
    # Shapes that a lost stretch of the log may have changed are not known; a table added since was never read.
    stale = sorted((set(survey.changed) & known) - again)
    if stale and (survey.lost or survey.gaps):
        raise refuse(
            f"the columns of {', '.join(map(str, stale[:5]))} are not those before the gap",
            f"Read them again: --resync {','.join(map(str, stale))}",
        )

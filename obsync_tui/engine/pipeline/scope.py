"""The rules of a project whose rules were edited: tables that came into scope, and those that left it."""

from collections.abc import Collection

from obsync_tui.engine.errors import ConfigError, SourceUnfit
from obsync_tui.engine.full.progress import FullProgress, table_key
from obsync_tui.engine.pipeline.checkpoint import (
    Checkpoint,
    after_commit,
    position_record,
    resync_record,
    scope_record,
)
from obsync_tui.engine.pipeline.rerun import outside, sent_again
from obsync_tui.engine.pipeline.source import Commit, SourceSide
from obsync_tui.engine.store.mlog.ownership import owned_of
from obsync_tui.engine.store.versions import dropped_schema_record
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.objects import ObjectRules, Scope
from obsync_tui.model.project import Objects, Project, Step
from obsync_tui.model.table import TableName

_SHOWN = 10


def follow_scope(
    project: Project, side: SourceSide, checkpoint: Checkpoint, commit: Commit
) -> tuple[Checkpoint, tuple[str, ...]]:
    """Take in the tables that came into scope and let go of those that left, in one commit.

    Those that came are read under a later cut before the stream goes on; what it tells of them up to there is left out.
    Answers the checkpoint that then is, and what was done, in sentences. Raises ConfigError for rules that cannot be
    read, SourceUnfit when no table would be left, SourceError.
    """
    rules, scope, before = rules_of(project), Scope.of(project.objects), checkpoint.scope
    edited = before is not None and before != scope
    streams = checkpoint.position is not None
    if streams and Step.INCREMENTAL not in project.steps:
        return checkpoint, ()
    old = kept_rules(checkpoint) if edited else None
    came = frozenset[TableName]()
    if edited or streams:
        came = side.unfollowed(checkpoint, old) - checkpoint.resync
    known = _known(checkpoint) if edited else frozenset()
    left = frozenset(name for name in known if not rules.matches(name))
    if left and left == known and not came:
        raise SourceUnfit(
            "no table matches the project's objects any more",
            where=f"project {project.name}",
            cure="Correct include and exclude under [objects]; a project without tables is paused or released.",
        )
    if not streams:
        came = frozenset()  # The full synchronization under way reads whatever is in scope.
    if before == scope and not came:
        return checkpoint, ()
    records = [*_taken_in(checkpoint, came, left), *_let_go(checkpoint, left)]
    if gone := came | left:
        records += side.give_up(checkpoint, gone)
    records.append(scope_record(scope))
    commit(tuple(records))
    return after_commit(checkpoint, records), _texts(checkpoint, came, left, old)


def rules_of(project: Project) -> ObjectRules:
    """The rules of a project's objects; ConfigError when one cannot be read."""
    try:
        return ObjectRules(project.objects)
    except ValueError as error:
        raise ConfigError(
            str(error), where=f"project {project.name}, objects", cure="Correct the rule."
        ) from error


def kept_rules(checkpoint: Checkpoint) -> ObjectRules | None:
    """The rules that the checkpoint is of; None where nobody kept them."""
    scope = checkpoint.scope
    return ObjectRules(Objects(scope.include, scope.exclude)) if scope is not None else None


def _known(checkpoint: Checkpoint) -> frozenset[TableName]:
    """Every table that the checkpoint holds something of."""
    return frozenset(
        {
            *(table.name for table in checkpoint.schemas),
            *checkpoint.resync,
            *FullProgress(checkpoint.records).begun,
            *owned_of(checkpoint.records),
        }
    )


def _taken_in(checkpoint: Checkpoint, came: frozenset[TableName], left: frozenset[TableName]) -> list[Record]:
    """The tables to read before the stream goes on.

    The position can stay inside a transaction for those that came: all of it is older than their cut, so that none of
    their changes in it is counted.
    """
    records = [Record(table_key(table), None) for table in sorted(came)]
    if came:
        after_cut = FullProgress(checkpoint.records).last_cut_id
        records.append(resync_record((checkpoint.resync | came) - left, after_cut))
    elif checkpoint.resync & left:
        records.append(resync_record(checkpoint.resync - left, checkpoint.resync_after_cut))
    return records


def _let_go(checkpoint: Checkpoint, left: frozenset[TableName]) -> list[Record]:
    """What is forgotten of tables that left; inside a transaction the position goes back to its beginning.

    Changes of theirs that were counted in it will not be there.
    """
    records = [Record(table_key(table), None) for table in sorted(left)]
    records += [dropped_schema_record(table) for table in sorted(left)]
    if left and checkpoint.position is not None:
        records.append(position_record(outside(checkpoint.position)))
    return records


def _texts(
    checkpoint: Checkpoint, came: frozenset[TableName], left: frozenset[TableName], old: ObjectRules | None
) -> tuple[str, ...]:
    created = frozenset(table for table in came if old is None or old.matches(table))
    texts = []
    if created:
        texts.append(f"in scope since its creation, and read now: {_named(created)}")
    if entered := came - created:
        texts.append(f"came into scope, and is read now: {_named(entered)}")
    if left:
        texts.append(f"left the scope, and is not followed any more: {_named(left)}")
    if left and checkpoint.position is not None:
        texts += filter(None, (sent_again(checkpoint.position),))
    return tuple(texts)


def _named(tables: Collection[TableName]) -> str:
    shown = ", ".join(map(str, sorted(tables)[:_SHOWN]))
    more = len(tables) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown

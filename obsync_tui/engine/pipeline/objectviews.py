"""A project's tables as clients are shown them."""

from obsync_tui.engine.full.progress import FullProgress, TableProgress
from obsync_tui.engine.metrics.meter import TableCount, TableCounts
from obsync_tui.model.objects import ObjectRules, topic_for
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableName
from obsync_tui.model.views import ObjectView


def object_views(
    project: Project,
    tables: frozenset[TableName],
    progress: FullProgress,
    counts: TableCounts,
    full_done: bool,
) -> tuple[ObjectView, ...]:
    """Every table that a run has met and that is in scope now, by name."""
    read, rules = progress.by_table(), ObjectRules(project.objects)
    return tuple(
        object_view(project, name, read.get(name), counts.get(name), full_done)
        for name in sorted(filter(rules.matches, {*tables, *read, *counts}))
    )


def object_view(
    project: Project,
    name: TableName,
    progress: TableProgress | None = None,
    count: TableCount | None = None,
    full_done: bool = False,
    columns: tuple[str, ...] = (),
) -> ObjectView:
    """One table, with what a run knows of it."""
    rule = next((one for one in project.objects.tables if one.name == str(name)), None)
    return ObjectView(
        name.database,
        name.table,
        topic_for(project, name),
        rows_full=progress.rows if progress else 0,
        rows_estimated=progress.rows_estimated if progress else 0,
        full_done=progress.done if progress else full_done,
        changes=count.changes if count else 0,
        changed_s=count.changed_us / 1e6 if count and count.changed_us else None,
        sharding_columns=rule.sharding_columns if rule else (),
        columns=columns,
    )

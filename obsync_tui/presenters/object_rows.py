"""A project's tables: where they go and how far their full synchronization is."""

from obsync_tui.model.views import ObjectView
from obsync_tui.presenters.project_rows import percent
from obsync_tui.presenters.quantities import count_text, grouped
from obsync_tui.presenters.spans import Line, Role, Span, line
from obsync_tui.presenters.sparks import progress_bar
from obsync_tui.terminal.symbols import Symbols

_BAR = 4


def table_text(of: ObjectView) -> str:
    """database.table."""
    return f"{of.database}.{of.table}"


def searched_text(of: ObjectView) -> str:
    """What a filter looks at."""
    return f"{of.topic} {of.database}.{of.table} {' '.join(of.sharding_columns)}"


def share(of: ObjectView) -> float | None:
    """How much of the table is read, 0 to 1; None when nobody knows how large it is."""
    if of.full_done:
        return 1.0
    return min(of.rows_full / of.rows_estimated, 0.999) if of.rows_estimated else None


def progress_cell(of: ObjectView, symbols: Symbols) -> Span:
    """A bar and a share, or the rows so far."""
    found = share(of)
    if found is None:
        return Span(f"{count_text(of.rows_full)} rows" if of.rows_full else "-", Role.DIM)
    return Span(
        f"{progress_bar(found, _BAR, symbols)} {percent(found):>4}", Role.GOOD if of.full_done else Role.NOTE
    )


def changes_cell(of: ObjectView) -> Span:
    """How many changes passed since the run began."""
    return Span(count_text(of.changes) if of.changes else "", Role.PLAIN)


def setting_lines(of: ObjectView) -> list[Line]:
    """A table's settings, each on its line."""
    estimate = f" of about {grouped(of.rows_estimated)}" if of.rows_estimated and not of.full_done else ""
    rows = [
        ("table", table_text(of)),
        ("topic", of.topic),
        ("full", f"{grouped(of.rows_full)} rows{estimate}" + (", complete" if of.full_done else "")),
        ("sharding", ", ".join(of.sharding_columns) or "the key decides over the partition"),
        ("columns", ", ".join(of.columns) or "all"),
    ]
    return [line(Span(f"{name:<10} ", Role.DIM), value) for name, value in rows]

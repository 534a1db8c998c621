"""Charts in text: two next to each other, each with its name, its newest value and its axis."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.presenters.sparks import plot
from obsync_tui.terminal.symbols import Symbols


class Chart(NamedTuple):
    """A series, oldest first, with the name and the way its values are written."""

    name: str
    values: Sequence[float | None]
    label: Callable[[float], str]


def chart_lines(charts: Sequence[Chart], width: int, height: int, symbols: Symbols) -> list[Line]:
    """The charts side by side in `height` lines, their titles included."""
    if not charts or height < 2:
        return []
    each = width // len(charts)
    blocks = [_block(chart, each, height, symbols) for chart in charts]
    return [tuple(span for block in blocks for span in block[row]) for row in range(height)]


def _block(chart: Chart, width: int, height: int, symbols: Symbols) -> list[Line]:
    newest = next((value for value in reversed(chart.values) if value is not None), None)
    now = "" if newest is None else f" {chart.label(newest)}"
    title = f" {chart.name}{now}"[:width].ljust(width)
    columns = max(width - 10, 0)
    rows = plot(fitted(chart.values, columns), width - 1, height - 1, symbols, chart.label)
    return [(Span(title, Role.DIM),), *((Span(row.ljust(width)),) for row in rows)]


def fitted(values: Sequence[float | None], columns: int) -> list[float | None]:
    """As many values as there are columns: the largest of those that share one, or one in several columns."""
    count = len(values)
    if not count or columns <= 0:
        return []
    made: list[float | None] = []
    for column in range(columns):
        first = column * count // columns
        last = max((column + 1) * count // columns, first + 1)
        known = [value for value in values[first:last] if value is not None]
        made.append(max(known) if known else None)
    return made

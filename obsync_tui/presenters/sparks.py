"""Series of numbers as text: a row of bars, and a plot with its axis."""

from collections.abc import Callable, Sequence

from obsync_tui.terminal.symbols import Symbols

_AXIS = 9


def spark(values: Sequence[float | None], width: int, symbols: Symbols) -> str:
    """The newest values as bars of one row, `width` columns; a value above zero is never blank, None is."""
    shown = list(values)[-width:] if width > 0 else []
    top = max((value for value in shown if value is not None), default=0.0)
    bars = [_bar(value, top, symbols) for value in shown]
    return "".join(bars).rjust(width)


def _bar(value: float | None, top: float, symbols: Symbols) -> str:
    if value is None or value <= 0 or top <= 0:
        return symbols.levels[0]
    steps = len(symbols.levels) - 1
    return symbols.levels[max(1, round(min(value / top, 1.0) * steps))]


def plot(
    values: Sequence[float | None], width: int, height: int, symbols: Symbols, label: Callable[[float], str]
) -> list[str]:
    """The values as columns of bars, `height` rows of `width` columns, with top and zero named at the left.

    One bar is one value; the newest stand at the right.
    """
    columns = max(width - _AXIS, 0)
    shown: list[float | None] = list(values)[-columns:] if columns else []
    missing: list[float | None] = [None] * (columns - len(shown))
    shown = missing + shown
    top = max((value for value in shown if value is not None), default=0.0)
    steps = len(symbols.levels) - 1
    rows = []
    for row in range(height):
        below = (height - 1 - row) * steps
        cells = []
        for value in shown:
            if value is None or value <= 0 or top <= 0:
                cells.append(" ")
                continue
            filled = max(1, round(min(value / top, 1.0) * steps * height)) - below
            cells.append(symbols.levels[min(max(filled, 0), steps)])
        name = label(top) if row == 0 else "0" if row == height - 1 else ""
        rows.append(f"{name[: _AXIS - 1]:>{_AXIS - 1}} " + "".join(cells))
    return rows


def progress_bar(share: float, width: int, symbols: Symbols) -> str:
    """A bar of `width` columns filled to `share` (0 to 1)."""
    filled = round(min(max(share, 0.0), 1.0) * width)
    return symbols.full * filled + symbols.empty * (width - filled)

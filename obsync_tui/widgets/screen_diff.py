"""Sends the cells of a screen that differ from those on the terminal, and nothing else.

Textual sends every dirty line of a widget from the widget's left edge, and a changed screen as a whole. Over SSH that
is five to thirty times of what has changed.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.strip import Strip

# To move the cursor costs about as much as so many unchanged cells.
_GAP = 8
_MARK = "\x01"
# From here on, and where characters combine, terminals do not agree on widths: the place is set anew after each.
_UNSURE = "\U0001f000"
_Cell = tuple[str, Style | None]
_WIDE: _Cell = ("", None)


class CellUpdate(CompositorUpdate):
    """Bytes for the terminal in the form in which Textual takes updates."""

    def __init__(self, sequence: str) -> None:
        self._sequence = sequence

    def render_segments(self, console: Console) -> str:
        """The bytes."""
        return self._sequence


class ScreenDiff:
    """Knows what stands on the terminal."""

    def __init__(self) -> None:
        self._strips: Sequence[Strip] = ()
        self._codes: dict[Style | None, str] = {}

    def forget(self) -> None:
        """What stands on the terminal is not known any more: the next update sends everything."""
        self._strips = ()

    def update(self, strips: Sequence[Strip], console: Console) -> CellUpdate | None:
        """What makes the terminal show these lines; None when it shows them already."""
        before = self._strips
        width = strips[0].cell_length if strips else 0
        if len(before) != len(strips) or (before and before[0].cell_length != width):
            before = [Strip([], 0)] * len(strips)
        self._strips = list(strips)
        parts: list[str] = []
        code = ""
        for y, (old, new) in enumerate(zip(before, strips, strict=True)):
            if old is new or old == new:
                continue
            cells = _cells(new)
            for first, last in _changed(_cells(old), cells):
                parts.append(f"\x1b[{y + 1};{first + 1}H")
                for x, (text, style) in enumerate(cells[first:last], first):
                    if (wanted := self._code(style, console)) != code:
                        parts.append(wanted)
                        code = wanted
                    parts.append(text)
                    if text > _UNSURE or len(text) > 1:
                        parts.append(f"\x1b[{y + 1};{x + cell_len(text) + 1}H")
        if not parts:
            return None
        return CellUpdate("".join(parts) + "\x1b[m")

    def _code(self, style: Style | None, console: Console) -> str:
        """The sequence that sets a style whatever was set before."""
        found = self._codes.get(style)
        if found is None:
            plain = style.without_color if style and console.no_color else style
            before, _, _ = (
                plain.render(_MARK, color_system=console._color_system) if plain else ""
            ).partition(_MARK)
            codes = before.removeprefix("\x1b[").removesuffix("m")
            found = self._codes[style] = f"\x1b[;{codes}m" if codes not in ("", "39;49") else "\x1b[m"
        return found


def _cells(strip: Strip) -> list[_Cell]:
    """One entry a cell; the second cell of a wide character is an empty text."""
    cells: list[_Cell] = []
    for text, style, control in strip:
        if control:
            continue
        if text.isascii():
            cells += [(character, style) for character in text]
            continue
        for character in text:
            size = cell_len(character)
            if size == 0 and cells:
                last = len(cells) - (2 if cells[-1] is _WIDE and len(cells) > 1 else 1)
                cells[last] = (cells[last][0] + character, cells[last][1])
            else:
                cells.append((character, style))
                cells += [_WIDE] * (size - 1)
    return cells


def _changed(before: list[_Cell], after: list[_Cell]) -> list[tuple[int, int]]:
    """Runs of cells (first, one past the last) that differ; no wide character of either side is cut."""
    width = len(after)
    if len(before) != width:
        return [(0, width)]
    runs: list[tuple[int, int]] = []
    for place in range(width):
        if before[place] == after[place]:
            continue
        first, last = place, place + 1
        while first and (before[first] is _WIDE or after[first] is _WIDE):
            first -= 1
        while last < width and (before[last] is _WIDE or after[last] is _WIDE):
            last += 1
        if runs and first - runs[-1][1] < _GAP:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return runs

"""From lines of spans to strips of cells."""

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from obsync_tui.presenters.spans import Line, Role
from obsync_tui.terminal.sanitizer import visible

STYLES = {
    Role.PLAIN: Style(),
    Role.DIM: Style(dim=True),
    Role.STRONG: Style(bold=True),
    Role.TITLE: Style(bold=True),
    Role.GOOD: Style(color="green"),
    Role.WARN: Style(color="yellow", bold=True),
    Role.BAD: Style(color="red", bold=True),
    Role.NOTE: Style(color="cyan"),
    Role.CURSOR: Style(reverse=True),
}


# Joiners and variation selectors: terminals do not agree on how wide what they join is.
_JOINERS = str.maketrans({"\u200d": r"\u200d", "\ufe0e": r"\ufe0e", "\ufe0f": r"\ufe0f"})


def clean(text: str, cells: int) -> str:
    """Foreign text made harmless and cut to what can show in so many cells, before any measuring."""
    # A sanitized character is at least one as long as before; combining ones may share a cell.
    text = visible(text[: cells * 4 + 16])
    return text if text.isascii() else text.translate(_JOINERS)


def fitted(text: str, width: int, cut: str = "…", right: bool = False) -> str:
    """The text in exactly `width` cells: padded, or cut with a sign that says so."""
    text = clean(text, width)
    length = cell_len(text)
    if length <= width:
        blank = " " * (width - length)
        return blank + text if right else text + blank
    if width <= 0:
        return ""
    kept, size = [], 0
    for character in text:
        size += cell_len(character)
        if size > width - 1:
            break
        kept.append(character)
    shown = "".join(kept) + cut
    return shown + " " * (width - cell_len(shown))


def strip_of(line: Line, width: int, ground: Style, cut: str = "…") -> Strip:
    """The line as a strip of exactly `width` cells on the ground style."""
    segments = []
    left = width
    for text, role in line:
        if left <= 0:
            break
        text = clean(text, left)
        if cell_len(text) > left:
            text = fitted(text, left, cut)
        left -= cell_len(text)
        segments.append(Segment(text, ground + STYLES[role]))
    if left > 0:
        segments.append(Segment(" " * left, ground))
    return Strip(segments, width)

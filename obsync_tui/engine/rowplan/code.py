"""What the compiler needs to know of one column: how it is read and how it becomes text."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from obsync_tui.engine.formats.plan import Renderer
from obsync_tui.model.table import Column

Reader = Callable[..., object]


class Quoting(StrEnum):
    """How a column's text becomes JSON: as it stands, in quotes, or escaped in quotes."""

    PLAIN = "plain"
    QUOTED = "quoted"
    ESCAPED = "escaped"


class ColumnCode(msgspec.Struct, frozen=True):
    """Source of a column's reading and text.

    `fixed` is a `struct` token of `size` bytes for values of fixed width, else `read` are lines that move `p` in
    `buf` and set `{r}`, the raw value. `text` is an expression of `{r}` for its plain text (or an integer); `{h}` in
    it is `reader`. `quoting` makes the text JSON. `ascii` asks the text protocol for `{r}` as str, for values that are
    never anything else: one slice instead of a slice and a decoding.
    """

    text: str
    quoting: Quoting
    fixed: str = ""
    size: int = 0
    read: tuple[str, ...] = ()
    reader: Reader | None = None
    ascii: bool = False


QUOTING = {
    Renderer.NUMBER: Quoting.PLAIN,
    Renderer.BASE64: Quoting.QUOTED,
    Renderer.UNIX_FRACTION: Quoting.QUOTED,
}


def quoting_of(column: Column, renderer: Renderer) -> Quoting:
    """How the renderer's text becomes JSON: only texts that people write need escaping."""
    if renderer is Renderer.STRING:
        return Quoting.QUOTED if column.data_type in ("date", "time", "datetime") else Quoting.ESCAPED
    return QUOTING[renderer]

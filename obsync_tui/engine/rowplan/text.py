"""Columns of a result set's row: the text protocol holds most values in their final text.

The SELECT is one that Full-Import writes: `character_set_results` is NULL, FLOAT and DOUBLE come as `col*1e0`,
TIMESTAMP as `UNIX_TIMESTAMP(col)`.
"""

from obsync_tui.engine.formats.plan import Renderer
from obsync_tui.engine.rowplan.binlog import text_of
from obsync_tui.engine.rowplan.code import ColumnCode, quoting_of
from obsync_tui.engine.values.numbers import float32_text, float64_text
from obsync_tui.model.table import Column

_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")


def text_column_code(column: Column, renderer: Renderer) -> ColumnCode:
    """How the column's text is written by the renderer; `{r}` is str where only ASCII can be, else bytes."""
    quoting = quoting_of(column, renderer)
    data_type = column.data_type
    zerofill = "zerofill" in column.column_type
    if data_type in _INTEGERS and not zerofill:
        return ColumnCode("{r}", quoting, ascii=True)
    if data_type in _INTEGERS or data_type == "year":
        return ColumnCode("int({r})", quoting, ascii=True)
    if data_type in ("decimal", "numeric"):
        if zerofill:
            return ColumnCode("{h}({r})", quoting, reader=_without_leading_zeros, ascii=True)
        return ColumnCode("{r}", quoting, ascii=True)
    if data_type == "float":
        return ColumnCode("{h}(float({r}))", quoting, reader=float32_text, ascii=True)
    if data_type == "double":
        return ColumnCode("{h}(float({r}))", quoting, reader=float64_text, ascii=True)
    if data_type == "timestamp" and not column.fsp:
        return ColumnCode("({r} if {r} != '0' else '0000-00-00 00:00:00')", quoting, ascii=True)
    if data_type == "timestamp":
        return ColumnCode("{h}({r})", quoting, reader=_timestamp, ascii=True)
    if data_type in ("date", "datetime", "time"):
        if column.fsp:
            return ColumnCode("{h}({r})", quoting, reader=_without_trailing_zeros, ascii=True)
        return ColumnCode("{r}", quoting, ascii=True)
    # The catalog's names of members without a character set, which the stream gives, are UTF-8 too.
    if data_type == "json" or (column.charset is None and data_type in ("enum", "set")):
        return ColumnCode("str({r}, 'utf-8')", quoting)
    text, reader = text_of(column)
    return ColumnCode(text, quoting, reader=reader)


def _without_leading_zeros(text: str) -> str:
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text)
    digits = digits.lstrip("0")
    return f"{sign}0{digits}" if digits[:1] in ("", ".") else sign + digits


def _without_trailing_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".")


def _timestamp(text: str) -> str:
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0000-00-00 00:00:00" if text == "0" else text

"""Compiles a plan request, for the kernel where it can, else into one Python function.

The Python function's source is written from small pieces, one per column and operation, so that nothing is
interpreted per value: a row image goes from packet to message in one pass of straight-line code.
"""

import struct
import traceback
from binascii import crc32
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring

from obsync_tui.engine.errors import SchemaMismatch, ValueUnreadable
from obsync_tui.engine.formats.plan import Image, RecordKind, Renderer, Value
from obsync_tui.engine.native.backend import Backend, backend
from obsync_tui.engine.rowplan.binlog import column_code
from obsync_tui.engine.rowplan.code import ColumnCode
from obsync_tui.engine.rowplan.hashing import murmur2_partition
from obsync_tui.engine.rowplan.imagecode import binlog_image, converted, text_image
from obsync_tui.engine.rowplan.messagecode import MessageCode
from obsync_tui.engine.rowplan.native import native_row_plan
from obsync_tui.engine.rowplan.request import Keep, PlanRequest, RowPlan
from obsync_tui.engine.rowplan.text import text_column_code
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.engine.values.rowimage import CLOCKS, DATETIME_DATES, FRACTIONS
from obsync_tui.model.message import Lanes
from obsync_tui.model.table import TableVersion

_SIGNATURE = "def plan(bodies, start, commit_s, gtid, gno, sequence, lanes, skip, keep):"
_FIRST = {
    RecordKind.INSERT: (Image.AFTER,),
    RecordKind.ROW: (Image.AFTER,),
    RecordKind.DELETE: (Image.BEFORE,),
    RecordKind.UPDATE: (Image.BEFORE, Image.AFTER),
}


def column_codes(request: PlanRequest) -> tuple[ColumnCode, ...]:
    """How each column of the request's table is read; ValueError names a column that cannot be."""
    renderers = {
        op.column: op.renderer for _, plan in request.plans for op in plan.operations if isinstance(op, Value)
    }
    columns = request.table.columns
    if isinstance(request.shape, BinlogShape):
        types, metadata, dialect = request.shape.types, request.shape.metadata, request.shape.json_dialect
        return tuple(
            column_code(c, types[i], metadata[i], renderers.get(i, Renderer.STRING), dialect)
            for i, c in enumerate(columns)
        )
    return tuple(text_column_code(c, renderers.get(i, Renderer.STRING)) for i, c in enumerate(columns))


class _Source:
    """The function's lines, the names that it uses, and the column that each line reads."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.columns: dict[int, str] = {}

    def add(self, indent: int, lines: Iterator[tuple[str, str]]) -> None:
        for column, line in lines:
            self.lines.append("    " * indent + line)
            if column:
                self.columns[len(self.lines)] = column

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)


def _body(request: PlanRequest, codes: tuple[ColumnCode, ...], names: dict[str, object]) -> _Source:
    images = _FIRST[request.kind]
    binlog = isinstance(request.shape, BinlogShape)
    message = MessageCode(request, codes)
    source = _Source()
    source.line(0, _SIGNATURE)
    source.line(1, "rows = size = largest = 0")
    if request.kind is not RecordKind.ROW:
        source.line(1, "if sequence < commit_s * 100000: sequence = commit_s * 100000")
    head = len(source.lines)
    source.line(1, "for buf in bodies:")
    source.line(2, "p = start")
    checksum = 4 if isinstance(request.shape, BinlogShape) and request.shape.checksum else 0
    source.line(2, f"end = len(buf) - {checksum}" if checksum else "end = len(buf)")
    source.line(2, "while p < end:" if binlog else "if True:")
    source.line(3, "rows += 1")
    for image in images:
        walk = binlog_image if binlog else text_image
        source.add(3, walk(request.table.columns, codes, image, names))
    if request.careful:
        source.line(3, "if rows <= skip: continue")
    if request.emit:
        used = message.used()
        for image in images:
            source.add(3, converted(request.table.columns, codes, image, used, names))
        for indent, text in message.emission():
            source.line(3 + indent, text)
    source.line(2, "if p != end: raise overrun(p, end)")
    source.line(1, "return rows, sequence, size, largest")
    for offset, text in enumerate(message.hoisted()):
        source.lines.insert(head + offset, "    " + text)
    moved = len(message.hoisted())
    source.columns = {line + moved: column for line, column in source.columns.items()}
    return source


def _overrun(at: int, end: int) -> ValueError:
    return ValueError(f"the row image has {end} bytes, its columns end at {at}")


def _null_in(table: TableVersion) -> Callable[[int], ValueError]:
    """Makes the error of a bitmap that has NULL where the table has none."""

    def error(mask: int) -> ValueError:
        found = [column.name for i, column in enumerate(table.columns) if mask >> i & 1]
        return ValueError(f"NULL in NOT NULL column {', '.join(found)}")

    return error


def row_plan_source(request: PlanRequest) -> str:
    """The compiled function's source, for people and tests."""
    return "\n".join(_body(request, column_codes(request), {}).lines)


def compile_row_plan(request: PlanRequest) -> RowPlan:
    """Compile the request for the back-end in force; what the kernel has no code for runs in Python.

    The plan raises ValueUnreadable, naming table, column and GTID, for a value that cannot be converted.
    SchemaMismatch here when the schema's types cannot lie in the wire's.
    """
    try:
        found = None
        if backend() is Backend.NATIVE:
            found = native_row_plan(request, lambda: _python_row_plan(request, column_codes(request)))
        return found or _python_row_plan(request, column_codes(request))
    except ValueError as error:
        raise SchemaMismatch(
            str(error), where=str(request.table.name), cure="Leave the table out of the project's objects."
        ) from error


def _python_row_plan(request: PlanRequest, codes: tuple[ColumnCode, ...]) -> RowPlan:
    where = str(request.table.name)
    names: dict[str, object] = {
        "from_bytes": int.from_bytes,
        "datetime_dates": DATETIME_DATES,
        "clocks": CLOCKS,
        **{f"fractions{scale}": texts for scale, texts in FRACTIONS.items()},
        "quote": encode_basestring,
        "crc32": crc32,
        "murmur2": murmur2_partition,
        "overrun": _overrun,
        "null_in": _null_in(request.table),
    }
    source = _body(request, codes, names)
    code = compile("\n".join(source.lines), f"<row plan of {where} {request.kind}>", "exec")
    exec(code, names)  # The source is written here; names and literals in it are repr'd.
    plan: RowPlan = names["plan"]  # type: ignore[assignment]

    def guarded(
        bodies: list[bytes],
        start: int,
        commit_s: int,
        gtid: str,
        gno: int,
        sequence: int,
        lanes: Lanes,
        skip: int,
        keep: Keep,
    ) -> tuple[int, int, int, int]:
        try:
            return plan(bodies, start, commit_s, gtid, gno, sequence, lanes, skip, keep)
        except (ValueError, LookupError, struct.error, OverflowError, TypeError) as error:
            line = traceback.extract_tb(error.__traceback__)[1:2]
            column = source.columns.get(line[0].lineno or 0, "") if line else ""
            raise ValueUnreadable(
                f"{f'column {column}' if column else 'a row'} cannot be converted: {error}",
                where=f"{where}, transaction {gtid}" if gtid else where,
                cure="Nothing of this transaction was written. Report the value's type, or leave the table out.",
            ) from error

    return guarded

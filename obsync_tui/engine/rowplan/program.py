"""A plan request as the program that the kernel holds: numbers, bytes and tuples (`engine/native/program.h`)."""

from collections.abc import Iterator
from enum import IntEnum
from json.encoder import encode_basestring

from obsync_tui.engine.formats.plan import (
    Image,
    Joined,
    Literal,
    MessagePlan,
    Operation,
    RecordKind,
    Value,
    Variable,
)
from obsync_tui.engine.rowplan.kernelcolumn import binlog_column, result_column
from obsync_tui.engine.rowplan.messagecode import KEY_IMAGE, VALUE_ERRORS
from obsync_tui.engine.rowplan.request import PlanRequest
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.model.project import HashFunction, KeyForm

Program = tuple[object, ...]
Described = tuple[tuple[object, ...], ...]
_IMAGES = {Image.BEFORE: 0, Image.AFTER: 1}
_VARIABLES = {Variable.COMMIT_S: 0, Variable.SEQUENCE: 1, Variable.GTID: 2, Variable.GNO: 3}
_CHECKSUM_BYTES = 4


class _Operator(IntEnum):
    VALUE = 1
    TEXT = 2
    VARIABLE = 3


class _KeyForm(IntEnum):
    NONE = 0
    TEXTS = 1
    JSON = 2


class _Hash(IntEnum):
    FIXED = 0
    CRC32 = 1
    MURMUR2 = 2


def kernel_program(request: PlanRequest) -> Program | None:
    """The request's program; None when the kernel has no code for a part of it."""
    routing = request.routing
    if request.careful or (routing.fixed_partition is None and not routing.hash_columns):
        return None
    columns = _columns(request)
    if not columns:
        return None
    plans = dict(request.plans)
    update = request.kind is RecordKind.UPDATE
    kinds = (RecordKind.UPDATE, RecordKind.DELETE, RecordKind.INSERT) if update else (request.kind,)
    messages = tuple((_IMAGES[KEY_IMAGE[kind]], _operations(request, plans[kind])) for kind in kinds)
    checksum = isinstance(request.shape, BinlogShape) and request.shape.checksum
    first = Image.BEFORE if request.kind in (RecordKind.UPDATE, RecordKind.DELETE) else Image.AFTER
    return (
        not isinstance(request.shape, BinlogShape),
        _CHECKSUM_BYTES if checksum else 0,
        2 if update else 1,
        _IMAGES[first],
        request.emit,
        request.kind is not RecordKind.ROW,
        columns,
        messages,
        _routing(request),
    )


def _columns(request: PlanRequest) -> Described | None:
    renderers = {
        op.column: op.renderer for _, plan in request.plans for op in plan.operations if isinstance(op, Value)
    }
    described: list[tuple[object, ...]] = []
    for i, column in enumerate(request.table.columns):
        if i not in renderers:
            return None
        shape = request.shape
        found = (
            binlog_column(column, shape.types[i], shape.metadata[i], shape.json_dialect)
            if isinstance(shape, BinlogShape)
            else result_column(column)
        )
        line = found.described(column, renderers[i]) if found else None
        if line is None:
            return None
        described.append(line)
    return tuple(described)


def _operations(request: PlanRequest, plan: MessagePlan) -> tuple[object, ...]:
    """The plan's operations, neighbouring literals joined."""
    operations: list[object] = []
    for piece in (piece for operation in plan.operations for piece in _pieces(request, operation)):
        last = operations[-1] if operations else None
        if isinstance(piece, bytes) and isinstance(last, bytes):
            operations[-1] = last + piece
        else:
            operations.append(piece)
    return tuple(operations)


def _pieces(request: PlanRequest, operation: Operation) -> Iterator[object]:
    if isinstance(operation, Literal):
        yield operation.text.encode("utf-8", VALUE_ERRORS)
    elif isinstance(operation, Value):
        yield int(_Operator.VALUE), _IMAGES[operation.image], operation.column, 0, 0
    elif isinstance(operation, Joined):
        yield from _joined(request, operation)
    else:
        yield int(_Operator.VARIABLE), 0, 0, 0, _VARIABLES[operation]


def _joined(request: PlanRequest, operation: Joined) -> Iterator[object]:
    yield b'"'
    for part in operation.parts:
        if isinstance(part, str):
            yield encode_basestring(part)[1:-1].encode("utf-8", VALUE_ERRORS)
        else:
            # A text that needs no escape is not changed by one.
            yield int(_Operator.TEXT), _IMAGES[operation.image], part, 1, 0
    yield b'"'


def _routing(request: PlanRequest) -> tuple[object, ...]:
    routing = request.routing
    form = {KeyForm.PRIMARY_KEY: _KeyForm.TEXTS, KeyForm.JSON: _KeyForm.JSON}.get(routing.key, _KeyForm.NONE)
    if not routing.key_columns:
        form = _KeyForm.NONE
    murmur = routing.hash is HashFunction.MURMUR2
    same = routing.key is KeyForm.PRIMARY_KEY and routing.hash_columns == routing.key_columns
    function = _Hash.MURMUR2 if murmur else _Hash.CRC32
    split = tuple(sorted({*routing.key_columns, *routing.hash_columns}))
    return (
        int(form),
        routing.key_columns,
        routing.hash_columns,
        split,
        int(function if routing.fixed_partition is None else _Hash.FIXED),
        form is not _KeyForm.NONE if murmur else same and form is not _KeyForm.NONE,
        routing.partitions,
        routing.fixed_partition or 0,
    )

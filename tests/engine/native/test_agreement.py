"""The kernel and the Python back-end agree: byte for byte on what a server writes, and on everything else."""

from __future__ import annotations

import pytest

from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.formats.default import DEFAULT_EXTEND_COLUMN_TYPE
from obsync_tui.engine.formats.plan import RecordKind
from obsync_tui.engine.native.backend import VARIABLE, built
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.native import native_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, RowPlan
from obsync_tui.engine.store.store import TextShape
from obsync_tui.model.message import Lanes
from tests.engine.native.randomtables import Kind, RandomTables
from tests.engine.rowplan.images import COMMIT_S, GTID, IDENTITY, MESSAGES

pytestmark = pytest.mark.skipif(not built(), reason="the kernel is not built here")
SEEDS = range(40)
TABLES_PER_SEED = 25
DAMAGES = 12


def compiled(request: PlanRequest, patch: pytest.MonkeyPatch) -> tuple[RowPlan, RowPlan]:
    """The kernel's plan, which must never ask Python, and the Python plan."""

    def refused() -> RowPlan:
        raise AssertionError("the kernel refused what a server writes")

    native = native_row_plan(request, refused)
    assert native is not None
    patch.setenv(VARIABLE, "python")
    return native, compile_row_plan(request)


def outcome(plan: RowPlan, bodies: list[bytes], start: int, sequence: int) -> object:
    """Messages and figures, or the error's text."""
    lanes: Lanes = [[], [], []]
    try:
        figures = plan(bodies, start, COMMIT_S, GTID, 5, sequence, lanes, 0, lambda key: True)
    except (EngineError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return figures, lanes


def random_request(tables: RandomTables) -> tuple[PlanRequest, tuple[Kind, ...]]:
    table, kinds = tables.table()
    kind = tables.random.choice(
        [k for k in RecordKind if k is not RecordKind.ROW or tables.random.random() < 0.5]
    )
    result_set = kind is RecordKind.ROW or tables.random.random() < 0.3
    shape = TextShape(len(kinds)) if result_set else tables.shape(kinds, tables.random.random() < 0.5)
    plans = tuple(
        (k, DEFAULT_EXTEND_COLUMN_TYPE.row(table, k, IDENTITY)) for k in MESSAGES.get(kind, (kind,))
    )
    emit = tables.random.random() < 0.95
    return PlanRequest(table, shape, kind, plans, tables.routing(table), emit), kinds


def random_bodies(tables: RandomTables, request: PlanRequest, kinds: tuple[Kind, ...]) -> list[bytes]:
    result_set = isinstance(request.shape, TextShape)
    images = 2 if request.kind is RecordKind.UPDATE else 1
    trailer = b"" if result_set or not request.shape.checksum else b"crc!"
    bodies: list[bytes] = []
    for _ in range(tables.random.randrange(4)):
        rows = b""
        for _ in range(1 if result_set else tables.random.randrange(3)):
            row = tables.row(kinds, request.shape)
            same = images == 2 and tables.random.random() < 0.5
            rows += row + (
                row if same else b"".join(tables.row(kinds, request.shape) for _ in range(images - 1))
            )
        bodies.append(b"head" + rows + trailer)
    return bodies


def damaged(tables: RandomTables, body: bytes) -> bytes:
    """The body cut, stretched, or with bytes changed."""
    choice, at = tables.random.random(), tables.random.randrange(4, len(body) + 1)
    if choice < 0.3:
        return body[:at]
    if choice < 0.4:
        return body[:at] + tables.random.randbytes(3) + body[at:]
    changed = bytearray(body)
    for _ in range(tables.random.randrange(1, 4)):
        if len(changed) > 4:
            changed[tables.random.randrange(4, len(changed))] = tables.random.choice(
                (0, 0x7F, 0xFF, tables.random.randrange(256))
            )
    return bytes(changed)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_tables(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = RandomTables(seed)
    for _ in range(TABLES_PER_SEED):
        request, kinds = random_request(tables)
        native, python = compiled(request, monkeypatch)
        bodies = random_bodies(tables, request, kinds)
        sequence = tables.random.choice((0, COMMIT_S * 100_000 + 77))
        expected = outcome(python, bodies, 4, sequence)
        assert not isinstance(expected, str), expected
        assert outcome(native, bodies, 4, sequence) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_images(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged image is an error, or what the Python plan makes of it; nothing else is ever read."""
    tables = RandomTables(1000 + seed)
    errors = 0
    for _ in range(TABLES_PER_SEED):
        request, kinds = random_request(tables)
        _, python = compiled(request, monkeypatch)
        monkeypatch.setenv(VARIABLE, "native")
        native = compile_row_plan(request)
        monkeypatch.setenv(VARIABLE, "python")
        for _ in range(DAMAGES):
            bodies = random_bodies(tables, request, kinds) or [b"head"]
            at = tables.random.randrange(len(bodies))
            bodies[at] = damaged(tables, bodies[at])
            expected = outcome(python, bodies, 4, 0)
            errors += isinstance(expected, str)
            assert outcome(native, bodies, 4, 0) == expected
    assert errors > DAMAGES

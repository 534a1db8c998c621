"""The kernel keeps nothing: neither references to what it was given nor memory, whether it answers or refuses."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from obsync_tui.engine.formats.default import DEFAULT
from obsync_tui.engine.formats.plan import RecordKind
from obsync_tui.engine.native.backend import built
from obsync_tui.engine.rowplan.program import kernel_program
from obsync_tui.engine.rowplan.request import PlanRequest
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.model.message import Lanes
from obsync_tui.model.table import Column, TableName, TableVersion
from tests.engine.rowplan.images import COMMIT_S, GTID, IDENTITY, MESSAGES, routing

pytestmark = pytest.mark.skipif(not built(), reason="the kernel is not built here")
CALLS = 20_000
TABLE = TableVersion(
    TableName("shop", "note"),
    (
        Column("id", "tinyint", "tinyint(4)", nullable=False),
        # A Python function reads it.
        Column("note", "varchar", "varchar(9)", charset="gbk", length=9),
    ),
    primary_key=("id",),
)
GOOD = b"\0\x01\x02\xba\xba" + b"\0\x02\x02\xba\xba"
SHORT, UNREADABLE, FOREIGN = GOOD[:-1], GOOD[:-1] + b"\xff", b"\0\x01\x02\xff\xff" * 2


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_nothing_is_kept() -> None:
    from obsync_tui.engine.native import _kernel

    plans = tuple((kind, DEFAULT.row(TABLE, kind, IDENTITY)) for kind in MESSAGES[RecordKind.UPDATE])
    shape = BinlogShape(bytes([1, 15]), (0, 18), checksum=False)
    program = kernel_program(PlanRequest(TABLE, shape, RecordKind.UPDATE, plans, routing()))
    assert program is not None
    bodies = [[bytes(bytearray(body))] for body in (GOOD, SHORT, UNREADABLE, FOREIGN)]
    watched = (*(body for (body,) in bodies), *bodies, GTID, program)

    def call(count: int) -> int:
        refused = 0
        for _ in range(count):
            plan = _kernel.Plan(program)
            for given in bodies:
                lanes: Lanes = [[], [], []]
                try:
                    plan.run(given, 0, COMMIT_S, GTID, 5, 0, lanes)
                except ValueError:
                    refused += 1
                    assert lanes == [[], [], []]
        gc.collect()  # A UnicodeDecodeError of a rescued character refers to the frames that it passed.
        return refused

    call(CALLS // 10)
    references = [sys.getrefcount(one) for one in watched]
    before = resident_bytes()
    assert call(CALLS) == 3 * CALLS
    assert [sys.getrefcount(one) for one in watched] == references
    assert resident_bytes() - before < 2_000_000


def test_programs_that_are_not_whole_are_refused() -> None:
    """Every prefix, and every number out of its range: an error, never a plan that reads what is not there."""
    from obsync_tui.engine.native import _kernel

    plans = ((RecordKind.INSERT, DEFAULT.row(TABLE, RecordKind.INSERT, IDENTITY)),)
    shape = BinlogShape(bytes([1, 15]), (0, 18), checksum=False)
    program = kernel_program(PlanRequest(TABLE, shape, RecordKind.INSERT, plans, routing()))
    assert program is not None
    for end in range(len(program)):
        with pytest.raises(TypeError):
            _kernel.Plan(program[:end])
    columns, messages, route = program[6:9]
    assert isinstance(columns, tuple) and isinstance(messages, tuple) and isinstance(route, tuple)
    wrong = (
        (*program[:6], ((1, 99, 0, True, 0, 0, None),), *program[7:]),
        (*program[:6], ((9, 0, 0, True, 0, 0, None), columns[1]), *program[7:]),
        (*program[:6], columns[:1], *program[7:]),
        (*program[:7], ((1, ((1, 1, 7, 0, 0),)),), route),
        (*program[:7], ((1, ((1, 0, 0, 0, 0),)),), route),
        (*program[:8], (*route[:1], (5,), *route[2:])),
        (*program[:8], (*route[:6], 0, 0)),
    )
    for other in wrong:
        with pytest.raises(ValueError):
            _kernel.Plan(other)

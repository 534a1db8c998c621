"""Row plans that the kernel runs.

The kernel judges only what a server writes: what it refuses, a damaged image or a value outside its type, leaves no
trace in the lanes and is asked of the Python plan of the same request, whose answer or error stands.
"""

from collections.abc import Callable

from obsync_tui.engine.rowplan.program import kernel_program
from obsync_tui.engine.rowplan.request import Keep, PlanRequest, RowPlan
from obsync_tui.model.message import Lanes

_REFUSALS = (ValueError, LookupError, OverflowError, TypeError)


def native_row_plan(request: PlanRequest, in_python: Callable[[], RowPlan]) -> RowPlan | None:
    """The request's plan, None when the kernel has no code for a part of it.

    `in_python` makes the Python plan; it is called at the first refusal.
    """
    from obsync_tui.engine.native import _kernel

    program = kernel_program(request)
    if program is None:
        return None
    execute = _kernel.Plan(program).run
    other: RowPlan | None = None

    def plan(
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
        nonlocal other
        try:
            return execute(bodies, start, commit_s, gtid, gno, sequence, lanes)
        except _REFUSALS:
            if other is None:
                other = in_python()
        return other(bodies, start, commit_s, gtid, gno, sequence, lanes, skip, keep)

    return plan

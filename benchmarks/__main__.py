"""python -m benchmarks [CASE ...] [--quick] [--write] [--from FILE]: one line of JSON a result on standard output."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks.engine import engine_busy, engine_many
from benchmarks.history import history
from benchmarks.machine import Machine, this_machine
from benchmarks.measure import Figure, Result, Versus, rows_per_s
from benchmarks.oceanbase import oceanbase_snapshot, view_logs_live, view_logs_writes
from benchmarks.peers import snapshot, stream_40, stream_500, stream_single
from benchmarks.quiet import idle, latency, transaction
from benchmarks.report import performance_page
from benchmarks.sizes import QUICK, WHOLE, Sizes
from benchmarks.tables import tables
from benchmarks.traced import trace
from tests.servers.downloads import MissingPrerequisite

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
CASES: dict[str, Callable[[Sizes], Sequence[Result]]] = {
    "stream-500": stream_500,
    "stream-1": stream_single,
    "stream-40": stream_40,
    "snapshot": snapshot,
    "tables": tables,
    "trace": trace,
    "transaction": transaction,
    "idle": idle,
    "latency": latency,
    "history": history,
    "engine-busy": engine_busy,
    "engine-many": engine_many,
    "oceanbase-snapshot": oceanbase_snapshot,
    "view-logs-live": view_logs_live,
    "view-logs-writes": view_logs_writes,
}


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the output: the machine first, then results as they come, and how long all took at the end."""

    machine: Machine | None = None
    rounds: int = 0
    versus: Versus | None = None
    figure: Figure | None = None
    minutes: float = 0.0


def main() -> int:
    """Measure what was asked for; exit code 1 when a server's prerequisite is missing."""
    arguments = _arguments()
    if arguments.read:
        lines = [msgspec.json.decode(line, type=Line) for line in arguments.read.read_bytes().splitlines()]
    else:
        try:
            sizes = QUICK if arguments.quick else WHOLE
            sizes = msgspec.structs.replace(sizes, live_s=arguments.live_s or sizes.live_s)
            lines = _measure(arguments.case or list(CASES), sizes)
        except MissingPrerequisite as error:
            print(error, file=sys.stderr)
            return 1
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(_page(lines))
        print(f"written: {PAGE}", file=sys.stderr)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "case", nargs="*", metavar="CASE", choices=[*CASES, []], help=f"of {', '.join(CASES)}; default all"
    )
    parser.add_argument("--quick", action="store_true", help="one round of few rows: whether it works")
    parser.add_argument(
        "--live-s", type=float, metavar="SECONDS", help="how long view-logs-live writes at full rate"
    )
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    parser.add_argument(
        "--from",
        dest="read",
        type=Path,
        metavar="FILE",
        help="take results from earlier output; later lines win",
    )
    return parser.parse_args()


def _measure(cases: Sequence[str], sizes: Sizes) -> list[Line]:
    began_s = time.monotonic()
    lines: list[Line] = []

    def put(line: Line) -> None:
        lines.append(line)
        print(msgspec.json.encode(line).decode(), flush=True)

    put(Line(machine=this_machine(), rounds=sizes.rounds))
    for case in cases:
        print(f"{case} ({(time.monotonic() - began_s) / 60:.1f} min)", file=sys.stderr, flush=True)
        for result in CASES[case](sizes):
            put(Line(versus=result) if isinstance(result, Versus) else Line(figure=result))
            print(f"  => {_sentence(result)}", file=sys.stderr, flush=True)
    put(Line(minutes=(time.monotonic() - began_s) / 60))
    return lines


def _sentence(result: Result) -> str:
    if isinstance(result, Figure):
        required = (
            "" if result.required_at_most is None else f", at most {result.required_at_most:g} required"
        )
        return f"{result.title}: {result.value:,.2f} {result.unit}{required}"
    text = f"{result.title}: {rows_per_s(result.obsync):,.0f} rows/s"
    if result.ratio is None:
        return text
    required = "" if result.required_ratio is None else f", at least {result.required_ratio:g} required"
    return f"{text}, {result.ratio:.2f} times {result.other_name}{required}"


def _page(lines: Sequence[Line]) -> str:
    """The newest result of each case, in the order of first appearance."""
    results: dict[str, Result] = {}
    machine, rounds, minutes = None, 0, 0.0
    for line in lines:
        machine, rounds = line.machine or machine, line.rounds or rounds
        minutes += line.minutes
        result = line.versus or line.figure
        if result is not None:
            results[result.case] = result
    return performance_page(list(results.values()), machine or this_machine(), rounds, minutes)


if __name__ == "__main__":
    sys.exit(main())

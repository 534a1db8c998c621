"""What the row trace costs: the same rows with its window and without, turn by turn in one run."""

from __future__ import annotations

from benchmarks.delivered import check_delivered
from benchmarks.measure import Run, Versus
from benchmarks.sizes import Sizes
from benchmarks.stage import stage, tell
from benchmarks.workload import TABLE

OFF = "without"


def trace(sizes: Sizes) -> list[Versus]:
    """Rows one an event, where a batch holds the most; another order in each round."""
    rows, rounds = sizes.stream_rows, max(sizes.rounds, 2)
    with stage() as at:
        at.load.create(TABLE)
        for number in range(rounds):
            for name, window_bytes in ((f"on{number}", None), (f"off{number}", 0)):
                at.product.create(name, "incremental")
                if window_bytes is not None:
                    at.product.append(name, f"[trace]\nwindow_bytes = {window_bytes}\n")
                at.product.prepare(name)
        tell(f"loading {rows} rows")
        at.load.single_rows(rows)
        runs: dict[str, list[Run]] = {"on": [], "off": []}
        for number in range(rounds):
            for side in ("on", "off") if number % 2 else ("off", "on"):
                run = at.product.run(f"{side}{number}", rows)
                runs[side].append(run)
                tell(
                    f"{side}: {run.rows_per_s:,.0f} rows/s, {run.cpu_s_per_million:.2f} CPU s per million rows"
                )
        check_delivered(at.kafka.bootstrap, [TABLE], range(1, rows + 1), 2 * rounds)
    title = "row trace, one row per event, 8 MiB window"
    return [Versus("trace", title, OFF, tuple(runs["on"]), tuple(runs["off"]), 0.98)]

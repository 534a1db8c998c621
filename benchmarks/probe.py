"""obsync's command with a stopwatch inside: python -m benchmarks.probe OUTPUT ROWS COMMAND...

It runs the command of the product unchanged and notes, where batches pass, when the first row was read and when the
commit that reached ROWS returned; then it asks the run to stop, as SIGTERM does. With ROWS 0 it stops at the first
commit of a position: that is where the stream goes on later. The cost is two clock calls a batch.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import ParamSpec, TypeVar

import msgspec

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.feeder import Feeder

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


class Stopwatch(msgspec.Struct):
    """Seconds on the machine's monotonic clock, CPU seconds of this process; 0 is what did not happen.

    `position_s` is the first commit of a position in the stream.
    """

    rows: int = 0
    first_read_s: float = 0.0
    first_read_cpu_s: float = 0.0
    half_rows: int = 0
    half_s: float = 0.0
    last_commit_s: float = 0.0
    last_commit_cpu_s: float = 0.0
    position_s: float = 0.0
    peak_rss_bytes: int = 0


def cpu_s() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_rss_bytes() -> int:
    """This program's peak (proc(5), VmHWM); getrusage would count what the parent held when it started this."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _before(
    function: Callable[Parameters, Returned], look: Callable[Parameters, None]
) -> Callable[Parameters, Returned]:
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        look(*args, **kwargs)
        return function(*args, **kwargs)

    return wrapped


def install(watch: Stopwatch, rows: int) -> None:
    """Look at the batches that enter the Connector, and at the commits that come back."""

    def read() -> None:
        if not watch.first_read_s:
            watch.first_read_s, watch.first_read_cpu_s = monotonic(), cpu_s()

    changes, chunk = Connector.changes, Connector.chunk
    acknowledged, start_at = Meter.acknowledged, Feeder.start_at

    def on_changes(self: Connector, batch: object) -> None:
        if batch.items:  # type: ignore[attr-defined]
            read()

    def on_acknowledged(self: Meter, count: int, size_bytes: int, messages: int, commit_us: int) -> None:
        acknowledged(self, count, size_bytes, messages, commit_us)
        if not count:
            return
        watch.last_commit_s, watch.last_commit_cpu_s = monotonic(), cpu_s()
        watch.rows += count
        if not watch.half_rows and watch.rows >= rows / 2:
            watch.half_rows, watch.half_s = watch.rows, watch.last_commit_s
        if rows and watch.rows >= rows:
            os.kill(os.getpid(), signal.SIGTERM)

    def on_start_at(*args: object) -> None:
        start_at(*args)  # type: ignore[arg-type]
        watch.position_s = monotonic()
        if not rows:
            os.kill(os.getpid(), signal.SIGTERM)

    Connector.changes = _before(changes, on_changes)  # type: ignore[method-assign]
    Connector.chunk = _before(chunk, lambda self, batch: read())  # type: ignore[method-assign]
    Meter.acknowledged = on_acknowledged  # type: ignore[method-assign,assignment]
    Feeder.start_at = on_start_at  # type: ignore[method-assign,assignment]


def main() -> int:
    """Run the command; its exit code."""
    output, rows, *command = sys.argv[1:]
    watch = Stopwatch()
    install(watch, int(rows))
    from obsync_tui.cli import main as obsync

    try:
        return obsync(command)
    finally:
        watch.peak_rss_bytes = peak_rss_bytes()
        Path(output).write_bytes(msgspec.json.encode(watch))


if __name__ == "__main__":
    sys.exit(main())

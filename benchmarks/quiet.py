"""A running project that has little or one thing to do: idle CPU, latency of a row, memory under a huge transaction."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles

import msgspec
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from benchmarks.delivered import check_delivered
from benchmarks.measure import Figure, Result
from benchmarks.probe import Stopwatch
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, stage, tell
from benchmarks.workload import TABLE

SETTLE_S = 5.0
EVERY_S = (0.05, 0.15)
LAST_ROW_TIMEOUT_S = 30.0


def idle(sizes: Sizes) -> list[Result]:
    """CPU of a project that is caught up, as part of one core."""
    with stage() as at:
        process = _streaming(at)
        before_s, began_s = _cpu_s(process), time.monotonic()
        time.sleep(sizes.idle_s)
        share = (_cpu_s(process) - before_s) / (time.monotonic() - began_s)
        at.product.stop(process)
    return [Figure("idle", "idle project, CPU of a core", share * 100, "%", 1.0)]


def latency(sizes: Sizes) -> list[Result]:
    """From the return of a row's INSERT, which commits it, to the return of a `read_committed` consumer's poll."""
    with stage() as at:
        process = _streaming(at)
        watcher = Watcher(at.kafka.bootstrap, sizes.samples)
        watcher.ready.wait(LAST_ROW_TIMEOUT_S)
        committed_s: dict[int, float] = {}
        for _ in range(sizes.samples):
            at.load.inserts(1)
            committed_s[at.load.number] = time.monotonic()
            time.sleep(random.uniform(*EVERY_S))
        watcher.join(LAST_ROW_TIMEOUT_S)
        at.product.stop(process)
        check_delivered(at.kafka.bootstrap, [TABLE], range(1, sizes.samples + 1), 1)
    waits_ms = [(watcher.seen_s[number] - at_s) * 1000 for number, at_s in committed_s.items()]
    cuts = quantiles(waits_ms, n=100, method="inclusive")
    title = "commit to visible, a row each 100 ms"
    return [
        Figure("latency-p50", f"{title}, p50", cuts[49], "ms", 150.0),
        Figure("latency-p99", f"{title}, p99", cuts[98], "ms", 400.0),
    ]


def transaction(sizes: Sizes) -> list[Result]:
    """Resident memory over idle while one huge transaction passes."""
    rows = sizes.transaction_rows
    with stage() as at, tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "stopwatch"
        process = _streaming(at, (output, rows))
        idle_bytes = _rss_bytes(process)
        tell(f"committing {rows} rows at once")
        at.load.one_transaction(rows, "seed")
        at.product.finish(process)
        watch = msgspec.json.decode(output.read_bytes(), type=Stopwatch)
        check_delivered(at.kafka.bootstrap, [TABLE], range(1, rows + 1), 1)
    title = f"one transaction of {rows:,} rows"
    grown_mb = (watch.peak_rss_bytes - idle_bytes) / 1e6
    rate = rows / (watch.last_commit_s - watch.first_read_s)
    return [
        Figure("transaction-memory", f"{title}, resident memory over idle", grown_mb, "MB", 150.0),
        Figure("transaction-idle", f"{title}, resident memory when idle", idle_bytes / 1e6, "MB"),
        Figure("transaction-rate", f"{title}, speed", rate, "rows/s"),
    ]


def _streaming(at: Stage, probe: tuple[Path, int] | None = None) -> subprocess.Popen[str]:
    at.load.create(TABLE)
    at.product.create("p", "incremental")
    process = at.product.start("p", probe)
    time.sleep(SETTLE_S)
    return process


def _cpu_s(process: subprocess.Popen[str]) -> float:
    """User and system time so far (proc(5), stat)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_bytes(process: subprocess.Popen[str]) -> int:
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Watcher:
    """Notes when each row's message became visible: `seen_s` by row id, on the monotonic clock."""

    def __init__(self, bootstrap: str, rows: int, topic: str = TABLE) -> None:
        self.seen_s: dict[int, float] = {}
        self.ready = threading.Event()
        self._bootstrap = bootstrap
        self._topic = topic
        self._rows = rows
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the last row."""
        self._thread.join(timeout_s)
        self._ended.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "watcher",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        partitions = consumer.list_topics(self._topic, timeout=10).topics[self._topic].partitions
        consumer.assign([TopicPartition(self._topic, number, OFFSET_END) for number in partitions])
        consumer.poll(1.0)
        self.ready.set()
        while len(self.seen_s) < self._rows and not self._ended.is_set():
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                self.seen_s.setdefault(int(message.key() or b"0"), time.monotonic())
        consumer.close()

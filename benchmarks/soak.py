"""python -m benchmarks.soak [--minutes N]: whether an engine grows while clients and projects come and go.

Each minute the churn pauses, and what the engine holds is told: everything but the projects that stay is gone then.
Exit code 1 when something went wrong, or when what is held at the end is more than after the warm-up, by more than its
bound.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
from confluent_kafka.admin import AdminClient

from benchmarks.churn import NEVER_READING, STEADY, Churn, begin_steady
from benchmarks.resident import Resident
from benchmarks.workload import TABLE, Load
from tests.servers.downloads import MissingPrerequisite
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer

MINUTES = 20.0
_EVERY_S = 60.0
# Connections of servers and of clients that are gone are closed by then.
_SETTLE_S = 5.0
_WARM_UP = 0.25


class Sample(msgspec.Struct, frozen=True):
    """What an engine holds while only the projects that stay run; sizes in bytes."""

    minute: float
    lives: int
    calls: int
    cpu_s: float
    memory: int
    threads: int
    descriptors: int
    state: int
    logs: int
    files: int
    topics: int


class Bound(msgspec.Struct, frozen=True):
    """How much a figure may grow after the warm-up: at all, and with each minute."""

    name: str
    figure: Callable[[Sample], int]
    most: int
    most_a_minute: int = 0


BOUNDS = (
    Bound("memory", lambda one: one.memory, 24 << 20, 256 << 10),
    Bound("threads", lambda one: one.threads, 3),
    Bound("descriptors", lambda one: one.descriptors, 8),
    # Metrics of the projects that stay, each ten seconds for a day; their events, a thousand each.
    Bound("state.db", lambda one: one.state, 1 << 20, 64 << 10),
    # What each action leaves in the logs of the engine and of the projects that stay; files are exchanged at 4 MiB.
    Bound("logs", lambda one: one.logs, 1 << 20, 64 << 10),
    Bound("files", lambda one: one.files, 8),
    Bound("topics", lambda one: one.topics, 0),
)


def main() -> int:
    """Soak, and tell what grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"default {MINUTES:.0f}")
    minutes: float = parser.parse_args().minutes
    try:
        samples, failures = _soak(minutes)
    except MissingPrerequisite as error:
        print(error, file=sys.stderr)
        return 1
    grown = list(_grown(samples))
    for line in (*grown, *failures[:20]):
        print(f"FAILED: {line}", flush=True)
    last = samples[-1]
    print(
        f"{last.lives} projects from creation to deletion, {last.calls} clients, {NEVER_READING} that never read: "
        f"{'nothing grows' if not grown else 'see above'}"
    )
    return 1 if grown or failures else 0


def _soak(minutes: float) -> tuple[list[Sample], list[str]]:
    with ExitStack() as stack:
        mysql = stack.enter_context(MySQLServer("5.7"))
        kafka = stack.enter_context(KafkaBroker())
        load = Load(mysql)
        stack.callback(load.close)
        load.create(TABLE)
        engine = stack.enter_context(Resident(mysql, kafka))
        engine.start()
        begin_steady(engine)
        churn = Churn(engine, load)
        began_s, samples = time.monotonic(), list[Sample]()
        while time.monotonic() - began_s < minutes * 60:
            time.sleep(min(_EVERY_S, minutes * 60 / 6))
            with churn.turns.quiet():
                engine.reconnect()
                time.sleep(_SETTLE_S)
                minute = (time.monotonic() - began_s) / 60
                samples.append(_sample(engine, kafka, churn, minute))
            print(_line(samples[-1]), flush=True)
        churn.end()
        return samples, churn.failures


def _sample(engine: Resident, kafka: KafkaBroker, churn: Churn, minute: float) -> Sample:
    cost = engine.cost()
    files = [path for path in engine.home.rglob("*") if path.is_file()]
    return Sample(
        minute,
        churn.lives,
        churn.calls,
        cost.cpu_s,
        cost.rss_bytes,
        cost.threads,
        cost.descriptors,
        _bytes(path for path in files if path.name.startswith("state.db")),
        _bytes(path for path in files if engine.paths.logs in path.parents),
        len(files),
        len(AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=30).topics),
    )


def _bytes(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _line(one: Sample) -> str:
    return (
        f"{one.minute:5.1f} min, {one.lives} lives, {one.calls} clients: {one.memory / 1e6:.1f} MB, "
        f"{one.threads} threads, {one.descriptors} descriptors, state.db {one.state / 1e3:,.0f} kB, "
        f"logs {one.logs / 1e3:,.0f} kB, {one.files} files, {one.topics} topics, {one.cpu_s:.0f} s CPU"
    )


def _grown(samples: list[Sample]) -> Iterator[str]:
    """What is held at the end beyond its bound, compared to the end of the warm-up."""
    last = samples[-1]
    first = next(one for one in samples if one.minute >= last.minute * _WARM_UP)
    for bound in BOUNDS:
        before, after = bound.figure(first), bound.figure(last)
        most = bound.most + round(bound.most_a_minute * (last.minute - first.minute))
        if after - before > most:
            yield (
                f"{bound.name} grew from {before:,} at minute {first.minute:.1f} to {after:,}, by {after - before:,}; "
                f"{most:,} is allowed with {STEADY} projects that stay"
            )


if __name__ == "__main__":
    sys.exit(main())

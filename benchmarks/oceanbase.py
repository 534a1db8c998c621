"""obsync on OceanBase's engine: its snapshot beside a plain reader's, and view logs under a steady load."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import quantiles
from typing import NamedTuple

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.delivered import NotExactlyOnce, check_delivered
from benchmarks.measure import PLAIN, Figure, Result, Run, Versus
from benchmarks.plainreader import Plain
from benchmarks.product import ROOT, Product
from benchmarks.sizes import Sizes
from benchmarks.stage import tell
from benchmarks.view_logs import COLUMNS, load
from benchmarks.workload import DATABASE, TABLE
from benchmarks.writer import COLUMNS as SENT_COLUMNS
from tests.contract.sources import ViewLogSource
from tests.servers import KafkaBroker, OceanBaseServer

_COPIED_ROWS = 100_000
_LIVE = "live"
_SENT = re.compile(rb'"sent_us":(\d+)')
_SLOW_ROWS_PER_S, _LIVE_ROWS_PER_S = 200, 5_000
_REST_S = 60.0


class EngineStage(NamedTuple):
    """What a case works with."""

    engine: OceanBaseServer
    kafka: KafkaBroker
    product: Product


@contextmanager
def _stage() -> Iterator[EngineStage]:
    with OceanBaseServer() as engine, KafkaBroker() as kafka, Product(engine, kafka) as product:
        engine.execute(f"CREATE DATABASE {DATABASE}")
        yield EngineStage(engine, kafka, product)


def oceanbase_snapshot(sizes: Sizes) -> list[Result]:
    """Rows of eight columns into Kafka by obsync; the same messages by a plain reader, which sends them nowhere."""
    rows, ours, others = sizes.snapshot_rows, [], []
    with _stage() as at:
        tell(f"loading {rows} rows")
        _fill(at.engine, rows)
        for number in range(sizes.rounds):
            at.product.create(f"p{number}", "schema,full")
            ours.append(at.product.run(f"p{number}", rows))
            others.append(_plain(at, _first_message(at.kafka.bootstrap)))
            tell(f"obsync {ours[-1].rows_per_s:,.0f} rows/s, plain reader {others[-1].rows_per_s:,.0f}")
        check_delivered(at.kafka.bootstrap, [TABLE], range(rows), sizes.rounds)
    title = f"snapshot of OceanBase's engine, {rows:,} rows, 8 columns"
    return [Versus("oceanbase-snapshot", title, PLAIN, tuple(ours), tuple(others), 3.0)]


def _fill(engine: OceanBaseServer, rows: int) -> None:
    engine.execute(f"CREATE TABLE {DATABASE}.{TABLE} ({COLUMNS})")
    some = min(rows, _COPIED_ROWS)
    with closing(engine.connect(database=DATABASE)) as connection:
        load(connection, TABLE, some)
        with connection.cursor() as cursor:
            for first in range(some, rows, some):
                cursor.execute(
                    f"INSERT INTO {TABLE} SELECT id + {first}, a, b, price, name, note, made, flag FROM {TABLE}"
                    f" WHERE id < {min(some, rows - first)}"
                )


def _first_message(bootstrap: str) -> dict[str, object]:
    with closing(_consumer(bootstrap)) as consumer:
        consumer.assign([TopicPartition(TABLE, 0, OFFSET_BEGINNING)])
        while (message := consumer.poll(1.0)) is None:
            pass
    found: dict[str, object] = json.loads(message.value() or b"")
    return found


def _plain(at: EngineStage, theirs: dict[str, object]) -> Run:
    """Run the plain reader; RuntimeError when its messages are not obsync's."""
    wanted = str(theirs["postStruct"]["id"])  # type: ignore[index]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.plainreader", str(at.engine.port), f"{DATABASE}.{TABLE}", wanted],
        cwd=ROOT,
        input=json.dumps(theirs["allMetaData"]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    plain = msgspec.json.decode(done.stdout, type=Plain)
    if json.loads(plain.message) != theirs:
        raise RuntimeError(f"the plain reader makes {plain.message}, obsync {json.dumps(theirs)}")
    return plain.run


def view_logs_live(sizes: Sizes) -> list[Result]:
    """From the clock before a row's INSERT to the row at a `read_committed` consumer, few rows and many."""
    with _stage() as at:
        at.engine.execute(f"CREATE TABLE {DATABASE}.{_LIVE} ({SENT_COLUMNS})")
        at.product.create(_LIVE, "schema,full,incremental", _LIVE, f"{DATABASE}.{_LIVE}")
        process = at.product.start(_LIVE)
        ages = _Ages(at.kafka.bootstrap)
        slow_ms = _written(at, ages, 0, sizes.slow_s, _SLOW_ROWS_PER_S, 1)
        live_ms = _written(at, ages, len(slow_ms), sizes.live_s, _LIVE_ROWS_PER_S, 50)
        ages.end()
        at.product.stop(process)
    slow, live = quantiles(slow_ms, n=100), quantiles(live_ms, n=100)
    few = f"view logs, {_SLOW_ROWS_PER_S} rows/s, INSERT to visible"
    many = f"view logs, {_LIVE_ROWS_PER_S:,} rows/s for {sizes.live_s:.0f} s"
    return [
        Figure("view-logs-few-p50", f"{few}, p50", slow[49], "ms", 250.0),
        Figure("view-logs-few-p99", f"{few}, p99", slow[98], "ms"),
        Figure("view-logs-rate", f"{many}, written", len(live_ms) / sizes.live_s, "rows/s"),
        Figure("view-logs-p50", f"{many}, INSERT to visible, p50", live[49], "ms"),
        Figure("view-logs-p99", f"{many}, INSERT to visible, p99", live[98], "ms", 2000.0),
    ]


def _written(
    at: EngineStage, ages: _Ages, first: int, seconds: float, rows_per_s: int, rows_per_insert: int
) -> list[float]:
    """The rows' ages in milliseconds; NotExactlyOnce when not each came once."""
    numbers = (first, seconds, rows_per_s, rows_per_insert)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.writer", str(at.engine.port), f"{DATABASE}.{_LIVE}"),
            *map(str, numbers),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    rows, deadline_s = int(done.stdout), time.monotonic() + _REST_S
    while len(ages.found_ms) < first + rows and time.monotonic() < deadline_s:
        time.sleep(0.2)
    if len(ages.found_ms) != first + rows:
        raise NotExactlyOnce(f"{rows} rows were written, {len(ages.found_ms) - first} came")
    return ages.found_ms[first:]


class _Ages:
    """How old each row is when its message is visible, in the order of arrival."""

    def __init__(self, bootstrap: str) -> None:
        self.found_ms: list[float] = []
        self._ended = threading.Event()
        self._consumer = _consumer(bootstrap)
        partitions = self._consumer.list_topics(_LIVE, timeout=10).topics[_LIVE].partitions
        self._consumer.assign([TopicPartition(_LIVE, number, OFFSET_BEGINNING) for number in partitions])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let go."""
        self._ended.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            messages = self._consumer.consume(1000, timeout=0.02)
            now_us = time.time() * 1e6
            for message in messages:
                sent = _SENT.search(message.value() or b"")
                if sent:
                    self.found_ms.append((now_us - int(sent[1])) / 1000)


def view_logs_writes(sizes: Sizes) -> list[Result]:
    """What a view log adds to the application's own INSERTs."""
    results: list[Result] = []
    with OceanBaseServer() as engine:
        for per_insert, rows in ((1000, sizes.written_rows), (1, sizes.written_rows // 20)):
            source = ViewLogSource(engine)
            took_s = {}
            for table in ("plain", "logged"):
                source.run(f"CREATE TABLE {table} ({COLUMNS})")
                if table == "logged":
                    source.take()
                    source.run("DROP MATERIALIZED VIEW LOG ON plain")
                with closing(engine.connect(database=source.database)) as connection:
                    took_s[table] = load(connection, table, rows, per_insert)
            kind = f"INSERTs of {per_insert:,} rows" if per_insert > 1 else "INSERTs of one row"
            for table, name in (("plain", "without"), ("logged", "with")):
                case = f"view-logs-writes-{per_insert}-{table}"
                results.append(Figure(case, f"{kind}, {name} view log", rows / took_s[table], "rows/s"))
    return results


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"ages-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )

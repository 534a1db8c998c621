"""What reading view logs costs on OceanBase's engine: `python -m benchmarks.view_logs [ROWS [SECONDS]]`.

Drain of a log of so many rows by the Store and a row plan, polls of logs of several lengths, of many empty logs,
what a log adds to writes, and a live writer of 5,000 rows a second with purges. One JSON object on standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from threading import Event
from time import perf_counter, time

import pymysql

from obsync_tui.engine.formats.default import DEFAULT
from obsync_tui.engine.formats.plan import Identity, RecordKind
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, Routing, RowPlan
from obsync_tui.engine.store.mlog.catalog import current_scn, read_logs
from obsync_tui.engine.store.mlog.guard import Guard, open_logs
from obsync_tui.engine.store.mlog.ownership import owned_of
from obsync_tui.engine.store.mlog.poll import Poll
from obsync_tui.engine.store.mlog.reading import LogReader
from obsync_tui.engine.store.store import Begin, RowGroup
from obsync_tui.model.message import Lanes
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import KeyForm
from tests.contract.sources import ViewLogSource
from tests.servers import OceanBaseServer

COLUMNS = (
    "id BIGINT PRIMARY KEY, a INT, b INT UNSIGNED, price DECIMAL(10,2), name VARCHAR(40), note VARCHAR(100),"
    " made DATETIME, flag TINYINT"
)


def load(connection: pymysql.Connection, table: str, rows: int, per_statement: int = 1000) -> float:
    """Seconds that so many inserts take."""
    values = f"(%d, 7, 8, 9.95, 'a name of some length', '{'n' * 60}', '2026-01-02 03:04:05', 1)"
    started_s = perf_counter()
    with connection.cursor() as cursor:
        for first in range(0, rows, per_statement):
            last = min(first + per_statement, rows)
            cursor.execute(f"INSERT INTO {table} VALUES " + ",".join(values % i for i in range(first, last)))
    return perf_counter() - started_s


def _load(source: ViewLogSource, table: str) -> float:
    with closing(source.server.connect(database=source.database)) as connection:
        return load(connection, table, 100_000)


def _plan(group: RowGroup) -> RowPlan:
    plans = ((RecordKind.INSERT, DEFAULT.row(group.table, RecordKind.INSERT, Identity("MYSQL", "x"))),)
    routing = Routing(KeyForm.PRIMARY_KEY, (0,), (0,), 3)
    return compile_row_plan(PlanRequest(group.table, group.shape, RecordKind.INSERT, plans, routing))


def _drain(source: ViewLogSource, position: str, end: str) -> tuple[int, float]:
    """Rows made into messages, and seconds."""
    store, plan, rows = source.store(), None, 0
    started_s = perf_counter()
    for batch in store.batches(LogPosition(position), source.tables()):
        for group in batch.items:
            if isinstance(group, RowGroup):
                plan = plan or _plan(group)
                lanes: Lanes = [[], [], []]
                rows += plan(group.bodies, 0, 1, "g:1", 1, 0, lanes, 0, lambda key: True)[0]
        if source.behind(batch.executed, end):
            break
    elapsed_s = perf_counter() - started_s
    store.stop()
    return rows, elapsed_s


def _polls(source: ViewLogSource) -> dict[str, float]:
    """Milliseconds of an empty poll without the pause before it: shortest and middle of twenty."""
    tables = source.tables()
    with source.connect() as control, source.connect() as values:
        logs = open_logs(
            control, owned_of(source.records.values()), read_logs(control, ""), tables, frozenset(), ""
        )
        reader, guard = LogReader(values, logs, "", Event()), Guard(control, logs, tables, "")
        poll = Poll(reader, guard, logs, current_scn(control, ""))
        poll.caught_up = True
        times = []
        for _ in range(20):
            started_s = perf_counter()
            upto_scn = current_scn(control, "")
            assert not list(poll.rows(upto_scn, None))
            poll.last_scn = upto_scn
            times.append((perf_counter() - started_s) * 1000)
    times.sort()
    return {"min_ms": round(times[0], 1), "p50_ms": round(times[10], 1)}


_ROWS_PER_S, _ROWS_PER_WRITE = 5000, 50
_WRITER = """
import sys, time, pymysql
port, database, seconds, rate, some = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
connection = pymysql.connect(host="127.0.0.1", port=port, user="root", database=database)
cursor = connection.cursor()
cursor.execute("SET autocommit = 1")
started, number = time.time(), 0
while (now := time.time()) < started + seconds:
    if number > (now - started) * rate:
        time.sleep(0.002)
        continue
    values = ",".join("(%d, 7, 8, 9.95, 'a name', 'x', '2026-01-02 03:04:05', 1)" % (number + i) for i in range(some))
    cursor.execute("INSERT INTO live VALUES " + values)
    number += some
print(number)
"""


def _live(source: ViewLogSource, seconds: float) -> dict[str, float]:
    """A writer of 5,000 rows a second: rows, purges, and the age of each transaction when it comes."""
    source.run(f"CREATE TABLE live ({COLUMNS})")
    source.take()
    store, position = source.store(), LogPosition(source.executed())
    arguments = (
        str(source.server.port),
        source.database,
        str(seconds),
        str(_ROWS_PER_S),
        str(_ROWS_PER_WRITE),
    )
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, *arguments], stdout=subprocess.PIPE, text=True)
    ages, purges, rows = [], 0, 0
    end = ""
    for batch in store.batches(position, source.tables()):
        now_us = time() * 1e6
        for item in batch.items:
            if isinstance(item, Begin):
                ages.append((now_us - item.commit_us) / 1000)
            elif isinstance(item, RowGroup):
                rows += len(item.bodies)
        source.keep(batch.records)
        purges += any(record.value is None for record in batch.records)
        if batch.whole:
            store.committed(LogPosition(batch.executed))
        if writer.poll() is not None:
            end = end or source.executed()
            if source.behind(batch.executed, end):
                break
    store.stop()
    written = int(writer.communicate()[0])
    assert rows == written, (rows, written)
    ages.sort()
    at = {
        name: round(ages[int(len(ages) * part)])
        for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 0.9999))
    }
    return {
        "rows": rows,
        "purges": purges,
        "rows_per_s": round(rows / seconds),
        **{f"{k}_ms": v for k, v in at.items()},
    }


def main(rows: int, live_s: float) -> None:
    """Run all, print the figures."""
    figures: dict[str, object] = {}
    with OceanBaseServer() as server:
        source = ViewLogSource(server)
        source.run(f"CREATE TABLE plain ({COLUMNS})")
        source.purge_rows = 1 << 40
        without_s = _load(source, "plain")
        source.run(f"CREATE TABLE logged ({COLUMNS})", "DROP TABLE plain")
        source.take()
        start = source.executed()
        with_s = _load(source, "logged")
        figures["insert_100k_s"] = {"plain": round(without_s, 2), "logged": round(with_s, 2)}
        figures["empty_poll_of_100k_rows"] = _polls(source)
        _rest(source, rows - 100_000)
        drained, elapsed_s = _drain(source, start, source.executed())
        figures["drain"] = {
            "rows": drained,
            "s": round(elapsed_s, 1),
            "rows_per_s": round(drained / elapsed_s),
        }
        figures[f"empty_poll_of_{rows}_rows"] = _polls(source)
        figures["live"] = _live(ViewLogSource(server), live_s)
        many = ViewLogSource(server)
        many.run(*(f"CREATE TABLE m{i} (id INT PRIMARY KEY, v INT)" for i in range(99)))
        many.take()
        figures["empty_poll_of_100_empty_logs"] = _polls(many)
    print(json.dumps(figures, indent=2))


def _rest(source: ViewLogSource, rows: int) -> None:
    """Further changes, by one statement a hundred thousand."""
    for number in range(rows // 100_000):
        first = (number + 1) * 10_000_000
        source.run(
            f"INSERT INTO logged SELECT id + {first}, a, b, price, name, note, made, flag FROM logged WHERE id < 100000"
        )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000,
        float(sys.argv[2]) if len(sys.argv) > 2 else 600.0,
    )

"""obsync and Debezium one after the other, round by round, on the same MySQL data."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.debezium import Debezium, PeerMissing
from benchmarks.delivered import check_delivered
from benchmarks.measure import Run, Versus
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, stage, tell
from benchmarks.workload import DATABASE, FORTY, TABLE, TEN, Load, Shape

Fill = Callable[[Load, int], None]
PEER = "Debezium"


def stream_500(sizes: Sizes) -> list[Versus]:
    """INSERTs of 500 rows."""
    title = "stream, 500-row inserts, 10 columns"
    return [_stream("stream-500", title, TEN, sizes.stream_rows, sizes.rounds, Load.inserts, 2.0)]


def stream_single(sizes: Sizes) -> list[Versus]:
    """OceanBase's shape: an event a row."""
    title = "stream, one row per event, 10-row transactions"
    return [_stream("stream-1", title, TEN, sizes.stream_rows, sizes.rounds, Load.single_rows, 3.0)]


def stream_40(sizes: Sizes) -> list[Versus]:
    """Wide rows."""
    title = "stream, 500-row inserts, 40 columns"
    return [_stream("stream-40", title, FORTY, sizes.wide_rows, sizes.rounds, Load.inserts, 2.0)]


def snapshot(sizes: Sizes) -> list[Versus]:
    """Full-Import of one table."""
    rows = sizes.snapshot_rows
    with stage() as at:
        at.load.create(TABLE)
        tell(f"loading {rows} rows")
        at.load.inserts(rows)
        peer = _peer(at)
        ours: list[Run] = []
        others: list[Run] = []
        for number in range(sizes.rounds):
            at.product.create(f"p{number}", "schema,full")
            ours.append(at.product.run(f"p{number}", rows))
            _say("obsync", ours)
            if peer is not None:
                others.append(peer.snapshot(rows))
                _say(PEER, others)
        check_delivered(at.kafka.bootstrap, [TABLE], range(1, rows + 1), sizes.rounds)
        if peer is not None:
            peer.close()
    return [Versus("snapshot", f"snapshot, {rows:,} rows, 10 columns", PEER, tuple(ours), tuple(others), 2.5)]


def _stream(
    case: str, title: str, shape: Shape, rows: int, rounds: int, fill: Fill, required_ratio: float
) -> Versus:
    with stage(shape) as at:
        at.load.create(TABLE)
        peer = _peer(at)
        if peer is not None:
            peer.prepare()
        for number in range(rounds):
            at.product.create(f"p{number}", "incremental")
            at.product.prepare(f"p{number}")
        tell(f"loading {rows} rows")
        fill(at.load, rows)
        ours: list[Run] = []
        others: list[Run] = []
        for number in range(rounds):
            ours.append(at.product.run(f"p{number}", rows))
            _say("obsync", ours)
            if peer is not None:
                others.append(peer.stream(rows))
                _say(PEER, others)
        check_delivered(at.kafka.bootstrap, [TABLE], range(1, rows + 1), rounds)
        if peer is not None:
            peer.close()
    return Versus(case, title, PEER, tuple(ours), tuple(others), required_ratio)


def _peer(at: Stage) -> Debezium | None:
    try:
        return Debezium(at.mysql, DATABASE)
    except PeerMissing as error:
        tell(f"without {PEER}: {error}")
        return None


def _say(name: str, runs: list[Run]) -> None:
    run = runs[-1]
    tell(
        f"{name}: {run.rows_per_s:,.0f} rows/s, {run.cpu_s_per_million:.1f} CPU s per million rows, "
        f"second half {run.late_rows_per_s:,.0f} rows/s, {run.whole_s:.1f} s in all"
    )

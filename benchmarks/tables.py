"""What a thousand tables cost: obsync against itself with one table, by the same rows in the same shape."""

from __future__ import annotations

from benchmarks.delivered import check_delivered
from benchmarks.measure import Figure, Result, Run, Versus
from benchmarks.sizes import Sizes
from benchmarks.stage import Stage, stage, tell
from benchmarks.workload import DATABASE

MANY = f"{DATABASE}.many_*"
SOLO = f"{DATABASE}.solo"
LOADED = 10
# Name of a project, its objects, topic template and partitions.
ONE_TOPIC = ("one", MANY, "one", 8)
ONE_TABLE_8 = ("solo8", SOLO, "solo8", 8)
EACH_ALL = ("each", MANY, "${table}", 3)
EACH_TEN = ("ten", MANY, "${table}", 3)
ONE_TABLE_3 = ("solo3", SOLO, "solo3", 3)
ONE_TABLE_AGAIN = ("again", SOLO, "again", 3)
Plan = tuple[str, str, str, int]


def tables(sizes: Sizes) -> list[Result]:
    """One row per event; each transaction of ten rows writes another table than the one before."""
    names = [f"many_{number:04d}" for number in range(sizes.tables)]
    rows, rounds = sizes.table_rows, range(sizes.rounds)
    with stage() as at:
        tell(f"making {sizes.tables} tables and a topic for each")
        at.load.create(*names, "solo")
        creation_s = _prepare(at, ("topics", *EACH_ALL[1:]), 0)
        for number in rounds:
            for plan in (ONE_TABLE_8, ONE_TABLE_3, ONE_TABLE_AGAIN):
                _prepare(at, plan, number)
        tell(f"loading 3 times {rows} rows")
        at.load.single_rows(rows, ["solo"])
        runs: dict[str, list[Run]] = {}
        # Loads stand between runs: one that has reached its rows may go on for a moment, and would read the next load.
        starts = [_prepare(at, EACH_ALL, number) for number in rounds]
        at.load.single_rows(sizes.topic_rows, names)
        _run(at, (EACH_ALL,), sizes.topic_rows, rounds, runs)
        starts += [_prepare(at, ONE_TOPIC, number) for number in rounds]
        at.load.single_rows(rows, names)
        _run(at, (ONE_TABLE_8, ONE_TOPIC, ONE_TABLE_3), rows, rounds, runs)
        starts += [_prepare(at, EACH_TEN, number) for number in rounds]
        at.load.single_rows(rows, names[:LOADED])
        _run(at, (ONE_TABLE_AGAIN, EACH_TEN), rows, rounds, runs)
        _check(at, names, sizes)
    starts += [run.whole_s - run.window_s for run in (*runs["one"], *runs["each"], *runs["ten"])]
    return _results(sizes.tables, runs, max(starts), creation_s)


def _run(at: Stage, plans: tuple[Plan, ...], rows: int, rounds: range, runs: dict[str, list[Run]]) -> None:
    for number in rounds:
        for name, *_ in plans:
            run = at.product.run(f"{name}{number}", rows)
            runs.setdefault(name, []).append(run)
            tell(f"{name}: {run.rows_per_s:,.0f} rows/s, first row after {run.whole_s - run.window_s:.1f} s")


def _prepare(at: Stage, plan: Plan, number: int) -> float:
    name, objects, topic, partitions = plan
    at.product.create(f"{name}{number}", "incremental", topic, objects, partitions)
    return at.product.prepare(f"{name}{number}")


def _check(at: Stage, names: list[str], sizes: Sizes) -> None:
    """Ids were given out in the order of the loads: one table, all with a topic each, all into one, ten of them."""
    bootstrap, rows, rounds = at.kafka.bootstrap, sizes.table_rows, sizes.rounds
    each = range(rows + 1, rows + sizes.topic_rows + 1)
    one = range(each.stop, each.stop + rows)
    ten = range(one.stop, one.stop + rows)
    for topic in ("solo8", "solo3", "again"):
        check_delivered(bootstrap, [topic], range(1, rows + 1), rounds)
    check_delivered(bootstrap, ["one"], one, rounds)
    check_delivered(bootstrap, names, (*each, *ten), rounds)


def _results(count: int, runs: dict[str, list[Run]], start_s: float, creation_s: float) -> list[Result]:
    side = {name: tuple(found) for name, found in runs.items()}

    def versus(case: str, title: str, ours: str, other: str, required_ratio: float | None) -> Versus:
        return Versus(case, title, "one table", side[ours], side[other], required_ratio)

    return [
        versus(
            "tables-one-topic", f"{count:,} tables, all written, one 8-partition topic", "one", "solo8", 0.90
        ),
        versus("tables-topics-10", f"{count:,} tables, a topic each, {LOADED} written", "ten", "again", 0.75),
        versus("tables-topics-all", f"{count:,} tables, a topic each, all written", "each", "solo3", None),
        Figure("start", f"start with {count:,} tables, topics there, longest", start_s, "s", 10.0),
        Figure("topics", f"first start, {count:,} topics of 3 partitions made", creation_s, "s"),
    ]

"""Metric history: tiers, gaps, clock steps, restarts, kills, full disks."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from obsync_tui.engine.errors import StateError
from obsync_tui.engine.history import chunks
from obsync_tui.engine.history.chunks import MINUTES, SECONDS, TENS
from obsync_tui.engine.history.metrics import MetricHistory
from obsync_tui.engine.history.series import MAX_POINTS
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.history import WORST, Metric, MetricSeries
from obsync_tui.model.metrics import Phase, Status

A, B = "np_aaaaaaaaaaaa", "np_bbbbbbbbbbbb"
# On the boundary of an hour.
T0 = 1_700_000_000 // 3600 * 3600
LAG, RATE = Metric.SOURCE_LAG_S, Metric.ROWS_PER_S
HOUR, DAY = 3600, 86400


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFile]:
    with StateFile(tmp_path / "state.db") as state:
        state._connection.execute(
            "PRAGMA synchronous = OFF"
        )  # thousands of commits, of which none has to last
        yield state


def status(at_s: float, lag_s: float | None = 0.0, rows_per_s: float = 0.0, project: str = A) -> Status:
    return Status(project, "p", Phase.INCREMENTAL, at_s, 1, 0.0, source_lag_s=lag_s, rows_per_s=rows_per_s)


def run(history: MetricHistory, begin_s: int, seconds: int, project: str = A, flush: bool = True) -> None:
    """A point each second: the lag is the time's last digits, the rate twice that."""
    for at_s in range(begin_s, begin_s + seconds):
        history.record(status(at_s + 0.25, at_s % 10_000, 2.0 * (at_s % 10_000), project))
        if flush and at_s % 10 == 9:
            history.flush()


def of(series: MetricSeries, name: Metric = LAG) -> list[float | None]:
    return list(series.values[series.names.index(name)])


def test_a_metric_is_a_field_of_the_status() -> None:
    fields = {field.name for field in msgspec.structs.fields(Status)}
    assert set(Metric) <= fields
    assert len(Metric) * chunks.POINTS * 4 < 4000, "a chunk no longer fits a page"
    assert set(Metric) > WORST


def test_seconds_are_given_as_they_came(state: StateFile) -> None:
    history = MetricHistory(state)
    run(history, T0, 90, flush=False)
    series = history.series(A, (LAG, RATE), T0 + 10, T0 + 70, 60)
    assert (series.step_s, series.tier_s, series.start_s) == (1, 1, T0 + 10)
    assert of(series) == [(T0 + i) % 10_000 for i in range(10, 70)]
    assert of(series, RATE) == [2.0 * ((T0 + i) % 10_000) for i in range(10, 70)]


def test_lags_are_made_coarser_by_the_worst_and_rates_by_the_mean(state: StateFile) -> None:
    history = MetricHistory(state)
    for i, (lag_s, rate) in enumerate([(1, 10), (9, 20), (2, 60), (None, 2)]):
        history.record(status(T0 + i, lag_s, rate))
    series = history.series(A, (LAG, RATE), T0, T0 + 4, 2)
    assert (series.step_s, of(series), of(series, RATE)) == (2, [9, 2], [15, 31])
    history.flush()
    for from_s, to_s in ((T0, T0 + 10), (T0, T0 + 60)):
        series = history.series(A, (LAG, RATE), from_s, to_s, 1)
        assert (of(series), of(series, RATE)) == ([9], [23])


@pytest.mark.parametrize(("seconds", "points", "step_s", "tier_s"), [
    (100, 100, 1, 1), (100, 50, 2, 1), (100, 10, 10, 10), (HOUR, 120, 30, 10), (HOUR, 60, 60, 60),
    (2 * HOUR, 5000, 10, 10), (2 * HOUR, 100, 120, 60),
])  # fmt: skip
def test_the_step_follows_from_time_and_points(
    state: StateFile, seconds: int, points: int, step_s: int, tier_s: int
) -> None:
    history = MetricHistory(state)
    run(history, T0, 2 * HOUR)
    end_s = T0 + 2 * HOUR
    series = history.series(A, (LAG,), end_s - seconds, end_s, points)
    assert (series.step_s, series.tier_s, series.start_s) == (step_s, tier_s, end_s - seconds)
    assert of(series) == [
        max(at_s % 10_000 for at_s in range(begin, begin + step_s))
        for begin in range(end_s - seconds, end_s, step_s)
    ]


@pytest.mark.parametrize("points", [1, 2, 7, 100, 10**9])
@pytest.mark.parametrize("shift_s", [0, 5, 59, 61.5])
def test_never_more_points_than_asked_for(state: StateFile, points: int, shift_s: float) -> None:
    history = MetricHistory(state)
    run(history, T0, 300)
    series = history.series(A, (LAG,), T0 + shift_s, T0 + 300 + shift_s, points)
    assert 0 < len(of(series)) <= min(points, MAX_POINTS)
    assert series.start_s % series.step_s == 0
    assert series.start_s + series.step_s * len(of(series)) >= T0 + 300 + shift_s


def test_nothing_is_asked_for_or_known(state: StateFile) -> None:
    history = MetricHistory(state)
    assert of(history.series(A, (LAG,), T0, T0, 10)) == []
    assert of(history.series(A, (LAG,), T0, T0 - 5, 10)) == []
    assert of(history.series(A, (LAG,), T0, T0 + 5, 10)) == [None] * 5
    assert history.series(A, (), T0, T0 + 5, 10).values == ()
    assert len(of(history.series(A, (LAG,), 0, T0, 10))) <= 10


def test_gaps_stay_gaps_in_every_tier(state: StateFile) -> None:
    history = MetricHistory(state)
    run(history, T0, 120)
    run(history, T0 + 600, 120)
    for points, step_s in ((720, 1), (72, 10), (12, 60)):
        series = history.series(A, (LAG,), T0, T0 + 720, points)
        assert series.step_s == step_s
        there = [value is not None for value in of(series)]
        edge, middle = 120 // step_s, 480 // step_s
        assert there == [True] * edge + [False] * middle + [True] * edge


def test_a_tick_that_is_late_leaves_no_hole_but_a_pause_does(state: StateFile) -> None:
    history = MetricHistory(state)
    for at_s, lag_s in ((0.99, 1), (2.01, 2), (3.0, 3), (6.0, 6)):
        history.record(status(T0 + at_s, lag_s))
    assert of(history.series(A, (LAG,), T0, T0 + 7, 7)) == [1, 2, 2, 3, None, None, 6]


def test_unknown_values_are_gaps_of_their_metric_alone(state: StateFile) -> None:
    history = MetricHistory(state)
    history.record(status(T0, None, 5.0))
    series = history.series(A, (LAG, RATE), T0, T0 + 1, 1)
    assert (of(series), of(series, RATE)) == ([None], [5.0])


def test_the_coarser_tiers_survive_a_restart(state: StateFile) -> None:
    history = MetricHistory(state)
    run(history, T0, 3 * HOUR)
    run(history, T0, 60, B)
    history.close()
    after = MetricHistory(state)
    run(after, T0 + 3 * HOUR, 30)
    tens = after.series(A, (LAG,), T0, T0 + 3 * HOUR + 30, 1083)
    assert (tens.tier_s, len(of(tens))) == (10, 1083)
    assert of(tens) == [
        (T0 + 10 * i) % 10_000 + 9 if (T0 + 10 * i) % 10_000 < 9_991 else 9_999 for i in range(1083)
    ]
    minutes = after.series(A, (LAG,), T0, T0 + 3 * HOUR, 180)
    assert (minutes.tier_s, None in of(minutes)) == (60, False)
    # Five minutes back the seconds of the new process do not reach.
    series = after.series(A, (LAG,), T0 + 3 * HOUR - 270, T0 + 3 * HOUR + 30, 300)
    assert (series.tier_s, None in of(series)) == (10, False)
    assert of(after.series(B, (LAG,), T0, T0 + 60, 6)) == [(T0 + 10 * i + 9) % 10_000 for i in range(6)]


def test_only_so_much_is_kept(state: StateFile) -> None:
    history = MetricHistory(state)
    # A point in each chunk of tens and of minutes, for twenty days.
    for at_s in range(T0, T0 + 20 * DAY, 600):
        history.record(status(at_s, 1.0))
        history.flush()
    history.close()
    with state.reading() as connection:
        found = connection.execute(
            "SELECT step_s, count(*), min(number), max(number), sum(length(content)) FROM metric GROUP BY step_s"
        ).fetchall()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    end_s = T0 + 20 * DAY
    assert [row[:4] for row in found] == [
        (10, 145, end_s // 600 - 145, end_s // 600 - 1),
        (60, 337, end_s // 3600 - 337, end_s // 3600 - 1),
    ]
    assert pages * 4096 < 4 * 1024 * 1024, "of one project, and all else"
    tiers = history._projects[A]
    assert len(tiers.chunks[SECONDS]) <= SECONDS.chunks
    assert len(tiers.chunks[TENS]) <= 1
    assert len(tiers.chunks[MINUTES]) <= 1


@pytest.mark.parametrize("step_s", [HOUR, -HOUR, 400 * DAY, -400 * DAY, 1.5, -1.5, 59, -61])
def test_a_clock_that_steps_corrupts_nothing(state: StateFile, step_s: float) -> None:
    """The clock steps, and later back: what is told is what was recorded last under each time."""
    history = MetricHistory(state)
    expected: dict[int, float] = {}
    value = 0

    def live(begin_s: float, seconds: int) -> float:
        nonlocal value
        for i in range(seconds):
            value += 1
            history.record(status(begin_s + i, value))
            expected[int(begin_s + i)] = value
            if i % 10 == 9:
                history.flush()
        return begin_s + seconds

    at_s = live(T0 + DAY, 1800)
    at_s = live(at_s + step_s, 1200)
    at_s = live(at_s - step_s, 1200)
    history.flush()
    for reader in (history, MetricHistory(state)):
        for begin_s in (at_s - 600, at_s - step_s - 600 if abs(step_s) < DAY else at_s - 600):
            begin = int(begin_s // 60) * 60
            for points, step in ((60, 10), (10, 60)):
                series = reader.series(A, (LAG,), begin, begin + 600, points)
                assert series.step_s == step
                assert of(series) == [
                    max((expected[s] for s in range(b, b + step) if s in expected), default=None)
                    for b in range(begin, begin + 600, step)
                ]
    assert len(history._projects[A].chunks[SECONDS]) <= SECONDS.chunks


def test_the_present_stays_when_the_clock_had_been_in_the_future(
    state: StateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of the future go before those of the present, else they would push these out for ever."""
    history = MetricHistory(state)
    future = T0 + 400 * DAY
    for at_s in range(future, future + 150 * 600, 600):
        history.record(status(at_s, 7.0))
        history.flush()
    for at_s in range(T0, T0 + 145 * 600, 600):
        history.record(status(at_s, 5.0))
        history.flush()
    history.close()
    with state.reading() as connection:
        numbers = [
            row[0]
            for row in connection.execute("SELECT number FROM metric WHERE step_s = 10 ORDER BY number")
        ]
    assert numbers == list(range(T0 // 600, T0 // 600 + 145))


KILLED = """
import sys, time
from pathlib import Path
from obsync_tui.engine.history.metrics import MetricHistory
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.metrics import Phase, Status
begin = int(sys.argv[2])
with StateFile(Path(sys.argv[1])) as state:
    history = MetricHistory(state)
    for at_s in range(begin, begin + 100000):
        for project in ("np_aaaaaaaaaaaa", "np_bbbbbbbbbbbb"):
            history.record(Status(project, "p", Phase.INCREMENTAL, at_s, 1, 0.0, source_lag_s=at_s % 10000))
        if at_s % 10 == 9:
            history.flush()
            print(at_s, flush=True)
"""


@pytest.mark.parametrize("flushes", [1, 7, 65])
def test_a_kill_costs_ten_seconds_at_most(tmp_path: Path, flushes: int) -> None:
    path = tmp_path / "state.db"
    begin = T0 + 35
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path, str(begin)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(flushes)]
        os.kill(process.pid, signal.SIGKILL)
        told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    with StateFile(path) as state:
        history = MetricHistory(state)
        with state.reading() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        for project in (A, B):
            tens = of(history.series(project, (LAG,), T0, told[-1] + 1, 5000))
            expected = [None] * 3 + [(T0 + 10 * i + 9) % 10_000 for i in range(3, len(tens))]
            assert tens == expected[: len(tens)] and len(tens) >= (told[-1] - T0) // 10
            # No minute is missing of which ten seconds are there.
            minutes = -(-len(tens) // 6)
            series = history.series(project, (LAG,), T0, T0 + 60 * minutes, minutes)
            assert series.tier_s == 60
            assert None not in of(series)
            assert of(series)[-1] == told[-1] % 10_000 or of(series)[-1] == (told[-1] + 10) % 10_000


def test_a_minute_that_a_kill_left_out_is_made_again(state: StateFile) -> None:
    run(MetricHistory(state), T0, 50)
    with state.reading() as connection:
        assert connection.execute("SELECT count(*) FROM metric WHERE step_s = 60").fetchone() == (0,)
    MetricHistory(state)
    with state.reading() as connection:
        content = connection.execute("SELECT content FROM metric WHERE step_s = 60").fetchone()[0]
    points = chunks.chunk_from(content)
    assert points[0] == (T0 + 49) % 10_000
    assert all(math.isnan(value) for value in points[1:60])


def test_a_full_disk_is_told_and_made_good_later(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        history = MetricHistory(state)
        run(history, T0, 60)
        pages = state._connection.execute("PRAGMA page_count").fetchone()[0]
        state._connection.execute(f"PRAGMA max_page_count = {pages}")
        for project in range(20):
            run(history, T0, 60, f"np_{project:012}", flush=False)
        run(history, T0 + 60, 600, flush=False)
        for _ in range(3):
            with pytest.raises(StateError, match=r"full. Free disk space"):
                history.flush()
        assert of(history.series(A, (LAG,), T0, T0 + 660, 11)) == [
            (T0 + 60 * i + 59) % 10_000 for i in range(11)
        ]
        state._connection.execute("PRAGMA max_page_count = 100000")
        history.close()
    with StateFile(tmp_path / "state.db") as state:
        history = MetricHistory(state)
        assert of(history.series(A, (LAG,), T0, T0 + 660, 66)) == [
            (T0 + 10 * i + 9) % 10_000 for i in range(66)
        ]
        assert None not in of(history.series("np_000000000019", (LAG,), T0, T0 + 60, 6))


def test_an_hour_of_a_full_disk_is_bounded(state: StateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    history = MetricHistory(state)

    def full(written: object) -> None:
        raise StateError("full")

    monkeypatch.setattr(history._table, "write", full)
    for at_s in range(T0, T0 + DAY, 300):
        history.record(status(at_s, 1.0))
        with pytest.raises(StateError):
            history.flush()
    tiers = history._projects[A]
    assert len(tiers.chunks[TENS]) <= 7
    assert len(tiers.chunks[MINUTES]) <= 7


def test_a_project_is_forgotten(state: StateFile) -> None:
    history = MetricHistory(state)
    run(history, T0, 60)
    run(history, T0, 60, B)
    history.delete(A)
    assert of(history.series(A, (LAG,), T0, T0 + 60, 6)) == [None] * 6
    assert None not in of(history.series(B, (LAG,), T0, T0 + 60, 6))
    history.flush()
    state.delete(B)
    assert None in of(MetricHistory(state).series(B, (LAG,), T0, T0 + 60, 6))


def test_a_chunk_of_fewer_metrics_is_read(state: StateFile) -> None:
    """What an older version stored, which kept the first two metrics only."""
    run(MetricHistory(state), T0, 60)
    with state.transaction() as connection:
        connection.execute("UPDATE metric SET content = substr(content, 1, 480)")
    series = MetricHistory(state).series(A, (LAG, Metric.MESSAGE_FILL), T0, T0 + 60, 6)
    assert None not in of(series)
    assert of(series, Metric.MESSAGE_FILL) == [None] * 6


def test_a_commit_writes_one_page_a_project(tmp_path: Path) -> None:
    """Fifty projects, ten seconds: the log of the database grows by about a page for each."""
    path = tmp_path / "state.db"
    projects = [f"np_{number:012}" for number in range(50)]
    with StateFile(path) as state:
        history = MetricHistory(state)
        for project in projects:
            run(history, T0, 10, project, flush=False)
        history.flush()
        with state.reading() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for project in projects:
            run(history, T0 + 10, 10, project, flush=False)
        history.flush()
        size_bytes = (tmp_path / "state.db-wal").stat().st_size
        assert size_bytes < 60 * 4200
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA page_size").fetchone() == (4096,)
    connection.close()

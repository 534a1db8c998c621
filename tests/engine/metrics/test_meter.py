"""What a run counts: rates over the last seconds, totals that never fall."""

from __future__ import annotations

import threading

import pytest

from obsync_tui.engine.metrics import meter as module
from obsync_tui.engine.metrics.meter import Meter, Rates


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A monotonic clock that stands until it is set."""
    now = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_rates_are_over_the_last_seconds(clock: list[float]) -> None:
    meter = Meter()
    assert meter.rates() == Rates()
    for second in range(1, 21):
        clock[0] = 100.0 + second
        meter.read(300, 3000, 1)
        meter.acknowledged(200, 2000, 400, 1)
        meter.wrote(0.25)
        rates = meter.rates()
    assert rates == Rates(300.0, 3000.0, 200.0, 2000.0, 0.25)
    clock[0] += 30
    meter.rates()
    clock[0] += 6
    assert meter.rates() == Rates(), "nothing passes any more, and no commit is not a commit of no time"


def test_a_restart_neither_lowers_totals_nor_makes_rates_negative(clock: list[float]) -> None:
    meter = Meter()
    meter.rates()
    meter.read(100, 1000, 1)
    meter.acknowledged(40, 400, 40, 1)
    meter.log_fill = meter.message_fill = 0.7
    meter.restart()
    assert (meter.read_rows, meter.all_read_rows, meter.all_read_bytes) == (40, 100, 1000)
    assert (meter.log_fill, meter.message_fill) == (0.0, 0.0)
    clock[0] += 2
    assert meter.rates().read_rows == 50
    meter.read(60, 600, 1)
    assert (meter.read_rows, meter.all_read_rows) == (100, 160)


def test_many_may_ask_at_once() -> None:
    meter = Meter()
    meter.read(10, 10, 1)
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(3000):
                meter.rates()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(meter._window) < 100, "who asks often does not make it longer"


def test_what_nobody_acknowledges_is_with_the_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(module, "time", lambda: now[0])
    meter = Meter()
    meter.read(10, 100, 1)
    meter.acknowledged(10, 100, 10, 1)
    meter.drained = True
    assert (meter.backlog_rows, meter.bottleneck()) == (0, "")
    now[0] += 60
    assert meter.bottleneck() == "", "nothing waits, however long nothing came"
    meter.acknowledged_at_s = now[0]
    meter.read(1, 10, 2)
    assert (meter.backlog_rows, meter.bottleneck()) == (1, ""), "a commit takes its time"
    now[0] += 6
    assert meter.bottleneck() == "sink"
    meter.acknowledged(1, 10, 1, 2)
    assert (meter.backlog_rows, meter.bottleneck()) == (0, "")


def test_a_slow_source_is_behind_though_nothing_waits_here(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(module, "time", lambda: now[0])
    meter = Meter()
    meter.read(1, 10, 700_000_000)
    meter.acknowledged(1, 10, 1, 700_000_000)
    meter.drained = True
    assert (meter.lags(), meter.bottleneck()) == ((0.0, 0.0), ""), "how far the source is has not been asked"
    meter.behind_transactions = 40
    assert (meter.lags(), meter.bottleneck()) == ((300.0, 300.0), "source")
    meter.behind_transactions = 0
    assert (meter.lags(), meter.bottleneck()) == ((0.0, 0.0), ""), (
        "it was the newest, and is old since nothing came"
    )
    meter.behind_transactions = 2
    meter.read(1, 10, 998_000_000)
    assert (meter.lags()[0], meter.bottleneck()) == (0.0, ""), "what came was new: the others are under way"
    meter.clock_offset_s = 60.0
    assert (meter.lags()[0], meter.bottleneck()) == (62.0, "source"), "by the source's clock it was not"

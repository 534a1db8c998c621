"""Rate limits on a clock that the test moves."""

import pytest

from obsync_tui.engine.full import limits as limits_module
from obsync_tui.engine.full.limits import Limits


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now_s = [100.0]
    monkeypatch.setattr(limits_module.time, "monotonic", lambda: now_s[0])
    return now_s


def test_what_is_read_is_waited_for(clock: list[float]) -> None:
    limits = Limits(1_000, 0)
    limits.spend(500, 1 << 30)
    assert limits.delay_s() == pytest.approx(0.5)
    clock[0] += 0.4
    assert limits.delay_s() == pytest.approx(0.1)
    clock[0] += 10
    assert limits.delay_s() == 0
    # A pause leaves a quarter of a second's worth, no more.
    limits.spend(1_250, 0)
    assert limits.delay_s() == pytest.approx(1.0)


def test_the_stricter_limit_counts_and_both_can_be_lifted(clock: list[float]) -> None:
    limits = Limits(1_000, 100_000)
    limits.spend(100, 200_000)
    assert limits.delay_s() == pytest.approx(2.0)
    assert limits.batch_bytes() == 16_384
    limits.adjust(0, 0)
    limits.spend(1 << 40, 1 << 40)
    assert limits.delay_s() == 0
    assert limits.batch_bytes() == 1 << 20

"""What the console may cost on the wire at 80x24 in the terminal's own colours."""

from __future__ import annotations

import pytest

from benchmarks.console.meter import Terminal

_SECONDS = 4.0


@pytest.mark.parametrize(("changing", "most"), [("3", 500), ("20", 2200)])
def test_live_rows(changing: str, most: int) -> None:
    with Terminal("benchmarks.console.fed", ["--rows", "20", "--changing", changing]) as it:
        it.during(2.5)
        found = len(it.during(_SECONDS)) / _SECONDS
    assert 20 < found <= most


def test_another_screen_and_a_followed_log() -> None:
    with Terminal("benchmarks.console.fed", ["--changing", "0"]) as it:
        it.during(2.5)
        _, changed = it.press(b"?")
        assert 1000 < len(changed) <= 6000
        it.press(b"?")
        it.press(b"4")
        it.during(1.0)
        assert 200 < len(it.during(_SECONDS)) / _SECONDS <= 6000

"""Numbers, times and series as text."""

from __future__ import annotations

import pytest

from obsync_tui.model.errors import ConfigError
from obsync_tui.presenters.charts import fitted
from obsync_tui.presenters.chrome import Badges, FooterKey, clock_text, crumb_line, footer_line
from obsync_tui.presenters.quantities import lag_cell
from obsync_tui.presenters.spans import Role, Span, plain
from obsync_tui.presenters.sparks import plot, progress_bar, spark
from obsync_tui.presenters.trend import Trend
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.symbols import ASCII, UNICODE


def test_lags_of_a_column() -> None:
    assert [lag_cell(lag) for lag in (None, 0.0, 0.34, 1.0, 2.4, 75.0, 3700.0, -0.5, -3.2)] == [
        "?", "0.0s", "0.3s", "1s", "2s", "1m15s", "1h01m", "0.0s", "+3s",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "name", "clock"),
    [("utc", "UTC", "00:00:00"), ("+05:30", "UTC+05:30", "05:30:00"), ("-03:30", "UTC-03:30", "20:30:00")],
)
def test_zones(zone: str, name: str, clock: str) -> None:
    made = Zone(zone)
    assert (made.name, made.clock(0.0)) == (name, clock)
    assert Zone("local").name == "local"


def test_a_wrong_zone_says_what_there_is() -> None:
    for text in ("Mars", "+5", "+24:00", "05:00"):
        with pytest.raises(ConfigError, match="no display zone"):
            Zone(text)


def test_sparks() -> None:
    assert spark([0, 1, 4, 8, None, 8], 6, UNICODE) == " ▁▄█ █"
    assert spark([8, 0.001], 4, UNICODE) == "  █▁", "what is above zero is seen"
    assert spark([0, 4, 8], 3, ASCII) == " =#"[:1] + ASCII.levels[4] + "#"[:0] + ASCII.levels[8]
    assert spark([], 3, UNICODE) == "   " and spark([1.0], 0, UNICODE) == ""


def test_plots_have_their_axis() -> None:
    rows = plot([0.0, 5.0, 10.0, None], 13, 2, UNICODE, lambda value: f"{value:.0f}/s")
    assert rows == ["    10/s   █ ", "       0  ██ "]


def test_a_chart_shows_the_worst_of_what_shares_a_column() -> None:
    assert fitted([1.0, None, 9.0, 2.0], 2) == [1.0, 9.0]
    assert fitted([1.0, None], 4) == [1.0, 1.0, None, None]
    assert fitted([], 4) == [] and fitted([1.0], 0) == []


def test_progress_is_never_too_long() -> None:
    assert [progress_bar(share, 4, ASCII) for share in (-1, 0, 0.5, 1, 2)] == [
        "....",
        "....",
        "##..",
        "####",
        "####",
    ]


def test_the_trend_changes_one_bucket_within_five_seconds() -> None:
    trend = Trend()
    for at_s, value in ((0, 1.0), (1, 3.0), (5, 10.0)):
        trend.add("a", at_s, value)
    assert trend.values("a", 5.0)[-3:] == [None, 2.0, 10.0]
    trend.keep({"b"})
    assert set(trend.values("a", 5.0)) == {None}


def test_the_first_line_keeps_its_badges() -> None:
    badges = Badges(read_only=True, slow=True, frozen=True, zone="UTC", engine="engine 3d", away_s=None)
    shown = plain(crumb_line(["obsync", "x" * 200], badges, 80, "›"))
    assert len(shown) == 80 and shown.endswith("RO  FROZEN  slow  UTC  engine 3d")
    away = plain(crumb_line(["obsync"], badges._replace(away_s=42.9), 80, "›"))
    assert away.endswith("NO ENGINE 00:42")
    assert clock_text(3723) == "1:02:03"


def test_the_footer_gives_the_result_its_room() -> None:
    keys = [FooterKey("s", "start", True), FooterKey("x", "pause", False), FooterKey("?", "help", True)]
    line = footer_line(keys, Span("done", Role.GOOD), 30)
    assert plain(line) == " s start  x pause         done" and line[3].role is Role.DIM
    assert plain(footer_line(keys, Span("e" * 40, Role.BAD), 30)).strip() == "e" * 40

"""Points of time as people write them."""

import pytest

from obsync_tui.model.moment import Moment, parse_moment


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("2026-11-25T10:00:00+08:00", 1_795_572_000_000_000),
        ("2026-11-25T02:00:00Z", 1_795_572_000_000_000),
        ("2026-11-25 02:00:00.000001+00:00", 1_795_572_000_000_001),
        ("1795572000", 1_795_572_000_000_000),
        ("1795572000.25", 1_795_572_000_250_000),
        ("0", 0),
    ],
)
def test_what_is_read(text: str, at_us: int) -> None:
    assert parse_moment(text).at_us == at_us


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-25T10:00:00",
        "2026-11-25",
        "1969-12-31T00:00:00Z",
        "-1",
        "1e9",
        "1795572000.1234567",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601 with its zone"):
        parse_moment(text)


def test_how_it_is_told() -> None:
    moment = Moment(1_795_572_000_250_000)
    assert (moment.utc, moment.epoch) == ("2026-11-25T02:00:00.250000Z", "1795572000.25")
    assert Moment.of(moment.at_s) == moment
    assert parse_moment(moment.local) == parse_moment(moment.utc) == parse_moment(moment.epoch) == moment

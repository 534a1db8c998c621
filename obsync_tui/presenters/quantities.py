"""Counts, sizes, durations and lags as short text."""

from datetime import UTC, datetime


def count_text(number: float) -> str:
    """A count in at most five characters: 950, 9.5k, 95k, 1.2M."""
    for unit in ("", "k", "M", "G"):
        if number < 999.5:
            return f"{number:.1f}{unit}" if unit and number < 9.95 else f"{number:.0f}{unit}"
        number /= 1000
    return f"{number:.1f}T"


def size_text(size_bytes: float) -> str:
    """A size in decimal units: 950B, 3.4MB."""
    text = count_text(size_bytes).replace("k", "K")
    return text + "B"


def duration_text(seconds: float) -> str:
    """A duration: 0.3s, 43s, 12m30s, 5h07m, 3d4h."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600}h"


def lag_text(lag_s: float | None) -> str:
    """A lag; unknown is `?`, and a negative one says whose clock is ahead."""
    if lag_s is None:
        return "?"
    if lag_s <= -1:
        return f"source clock ahead {duration_text(-lag_s)}"
    return duration_text(max(lag_s, 0.0))


def lag_cell(lag_s: float | None) -> str:
    """A lag for a column: whole seconds from one second on, `+3s` when the source's clock is ahead."""
    if lag_s is None:
        return "?"
    if -1 < lag_s < 1:
        return duration_text(max(lag_s, 0.0))
    return ("+" if lag_s < 0 else "") + duration_text(round(abs(lag_s))).replace(".0s", "s")


def grouped(number: int) -> str:
    """A whole count with separators: 1,204."""
    return f"{number:,}"


def time_text(at_s: float) -> str:
    """A point of time in UTC, to the second."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

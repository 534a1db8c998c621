"""What is measured: one process' run, and a case's figures over several rounds."""

from __future__ import annotations

from statistics import median

import msgspec

PLAIN = "a plain reader"
"""The other side that `plainreader` is."""


class Run(msgspec.Struct, frozen=True):
    """One run of one program over a case's rows.

    `window_s` is from the first row read to the last one done, `window_cpu_s` the process' user and system time in
    it; `whole_s` and `whole_cpu_s` count from the process' start. `late_rows_per_s` is the rate of the second half,
    when every program is warm.
    """

    rows: int
    window_s: float
    window_cpu_s: float
    whole_s: float
    whole_cpu_s: float
    late_rows_per_s: float

    @property
    def rows_per_s(self) -> float:
        """Rows per second inside the window."""
        return self.rows / self.window_s

    @property
    def cpu_s_per_million(self) -> float:
        """CPU seconds inside the window per million rows."""
        return self.window_cpu_s / self.rows * 1e6

    @property
    def whole_rows_per_s(self) -> float:
        """Rows per second of the whole process."""
        return self.rows / self.whole_s


class Versus(msgspec.Struct, frozen=True):
    """A case that has two sides: `other` is Debezium, or obsync under the easier condition."""

    case: str
    title: str
    other_name: str
    obsync: tuple[Run, ...]
    other: tuple[Run, ...]
    required_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        """Median rows per second over the other side's; None without another side."""
        if not self.other:
            return None
        return rows_per_s(self.obsync) / rows_per_s(self.other)


class Figure(msgspec.Struct, frozen=True):
    """A case that has one number; `required_at_most` None means it is only told."""

    case: str
    title: str
    value: float
    unit: str
    required_at_most: float | None = None


Result = Versus | Figure


def rows_per_s(runs: tuple[Run, ...]) -> float:
    """Median rows per second."""
    return median(run.rows_per_s for run in runs)


def late_rows_per_s(runs: tuple[Run, ...]) -> float:
    """Median rows per second of the second halves."""
    return median(run.late_rows_per_s for run in runs)


def cpu_s_per_million(runs: tuple[Run, ...]) -> float:
    """Median CPU seconds per million rows."""
    return median(run.cpu_s_per_million for run in runs)


def whole_rows_per_s(runs: tuple[Run, ...]) -> float:
    """Median rows per second of whole processes."""
    return median(run.whole_rows_per_s for run in runs)

"""What the source says of its history counts when it says it twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from obsync_tui.engine.errors import LogGap
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.sampler import Sampler
from obsync_tui.engine.pipeline.source import SourceSample
from obsync_tui.model.table import TableName


class Source:
    """Answers what it is told to: a gap, or that all is well."""

    def __init__(self, answers: list[bool]) -> None:
        self._answers: Iterator[bool] = iter(answers)

    def sample(self, position: str) -> SourceSample:
        if next(self._answers):
            raise LogGap("the checkpoint holds transactions that the source never had", where="shop")
        return SourceSample(0.0, 0.0)

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("answers", "stops"),
    [([True], False), ([True, False], False), ([True, False, True], False), ([False, True, True], True)],
)
def test_a_gap_is_seen_twice_in_a_row(answers: list[bool], stops: bool) -> None:
    source = Source(answers)
    sampler = Sampler(lambda: source, Meter(), lambda: "")
    for _ in answers:
        sampler.sample()
    if stops:
        with pytest.raises(LogGap, match="never had"):
            sampler.check(frozenset())
    else:
        sampler.check(frozenset())


class Tables:
    """Knows tables."""

    def __init__(self, *names: str) -> None:
        self._tables = frozenset(TableName("shop", name) for name in names)
        self.closed = False

    def sample(self, position: str) -> SourceSample:
        return SourceSample(0.0, 0.0, tables=self._tables)

    def close(self) -> None:
        self.closed = True


def test_another_probe_looks_for_other_tables() -> None:
    """What the one before saw is of other rules."""
    first, second = Tables("item", "gone"), Tables("item", "late")
    sampler = Sampler(lambda: first, Meter(), lambda: "")
    known = frozenset((TableName("shop", "item"),))
    sampler.sample()
    assert sampler.check(known) == {TableName("shop", "gone")} and sampler.check(known) == frozenset()
    sampler.sample()
    sampler.renew(lambda: second)
    assert sampler.check(known) == frozenset() and not first.closed
    sampler.sample()
    assert first.closed and sampler.check(known) == {TableName("shop", "late")}
    sampler.close()
    assert second.closed

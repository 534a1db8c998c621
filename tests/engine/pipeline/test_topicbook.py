"""Frozen partition counts."""

from collections.abc import Collection, Iterable

import pytest

from obsync_tui.engine.errors import TopicUnfit
from obsync_tui.engine.pipeline.checkpoint import decode_checkpoint
from obsync_tui.engine.pipeline.topicbook import TopicBook
from obsync_tui.engine.sinks.kafka.topics import TopicFacts
from obsync_tui.engine.threads import RunToken


def _book(count: int, frozen: dict[str, int]) -> TopicBook:
    def synchronize(names: Iterable[str], used: Collection[str]) -> tuple[TopicFacts, ...]:
        return tuple(TopicFacts(name, count, 1_000_000) for name in names)

    return TopicBook(synchronize, frozen, RunToken())


def test_the_first_run_freezes_and_records_the_count() -> None:
    book = _book(3, {})
    book.prepare(["t", "u"])
    assert book.resolve("t").partitions == 3
    (record,) = book.changes()
    assert record.value is not None
    assert decode_checkpoint({record.key: record.value}).partitions == {"t": 3, "u": 3}
    assert book.changes() == ()


def test_growth_is_reported_and_not_used() -> None:
    book = _book(6, {"t": 3})
    assert book.resolve("t").partitions == 3
    assert "grown to 6 partitions" in book.warnings[0] and book.changes() == ()


def test_fewer_partitions_than_at_the_start_stop() -> None:
    with pytest.raises(TopicUnfit, match="has 2 partitions, but the project started with 3"):
        _book(2, {"t": 3}).resolve("t")

"""Counts what reached Kafka: each row as often as it was sent, for a consumer that reads committed messages only."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

TIMEOUT_S = 300.0


class NotExactlyOnce(RuntimeError):
    """A message is missing or stands in Kafka more often than it was sent."""


def check_delivered(bootstrap: str, topics: Sequence[str], keys: Sequence[int], times: int) -> None:
    """Check that the topics hold each key exactly `times` times and nothing else; NotExactlyOnce otherwise."""
    seen = bytearray(max(keys) + 1)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"count-{uuid.uuid4()}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        known = consumer.list_topics(timeout=30).topics
        places = [TopicPartition(t, p, OFFSET_BEGINNING) for t in topics for p in known[t].partitions]
        consumer.assign(places)
        _count(consumer, len(places), seen)
    finally:
        consumer.close()
    wanted = bytearray(len(seen))
    for key in keys:
        wanted[key] = times
    if seen != wanted:
        raise NotExactlyOnce(
            f"{', '.join(topics)[:200]}: {times} times each row, but {_difference(seen, wanted)}"
        )


def _difference(seen: bytearray, wanted: bytearray) -> str:
    counts = Counter((got, want) for got, want in zip(seen, wanted, strict=True) if got != want)
    return ", ".join(
        f"{rows} rows came {got} times, not {want}" for (got, want), rows in counts.most_common(5)
    )


def _count(consumer: Consumer, partitions: int, seen: bytearray) -> None:
    """Nothing is being written any more: the first end of a partition is its end."""
    ended: set[tuple[str | None, int | None]] = set()
    deadline_s = time.monotonic() + TIMEOUT_S
    while len(ended) < partitions:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{partitions - len(ended)} partitions could not be read to their end")
        for message in consumer.consume(10_000, timeout=0.2):
            error = message.error()
            if error is None:
                key = int(message.key() or b"0")
                if key >= len(seen):
                    raise NotExactlyOnce(f"key {key} was never written")
                seen[key] += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add((message.topic(), message.partition()))
            else:
                raise KafkaException(error)

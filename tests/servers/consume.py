"""Reads Kafka topics from their beginning to the end they have at the time of the call."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

# Markers follow a commit within milliseconds, on a busy machine within a second.
_SETTLE_S = 3.0


class Record(NamedTuple):
    """One message as a consumer sees it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int


def consume_all(
    bootstrap: str,
    topics: Sequence[str],
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
    properties: Mapping[str, str] | None = None,
    timeout_s: float = 120.0,
) -> list[Record]:
    """Every record of the topics up to their end offsets at call time, in order within a partition.

    With read_committed the end is the last stable offset. A commit is answered before its markers lie in every
    partition, so these are waited for; a transaction that stays open is not. properties are further consumer properties, for a broker that asks for a password.
    Raises KafkaException for a missing topic or a broker that is down, TimeoutError when the ends are not reached.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"consume-all-{uuid.uuid4()}",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            # Transaction markers and aborted records take offsets without reaching us; this event carries the offset behind them.
            "enable.partition.eof": True,
            "log_level": 0,
            **(properties or {}),
        }
    )
    try:
        if isolation == "read_committed":
            admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, **(properties or {})})
            _settle(admin, _partitions(consumer, topics, timeout_s), timeout_s)
        remaining = _end_offsets(consumer, topics, timeout_s)
        consumer.assign(
            [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in remaining]
        )
        return _read(consumer, remaining, time.monotonic() + timeout_s)
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topics: Sequence[str], timeout_s: float) -> list[TopicPartition]:
    found = []
    for topic in topics:
        metadata = consumer.list_topics(topic, timeout=timeout_s).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        found += [TopicPartition(topic, partition) for partition in metadata.partitions]
    return found


def _settle(admin: AdminClient, partitions: list[TopicPartition], timeout_s: float) -> None:
    """Wait until everything that is written now belongs to a transaction that has ended, or for some seconds."""

    def ends(isolation: IsolationLevel) -> list[int]:
        asked = {partition: OffsetSpec.latest() for partition in partitions}
        answers = admin.list_offsets(asked, isolation_level=isolation, request_timeout=timeout_s)
        return [answers[partition].result().offset for partition in partitions]

    if not partitions:
        return
    written, deadline_s = ends(IsolationLevel.READ_UNCOMMITTED), time.monotonic() + _SETTLE_S
    while time.monotonic() < deadline_s:
        stable = ends(IsolationLevel.READ_COMMITTED)
        if all(done >= end for done, end in zip(stable, written, strict=True)):
            return
        time.sleep(0.02)


def _end_offsets(consumer: Consumer, topics: Sequence[str], timeout_s: float) -> dict[tuple[str, int], int]:
    ends = {}
    for partition in _partitions(consumer, topics, timeout_s):
        low, high = consumer.get_watermark_offsets(partition, timeout=timeout_s)
        if high > low:
            ends[partition.topic, partition.partition] = high
    return ends


def _read(consumer: Consumer, remaining: dict[tuple[str, int], int], deadline_s: float) -> list[Record]:
    records = []
    while remaining:
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"end offsets not reached: {remaining}")
        for message in consumer.consume(10_000, timeout=0.2):
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None and partition is not None and offset is not None
            end = remaining.get((topic, partition))
            if end is None:
                continue
            if error is None and offset < end:
                records.append(
                    Record(topic, partition, offset, message.key(), message.value(), message.timestamp()[1])
                )
                offset += 1
            if offset >= end:
                del remaining[topic, partition]
    return records

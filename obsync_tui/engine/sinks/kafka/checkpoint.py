"""A project's checkpoint topic: one compacted partition, read whole at start."""

from collections.abc import Mapping
from time import monotonic

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from obsync_tui.engine.errors import SinkUnreachable
from obsync_tui.engine.sinks.kafka.client import ClientProperties, translate

READ_TIMEOUT_S = 60.0
_EMPTY_ANSWER_MS = 20


def checkpoint_topic(project_id: str) -> str:
    """The topic of a project's checkpoint."""
    return f"__obsync.{project_id}"


def read_checkpoint(
    properties: Mapping[str, ClientProperties], topic: str, where: str, *, settled: bool = True
) -> dict[str, bytes]:
    """The last committed value of every key.

    Control records leave gaps: reading ends at a position, not at a count. With `settled` it waits until no
    transaction is open in the topic; without, it ends where an open one begins. SinkUnreachable after a minute.
    """
    consumer = Consumer(
        {
            **properties,
            "group.id": f"obsync.{topic}",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            # Control records stand behind the last message: each reading ends with an answer that is empty.
            "fetch.wait.max.ms": _EMPTY_ANSWER_MS,
        }
    )
    try:
        return _read(consumer, topic, where, settled)
    except KafkaException as error:
        raise translate(error.args[0], where) from error
    finally:
        consumer.close()


def _read(consumer: Consumer, topic: str, where: str, settled: bool) -> dict[str, bytes]:
    partition = TopicPartition(topic, 0, OFFSET_BEGINNING)
    _, end = consumer.get_watermark_offsets(partition, timeout=READ_TIMEOUT_S, cached=False)
    values: dict[str, bytes] = {}
    if not end:
        return values
    consumer.assign([partition])
    deadline = monotonic() + READ_TIMEOUT_S
    while monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                continue  # The client asks for its group's coordinator, though no offset is ever kept there.
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            # The end that a committed reader sees; short of `end` while a transaction is still being ended.
            if not settled or (message.offset() or 0) >= end:
                return values
            continue
        key = (message.key() or b"").decode("utf-8", "surrogatepass")
        value = message.value()
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
        # A topic that another instance writes to without pause never comes to an end.
        if (message.offset() or 0) >= end - 1:
            return values
    raise SinkUnreachable(
        f"the checkpoint topic {topic} could not be read to its end in {READ_TIMEOUT_S:.0f} s",
        where=where,
        cure="An open transaction of another instance may hold it; it is tried again.",
    )

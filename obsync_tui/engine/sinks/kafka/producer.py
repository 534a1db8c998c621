"""Producer settings, and handing batches to librdkafka."""

from collections.abc import Callable, Mapping

from confluent_kafka import KafkaError, KafkaException, Producer

from obsync_tui.engine.errors import TransactionAborted
from obsync_tui.engine.sinks.kafka.client import ClientProperties, translate
from obsync_tui.model.message import OutgoingMessage

OnDelivery = Callable[[KafkaError | None, object], None]
_LARGEST_BYTES = 1_000_000_000


def producer_properties(
    properties: Mapping[str, ClientProperties],
    project_id: str | None,
    transaction_timeout_s: int,
    failed: OnDelivery,
) -> dict[str, ClientProperties | OnDelivery]:
    """Settings of an idempotent producer, transactional when a project id is given.

    The broker, not the client, judges a message's size, which the Connector has already done; `failed` is called
    for messages that were not delivered only.
    """
    config: dict[str, ClientProperties | OnDelivery] = {
        "compression.type": "lz4",
        "linger.ms": 5,
        "batch.size": 900_000,
        "batch.num.messages": 10_000,
        **properties,
        "enable.idempotence": True,
        "acks": "all",
        "message.max.bytes": _LARGEST_BYTES,
        "delivery.report.only.error": True,
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 2_000_000,
        "on_delivery": failed,
    }
    if project_id is not None:
        config["transactional.id"] = f"obsync.{project_id}"
        config["transaction.timeout.ms"] = transaction_timeout_s * 1000
    return config


def produce(
    producer: Producer, topic: str, partition: int, messages: list[OutgoingMessage], where: str
) -> None:
    """Queue a partition's batch in order; TransactionAborted when not all of it was taken.

    The queue is never full: what may be outstanding between two commits is far below its size. The partition is the
    call's: the client ignores a partition that stands in a message of a batch.
    """
    if not messages:
        return
    try:
        taken = producer.produce_batch(topic, messages, partition)  # type: ignore[arg-type]
    except KafkaException as error:
        raise translate(error.args[0], where) from error
    except BufferError as error:
        raise TransactionAborted("the client's queue is full", where=where) from error
    if taken != len(messages):
        failed = next((m["_error"] for m in messages if "_error" in m), None)  # type: ignore[typeddict-item]
        if isinstance(failed, KafkaError):
            raise translate(failed, f"{where}, topic {topic}")
        raise TransactionAborted(
            f"{len(messages) - taken} messages were not queued", where=f"{where}, topic {topic}"
        )

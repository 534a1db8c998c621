"""Kafka, at least once: an idempotent producer, and the checkpoint in the local state after acknowledgement."""

import threading
from collections.abc import Mapping
from time import monotonic

from confluent_kafka import KafkaError, KafkaException, Producer

from obsync_tui.engine.errors import SinkUnreachable
from obsync_tui.engine.sinks.kafka.client import ClientProperties, translate
from obsync_tui.engine.sinks.kafka.producer import produce, producer_properties
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.message import OutgoingMessage

_STEP_S = 0.5
_COMMIT_S = 120.0
_OPEN_S = 15.0


class AtLeastOnceSink:
    """For brokers or accounts without transactions: a crash between acknowledgement and checkpoint repeats messages."""

    def __init__(
        self,
        project_id: str,
        properties: Mapping[str, ClientProperties],
        state: StateFile,
        where: str,
        cancel: threading.Event,
    ) -> None:
        self._project_id = project_id
        self._properties = properties
        self._state = state
        self._where = where
        self._cancel = cancel
        self._producer: Producer | None = None
        self._failed: KafkaError | None = None

    def open(self, take_over: bool) -> Mapping[str, bytes]:
        """Reach the broker and read the checkpoint from the local state; the process lock keeps others out."""
        self._producer = Producer(producer_properties(self._properties, None, 60, self._on_delivery))
        try:
            self._producer.list_topics(timeout=_OPEN_S)
        except KafkaException as error:
            raise translate(error.args[0], self._where) from error
        return {r.key: r.value for r in self._state.records(self._project_id) if r.value is not None}

    def send(self, topic: str, partition: int, messages: list[OutgoingMessage]) -> None:
        """Queue messages."""
        produce(self._required(), topic, partition, messages, self._where)
        self._check()

    def commit(self, records: tuple[Record, ...]) -> None:
        """Wait until every message is acknowledged, then write the records."""
        deadline = monotonic() + _COMMIT_S
        while self._required().flush(_STEP_S):
            self._check()
            if self._cancel.is_set() or monotonic() > deadline:
                raise SinkUnreachable(
                    f"messages were not acknowledged in {_COMMIT_S:.0f} s", where=self._where
                )
        self._check()
        self._state.save(self._project_id, records)

    def close(self) -> None:
        """Drop what is not acknowledged; it is sent again from the checkpoint."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()

    def _required(self) -> Producer:
        if self._producer is None:
            raise SinkUnreachable("the producer is closed", where=self._where)
        return self._producer

    def _on_delivery(self, error: KafkaError | None, _: object) -> None:
        if error is not None and self._failed is None:
            self._failed = error

    def _check(self) -> None:
        self._required().poll(0)
        if self._failed is not None:
            raise translate(self._failed, self._where)

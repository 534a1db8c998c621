"""Kafka, exactly once: messages and checkpoint records in one transaction.

Protocol: KIP-98 through librdkafka. A producer is used for one attempt: whatever aborts ends it, and the next one
reads the checkpoint back.
"""

import threading
from collections.abc import Callable, Mapping
from time import monotonic

from confluent_kafka import KafkaError, KafkaException, Producer

from obsync_tui.engine.errors import (
    CheckpointLost,
    Fenced,
    MessageTooLarge,
    SinkError,
    SinkRefused,
    SinkUnreachable,
    TopicUnfit,
    TransactionAborted,
)
from obsync_tui.engine.sinks.kafka.checkpoint import checkpoint_topic, read_checkpoint
from obsync_tui.engine.sinks.kafka.client import ClientProperties, translate
from obsync_tui.engine.sinks.kafka.producer import produce, producer_properties
from obsync_tui.engine.sinks.kafka.topics import ensure_checkpoint_topic
from obsync_tui.engine.sinks.ownership import check_owner, is_this_run, owner_record, this_process
from obsync_tui.model.checkpoint import OWNER_KEY, Record
from obsync_tui.model.message import OutgoingMessage

_OPEN_TIMEOUT_S = 60.0
_STEP_S = 0.5
_CLOSE_S = 1.0
_NEWCOMER_S = 5.0
_CANCELLED_S = 2.5
_FINAL = (Fenced, SinkRefused, TopicUnfit, MessageTooLarge)

Step = Callable[[float], object]


class TransactionalSink:
    """One project's transactional producer; `cancel` set makes waiting calls give up within seconds.

    `embedded` is the data source's: the cluster is the demo's, where no topic is compacted.
    """

    def __init__(
        self,
        project_id: str,
        properties: Mapping[str, ClientProperties],
        *,
        where: str,
        transaction_timeout_s: int,
        expected: bool,
        started_s: float,
        cancel: threading.Event,
        embedded: bool = False,
    ) -> None:
        self._project_id = project_id
        self._properties = properties
        self._where = where
        self._timeout_s = transaction_timeout_s
        self._expected = expected
        self._started_s = started_s
        self._cancel = cancel
        self._embedded = embedded
        self._topic = checkpoint_topic(project_id)
        self._producer: Producer | None = None
        self._begun_s: float | None = None
        self._failed: KafkaError | None = None

    def open(self, take_over: bool) -> Mapping[str, bytes]:
        """Fence every other instance, then read the checkpoint back."""
        created = ensure_checkpoint_topic(
            self._properties,
            self._topic,
            self._where,
            create=not self._expected,
            embedded=self._embedded,
        )
        if not created:
            seen = read_checkpoint(self._properties, self._topic, self._where, settled=False)
            check_owner(seen.get(OWNER_KEY), take_over)
        if self._cancel.is_set():
            # Whoever gave up waiting for this may have another sink by now, which is not to be fenced.
            raise SinkUnreachable("stopped while opening the destination", where=self._where)
        config = producer_properties(self._properties, self._project_id, self._timeout_s, self._on_delivery)
        self._producer = Producer(config)
        self._wait(
            lambda step_s: self._required().init_transactions(step_s), _OPEN_TIMEOUT_S, "open a transaction"
        )
        values = {} if created else read_checkpoint(self._properties, self._topic, self._where)
        if self._expected and not any(key != OWNER_KEY for key in values):
            raise CheckpointLost(
                f"the checkpoint topic {self._topic} is empty, but this project has made progress",
                where=self._where,
                cure="Somebody deleted or emptied it. Nothing was sent. Run `obsync project reset` to start over.",
            )
        self.commit((owner_record(this_process(self._started_s)),))
        return values

    def send(self, topic: str, partition: int, messages: list[OutgoingMessage]) -> None:
        """Add messages to the open transaction, beginning one when there is none."""
        self._begin()
        produce(self._required(), topic, partition, messages, self._where)
        self._check()

    def commit(self, records: tuple[Record, ...]) -> None:
        """Commit what was sent and the records."""
        self._begin()
        producer = self._required()
        try:
            for record in records:
                producer.produce(
                    self._topic,
                    value=record.value,
                    key=record.key.encode("utf-8", "surrogatepass"),
                    partition=0,
                )
        except (KafkaException, BufferError) as error:
            raise self._lost(error) from error
        self._wait(
            lambda step_s: producer.commit_transaction(step_s), self._timeout_s, "commit a transaction"
        )
        self._begun_s = None

    @property
    def open_s(self) -> float:
        """Age of the open transaction in seconds, 0 when none is open."""
        return monotonic() - self._begun_s if self._begun_s is not None else 0.0

    def close(self) -> None:
        """Abort what is open, and let go of the producer."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        if self._begun_s is not None:
            try:
                producer.abort_transaction(_CLOSE_S)
            except KafkaException:
                self._begun_s = None  # The next instance's init_transactions, or the time-out, ends it.
        producer.purge()

    def _required(self) -> Producer:
        if self._producer is None:
            raise TransactionAborted("the producer is closed", where=self._where)
        return self._producer

    def _begin(self) -> None:
        if self._begun_s is None:
            try:
                self._required().begin_transaction()
            except KafkaException as error:
                raise self._lost(error) from error
            self._begun_s = monotonic()

    def _on_delivery(self, error: KafkaError | None, _: object) -> None:
        if error is not None and self._failed is None:
            self._failed = error

    def _poll(self) -> None:
        """Let delivery failures come in; a producer that failed for good says so here."""
        try:
            self._required().poll(0)
        except KafkaException as error:
            raise self._error(error.args[0]) from error

    def _check(self) -> None:
        self._poll()
        if self._failed is not None:
            raise self._error(self._failed)

    def _wait(self, call: Step, timeout_s: float, what: str) -> None:
        """Call in short steps, so that stopping never waits for a broker that does not answer."""
        deadline = monotonic() + timeout_s
        cancelled_s = 0.0
        while True:
            try:
                call(_STEP_S)
                return
            except KafkaException as error:
                kafka_error: KafkaError = error.args[0]
                self._poll()
                if self._failed is not None and not kafka_error.fatal():
                    raise self._error(self._failed) from error
                again = kafka_error.retriable() or kafka_error.code() == KafkaError._TIMED_OUT
                if not again or kafka_error.fatal() or kafka_error.txn_requires_abort():
                    raise self._error(kafka_error) from error
                if self._cancel.is_set():
                    cancelled_s = cancelled_s or monotonic()
                    if monotonic() - cancelled_s > _CANCELLED_S:
                        raise SinkUnreachable(
                            f"stopped while waiting to {what}", where=self._where
                        ) from error
                if monotonic() > deadline:
                    raise SinkUnreachable(
                        f"could not {what} in {timeout_s:.0f} s ({kafka_error.str()})", where=self._where
                    ) from error

    def _lost(self, error: KafkaException | BufferError) -> SinkError:
        if isinstance(error, KafkaException):
            return self._error(error.args[0])
        return TransactionAborted("the client's queue is full", where=self._where)

    def _error(self, error: KafkaError) -> SinkError:
        translated = translate(error, self._where)
        if isinstance(translated, Fenced) and not self._replaced():
            return TransactionAborted(
                "the broker ended a transaction that was open for too long", where=self._where
            )
        if error.txn_requires_abort() and not translated.retryable and not isinstance(translated, _FINAL):
            return TransactionAborted(error.str(), where=self._where)
        return translated

    def _replaced(self) -> bool:
        """Whether another instance took over: the coordinator also fences whom a transaction expired for.

        Whoever took over has written its owner record within moments.
        """
        deadline = monotonic() + _NEWCOMER_S
        while True:
            values = read_checkpoint(self._properties, self._topic, self._where)
            if not is_this_run(values.get(OWNER_KEY), self._started_s):
                return True
            if monotonic() > deadline or self._cancel.wait(1.0):
                return False

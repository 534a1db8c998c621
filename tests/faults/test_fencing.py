"""What a fenced producer means: somebody took over, or its transaction lived for too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from obsync_tui.engine.errors import Fenced, SinkUnreachable, TransactionAborted
from obsync_tui.engine.sinks.kafka.client import client_properties
from obsync_tui.engine.sinks.kafka.transactional import TransactionalSink
from obsync_tui.model.checkpoint import POSITION_KEY, Record
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.project import new_project_id
from obsync_tui.model.secret import Secret
from tests.servers import KafkaBroker, consume_all

MESSAGE = b"value"


def sink(broker: KafkaBroker, project_id: str, cancel: threading.Event | None = None) -> TransactionalSink:
    return TransactionalSink(
        project_id,
        client_properties(KafkaSource("events", broker.bootstrap), lambda _: Secret("")),
        where="events",
        transaction_timeout_s=1,
        expected=False,
        started_s=time.time(),
        cancel=cancel or threading.Event(),
    )


@pytest.fixture(scope="module")
def hasty_kafka() -> Iterator[KafkaBroker]:
    """A broker that looks for expired transactions five times a second, by default every ten seconds."""
    with KafkaBroker({"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"}) as broker:
        yield broker


def test_an_expired_transaction_is_tried_again(hasty_kafka: KafkaBroker) -> None:
    hasty_kafka.create_topic("expired")
    project_id = new_project_id()
    first = sink(hasty_kafka, project_id)
    first.open(take_over=False)
    first.send("expired", 0, [{"key": b"k", "value": MESSAGE}])
    assert first._required().flush(10) == 0
    time.sleep(3)
    with pytest.raises(TransactionAborted, match="open for too long"):
        first.commit((Record(POSITION_KEY, b"1"),))
    first.close()
    again = sink(hasty_kafka, project_id)
    assert POSITION_KEY not in again.open(take_over=False)
    again.send("expired", 0, [{"key": b"k", "value": MESSAGE}])
    again.commit((Record(POSITION_KEY, b"2"),))
    again.close()
    assert [record.value for record in consume_all(hasty_kafka.bootstrap, ["expired"])] == [MESSAGE]


def test_who_was_given_up_while_opening_fences_nobody(hasty_kafka: KafkaBroker) -> None:
    """A run that is paused while the broker does not answer is given up; it hears the answer after all."""
    project_id, cancelled = new_project_id(), threading.Event()
    late, current = sink(hasty_kafka, project_id, cancelled), sink(hasty_kafka, project_id)
    current.open(take_over=False)
    cancelled.set()
    with pytest.raises(SinkUnreachable, match="stopped while opening"):
        late.open(take_over=False)
    late.close()
    current.commit((Record(POSITION_KEY, b"1"),))
    current.close()


def test_an_owner_of_another_process_is_a_take_over(hasty_kafka: KafkaBroker) -> None:
    hasty_kafka.create_topic("taken")
    project_id = new_project_id()
    first = sink(hasty_kafka, project_id)
    first.open(take_over=False)
    first.send("taken", 0, [{"key": b"k", "value": b"of the first"}])
    assert first._required().flush(10) == 0
    second = sink(hasty_kafka, project_id)
    second.open(take_over=True)
    # Both live in this process: what another one would have written as owner.
    second.commit((Record("owner", b'{"host":"elsewhere","pid":1,"started_s":1,"written_s":1}'),))
    with pytest.raises(Fenced, match="another instance"):
        first.commit((Record(POSITION_KEY, b"1"),))
    first.close()
    second.close()
    assert consume_all(hasty_kafka.bootstrap, ["taken"]) == []

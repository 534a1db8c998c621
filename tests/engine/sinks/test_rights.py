"""What the transactional sink needs of a user's rights, on a broker that checks them."""

import threading
from time import time

import pytest
from confluent_kafka.admin import AclOperation, ResourceType

from obsync_tui.engine.errors import SinkRefused
from obsync_tui.engine.sinks.kafka.transactional import TransactionalSink
from obsync_tui.model.checkpoint import OWNER_KEY, Record
from obsync_tui.model.project import new_project_id
from tests.servers import SecuredKafkaBroker


def _sink(broker: SecuredKafkaBroker, project_id: str) -> TransactionalSink:
    return TransactionalSink(
        project_id,
        broker.sasl_client("SCRAM-SHA-512"),
        where="kafka",
        transaction_timeout_s=20,
        expected=False,
        started_s=time(),
        cancel=threading.Event(),
    )


def _grant_topic(broker: SecuredKafkaBroker, topic: str) -> None:
    for operation in (
        AclOperation.CREATE,
        AclOperation.READ,
        AclOperation.WRITE,
        AclOperation.DESCRIBE,
        AclOperation.DESCRIBE_CONFIGS,
    ):
        broker.grant(operation, ResourceType.TOPIC, topic)


def test_without_the_transactional_id_it_is_refused_in_one_sentence(
    secured_kafka: SecuredKafkaBroker,
) -> None:
    project_id = new_project_id()
    _grant_topic(secured_kafka, f"__obsync.{project_id}")
    sink = _sink(secured_kafka, project_id)
    with pytest.raises(SinkRefused, match=r"(?i)transactional"):
        sink.open(take_over=False)
    sink.close()


def test_no_right_on_a_consumer_group_is_needed(secured_kafka: SecuredKafkaBroker) -> None:
    project_id = new_project_id()
    _grant_topic(secured_kafka, f"__obsync.{project_id}")
    for operation in (AclOperation.WRITE, AclOperation.DESCRIBE):
        secured_kafka.grant(operation, ResourceType.TRANSACTIONAL_ID, f"obsync.{project_id}")
    first = _sink(secured_kafka, project_id)
    first.open(take_over=False)
    first.commit((Record("position", b"1"),))
    first.close()
    second = _sink(secured_kafka, project_id)
    values = second.open(take_over=False)
    second.close()
    assert {key: value for key, value in values.items() if key != OWNER_KEY} == {"position": b"1"}

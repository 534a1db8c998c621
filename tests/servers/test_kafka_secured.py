"""The secured broker lets the right clients in, with their rights and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from tests.servers import SecuredKafkaBroker, consume_all, make_certificates
from tests.servers.kafka_secured import ADMIN, CERTIFICATE_USER, USER, Mechanism


@pytest.fixture(scope="module")
def broker(secured_kafka: SecuredKafkaBroker) -> SecuredKafkaBroker:
    secured_kafka.create_topic("granted")
    secured_kafka.create_topic("denied")
    for user in (USER, CERTIFICATE_USER):
        for operation in (AclOperation.WRITE, AclOperation.DESCRIBE):
            secured_kafka.grant(operation, ResourceType.TOPIC, "granted", user)
    return secured_kafka


def _produce(properties: dict[str, str], topic: str) -> KafkaError | None:
    """Produce one message; the error of the message, or of the connection."""
    errors: list[KafkaError] = []
    delivered: list[KafkaError | None] = []
    producer = Producer(
        {**properties, "log_level": 0, "error_cb": errors.append, "enable.idempotence": False}
    )
    producer.produce(topic, "x", on_delivery=lambda error, _: delivered.append(error))
    while not delivered and not errors:
        producer.poll(1)
    producer.purge()
    return delivered[0] if delivered else errors[0]


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_password(broker: SecuredKafkaBroker, mechanism: Mechanism, tls: bool) -> None:
    right = broker.sasl_client(mechanism, tls=tls)
    assert _produce(right, "granted") is None
    error = _produce(right, "denied")
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    error = _produce(broker.sasl_client(mechanism, password="wrong", tls=tls), "granted")
    assert error is not None
    assert error.code() == KafkaError._AUTHENTICATION


def test_administrator_reads_over_tls(broker: SecuredKafkaBroker) -> None:
    assert _produce(broker.sasl_client("PLAIN", ADMIN), "denied") is None
    properties = broker.sasl_client("SCRAM-SHA-512", ADMIN)
    records = consume_all(broker.sasl_tls_bootstrap, ["denied"], properties=properties)
    assert [record.value for record in records] == [b"x"]


def test_client_certificate(broker: SecuredKafkaBroker) -> None:
    assert _produce(broker.tls_client(), "granted") is None
    error = _produce(broker.tls_client(), "denied")
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_unknown_authority(broker: SecuredKafkaBroker, tmp_path: Path) -> None:
    other = make_certificates(tmp_path)
    error = _produce({**broker.sasl_client("PLAIN"), "ssl.ca.location": str(other.ca)}, "granted")
    assert error is not None
    assert error.code() == KafkaError._SSL


def test_rights_are_seen_by_the_admin_client(broker: SecuredKafkaBroker) -> None:
    admin = AdminClient({**broker.sasl_client("PLAIN"), "log_level": 0})
    assert {"granted", "denied"} & set(admin.list_topics(timeout=10).topics) == {"granted"}
    with pytest.raises(KafkaException) as refused:
        consume_all(broker.sasl_tls_bootstrap, ["denied"], properties=broker.sasl_client("PLAIN"))
    assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED

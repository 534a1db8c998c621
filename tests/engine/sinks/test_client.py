"""Client properties on real brokers, with every way to log in, and the errors that come back."""

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourceType

from obsync_tui.engine.errors import (
    ConfigError,
    Fenced,
    MessageTooLarge,
    SinkError,
    SinkRefused,
    SinkUnreachable,
    TopicUnfit,
    TransactionAborted,
)
from obsync_tui.engine.sinks.kafka.client import client_properties, translate
from obsync_tui.engine.sinks.kafka.cluster import Cluster, TopicSettings
from obsync_tui.model.datasource import KafkaSource, Sasl, Tls
from obsync_tui.model.secret import Secret, SecretReference
from tests.servers import KafkaBroker
from tests.servers.kafka_secured import PASSWORDS, USER, SecuredKafkaBroker


def secrets(reference: SecretReference) -> Secret:
    return Secret(str(reference).removeprefix("env:"))


@pytest.fixture(scope="module")
def secured() -> Iterator[SecuredKafkaBroker]:
    with SecuredKafkaBroker() as broker:
        broker.create_topic("seen")
        broker.grant(AclOperation.DESCRIBE, ResourceType.TOPIC, "seen")
        broker.grant(AclOperation.DESCRIBE, ResourceType.TOPIC, "seen", user="CN=client")
        yield broker


def cluster(source: KafkaSource) -> Cluster:
    return Cluster(client_properties(source, secrets), "events", timeout_s=10)


def sasl(mechanism: str, password: str = PASSWORDS[USER]) -> Sasl:
    return Sasl(mechanism, USER, SecretReference(f"env:{password}"))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
@pytest.mark.parametrize("tls", [False, True])
def test_passwords_log_in(secured: SecuredKafkaBroker, mechanism: str, tls: bool) -> None:
    endpoint = secured.sasl_tls_bootstrap if tls else secured.sasl_bootstrap
    files = Tls(enabled=tls, ca=str(secured.certificates.ca) if tls else "")
    source = KafkaSource("events", endpoint, files, sasl(mechanism))
    assert cluster(source).partitions() == {"seen": 1}


def test_a_client_certificate_logs_in(secured: SecuredKafkaBroker) -> None:
    files = secured.certificates
    tls = Tls(enabled=True, ca=str(files.ca), cert=str(files.client), key=str(files.client_key))
    assert cluster(KafkaSource("events", secured.tls_bootstrap, tls)).partitions() == {"seen": 1}


def test_an_unverified_certificate_is_accepted_when_asked_for(secured: SecuredKafkaBroker) -> None:
    source = KafkaSource("events", secured.sasl_tls_bootstrap, Tls(enabled=True, verify=False), sasl("PLAIN"))
    assert cluster(source).partitions() == {"seen": 1}


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_refused_with_the_cure(secured: SecuredKafkaBroker, mechanism: str) -> None:
    source = KafkaSource("events", secured.sasl_bootstrap, sasl=sasl(mechanism, "not-it"))
    with pytest.raises(SinkRefused, match=r"(?s)uthentication.*Check mechanism, user and password") as caught:
        cluster(source).partitions()
    assert "not-it" not in str(caught.value)


def test_an_unknown_authority_is_refused_with_the_cure(secured: SecuredKafkaBroker) -> None:
    source = KafkaSource("events", secured.sasl_tls_bootstrap, Tls(enabled=True), sasl("PLAIN"))
    with pytest.raises(SinkRefused, match=r"(?s)certificate.*\[tls\]"):
        cluster(source).partitions()


def test_a_missing_right_is_refused_and_named(secured: SecuredKafkaBroker) -> None:
    source = KafkaSource("events", secured.sasl_bootstrap, sasl=sasl("PLAIN"))
    failed = cluster(source).create(["unseen"], TopicSettings(1))
    assert isinstance(failed["unseen"], SinkRefused)
    assert "topic unseen" in str(failed["unseen"])
    assert "Create" in failed["unseen"].cure


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enable.idempotence", "false"),
        ("acks", "1"),
        ("transactional.id", "x"),
        ("isolation.level", "read_uncommitted"),
        ("message.timeout.ms", "1"),
        ("max.in.flight", "6"),
        ("max.in.flight.requests.per.connection", "many"),
        ("security.protocol", "SSL"),
    ],
)
def test_properties_that_break_the_guarantee_are_refused(name: str, value: str) -> None:
    source = KafkaSource("events", "127.0.0.1:9", properties={name: value})
    with pytest.raises(ConfigError, match=name):
        client_properties(source, secrets)


def test_other_properties_reach_the_client() -> None:
    kerberos = {"sasl.kerberos.service.name": "kafka", "max.in.flight": "3", "linger.ms": "20"}
    source = KafkaSource("events", "127.0.0.1:9", sasl=Sasl("GSSAPI"), properties=kerberos)
    made = client_properties(source, secrets)
    assert {name: made[name] for name in kerberos} == kerberos
    assert (made["sasl.mechanism"], made["security.protocol"]) == ("GSSAPI", "SASL_PLAINTEXT")
    assert "sasl.username" not in made


def test_an_unknown_mechanism_names_those_there_are() -> None:
    source = KafkaSource("events", "127.0.0.1:9", sasl=Sasl("OAUTHBEARER"))
    with pytest.raises(ConfigError, match="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI"):
        client_properties(source, secrets)


def test_an_unknown_property_is_named() -> None:
    source = KafkaSource("events", "127.0.0.1:9", properties={"no.such.thing": "1"})
    with pytest.raises(SinkRefused, match=r"no\.such\.thing"):
        cluster(source)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._TRANSPORT, SinkUnreachable),
        (KafkaError._TIMED_OUT, SinkUnreachable),
        (KafkaError.NOT_ENOUGH_REPLICAS, SinkUnreachable),
        (KafkaError._AUTHENTICATION, SinkRefused),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, SinkRefused),
        (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, SinkRefused),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, TopicUnfit),
        (KafkaError._UNKNOWN_TOPIC, TopicUnfit),
        (KafkaError._FENCED, Fenced),
        (KafkaError.INVALID_PRODUCER_EPOCH, Fenced),
        (KafkaError.INVALID_TXN_STATE, TransactionAborted),
        (KafkaError.MSG_SIZE_TOO_LARGE, MessageTooLarge),
        (KafkaError.INVALID_TIMESTAMP, SinkRefused),
        (KafkaError.INVALID_RECORD, SinkRefused),
        (KafkaError.INVALID_MSG, SinkError),
    ],
)
def test_codes_become_the_engines_errors(code: int, kind: type[SinkError]) -> None:
    assert type(translate(KafkaError(code), "events")) is kind
    assert type(translate(KafkaException(KafkaError(code)), "events")) is kind


def test_an_abort_is_retried_and_a_fence_is_not(new_kafka: Callable[..., KafkaBroker]) -> None:
    with new_kafka() as broker:
        broker.create_topic("t")

        def producer() -> Producer:
            return Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": "x", "log_level": 0})

        first = producer()
        first.init_transactions(30)
        first.begin_transaction()
        first.produce("t", b"1")
        first.flush(30)
        producer().init_transactions(30)
        with pytest.raises(KafkaException) as caught:
            first.commit_transaction(30)
        assert type(translate(caught.value, "events")) is Fenced

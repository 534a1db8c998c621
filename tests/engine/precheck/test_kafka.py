"""The precheck of a destination on real brokers."""

import msgspec
from confluent_kafka import Producer
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from obsync_tui.engine.precheck.model import Outcome
from obsync_tui.model.datasource import KafkaSource, Sasl
from obsync_tui.model.project import (
    Delivery,
    Guarantee,
    Message,
    TopicMode,
    Topics,
)
from obsync_tui.model.secret import SecretReference
from tests.engine.precheck.project import Setup, bad, one
from tests.servers.kafka_secured import PASSWORDS, USER, SecuredKafkaBroker


def test_topics_that_cannot_be(setup: Setup) -> None:
    db, broker = setup.database, setup.broker
    setup.server.execute(f"CREATE TABLE {db}.`käse` (a INT PRIMARY KEY)")
    names = one(setup.check(), "topic names")
    assert (names.outcome, f"{db}.käse" in names.text, "[[objects.tables]]" in names.cure) == (
        Outcome.FAIL,
        True,
        True,
    )
    setup.server.execute(f"DROP TABLE {db}.`käse`")
    broker.create_topic(f"{db}.orders")
    assert "only in . and _" in one(setup.check(), "topic names").text
    project = setup.project
    typo = msgspec.structs.replace(project, message=Message(topic="${tabel}"))
    assert "'${tabel}' is not a variable" in one(setup.check(typo), "topic names").text
    existing = msgspec.structs.replace(
        project, message=Message(topic=f"{db}-x"), topics=Topics(mode=TopicMode.EXISTING)
    )
    assert f"1 topics do not exist: {db}-x" in one(setup.check(existing), "topics").text
    broker.create_topic(f"{db}-x", 7)
    assert bad(setup.check(existing)) == set()
    create = msgspec.structs.replace(project, message=Message(topic=f"{db}-x"))
    partitions = one(setup.check(create), "partitions")
    assert (partitions.outcome, "7 partitions, not 3" in partitions.text) == (Outcome.WARNING, True)
    replicas = msgspec.structs.replace(
        project, message=Message(topic=f"{db}-y"), topics=Topics(replication=3)
    )
    assert "eplication factor" in one(setup.check(replicas), "topics").text


def test_rows_that_a_topic_may_not_take_are_warned_of(setup: Setup) -> None:
    db = setup.database
    setup.server.execute(f"CREATE TABLE {db}.wide (a INT PRIMARY KEY, l LONGBLOB)")
    setup.broker.create_topic(f"{db}_wide", 3, {"max.message.bytes": "50000"})
    size = one(setup.check(), "message size")
    assert size.outcome is Outcome.WARNING
    assert "50,000 bytes" in size.text and f"{db}.wide" in size.text


def test_a_foreign_checkpoint_topic_fails(setup: Setup) -> None:
    project = setup.project
    setup.broker.create_topic(f"__obsync.{project.id}", 1)
    result = one(setup.check(project), "checkpoint topic")
    assert (result.outcome, "cleanup.policy=compact" in result.cure) == (Outcome.FAIL, True)


def test_the_probe_does_not_fence_a_running_instance(setup: Setup) -> None:
    project = setup.project
    running = Producer(
        {"bootstrap.servers": setup.broker.bootstrap, "transactional.id": f"obsync.{project.id}"}
    )
    setup.broker.create_topic(f"{setup.database}-running")
    running.init_transactions(30)
    running.begin_transaction()
    running.produce(f"{setup.database}-running", b"x")
    assert bad(setup.check(project)) == set()
    running.commit_transaction(30)


def test_rights_in_kafka(setup: Setup) -> None:
    with SecuredKafkaBroker() as broker:
        destination = KafkaSource(
            "events",
            broker.sasl_bootstrap,
            sasl=Sasl("SCRAM-SHA-512", USER, SecretReference(f"env:{PASSWORDS[USER]}")),
        )
        project, topic = setup.project, f"{setup.database}_orders"
        results = setup.check(project, destination=destination)
        assert bad(results) == {"transactions", "checkpoint topic", "topics"}
        acls = {item: one(results, item).cure for item in ("transactions", "checkpoint topic", "topics")}
        assert (
            f"--transactional-id 'obsync.{project.id}' --resource-pattern-type prefixed"
            in acls["transactions"]
        )
        assert f"--allow-principal User:{USER}" in acls["topics"]
        assert "--operation Create --operation Write --operation Read" in acls["topics"]
        assert f"--topic '__obsync.{project.id}'" in acls["checkpoint topic"]
        prefixed = ResourcePatternType.PREFIXED
        for operation in (AclOperation.WRITE, AclOperation.DESCRIBE):
            broker.grant(operation, ResourceType.TRANSACTIONAL_ID, f"obsync.{project.id}", pattern=prefixed)
        every = (
            AclOperation.CREATE,
            AclOperation.WRITE,
            AclOperation.READ,
            AclOperation.DESCRIBE,
            AclOperation.DESCRIBE_CONFIGS,
        )
        for name in (topic, f"__obsync.{project.id}"):
            for operation in every:
                broker.grant(operation, ResourceType.TOPIC, name)
        assert bad(setup.check(project, destination=destination)) == set()
        broker.create_topic(f"{topic}2", 3)
        broker.grant(AclOperation.DESCRIBE, ResourceType.TOPIC, f"{topic}2")
        shown = msgspec.structs.replace(project, message=Message(topic=f"{topic}2"))
        unwritable = one(setup.check(shown, destination=destination), "topics")
        assert (unwritable.outcome, f"may not write to {topic}2" in unwritable.text) == (Outcome.FAIL, True)


def test_transactions_are_not_asked_for_when_not_used(setup: Setup) -> None:
    project = msgspec.structs.replace(setup.project, delivery=Delivery(guarantee=Guarantee.AT_LEAST_ONCE))
    results = setup.check(project)
    assert "not used" in next(r for r in results if r.item == "transactions").text
    assert not [r for r in results if r.item == "checkpoint topic"]


def test_a_transaction_time_out_above_the_brokers_limit_fails(setup: Setup) -> None:
    project = msgspec.structs.replace(setup.project, delivery=Delivery(transaction_timeout_s=3600))
    result = one(setup.check(project), "transactions")
    assert (result.outcome, "transaction_timeout_s" in result.cure) == (Outcome.FAIL, True)

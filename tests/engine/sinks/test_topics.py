"""Schema synchronization on a real broker: what is created, required, refused and reported."""

from collections.abc import Callable
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka.admin import AdminClient, ClusterMetadata

from obsync_tui.engine.errors import CheckpointLost, SinkUnreachable, TopicUnfit
from obsync_tui.engine.sinks.kafka.client import ClientProperties
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.engine.sinks.kafka.topics import (
    TopicFacts,
    ensure_checkpoint_topic,
    name_problems,
    read_topics,
    synchronize_topics,
)
from obsync_tui.model.project import Message, Objects, PartitionRule, Project, TopicMode, Topics
from tests.servers import KafkaBroker

PROJECT = Project(
    id="np_abcdefabcdef", name="orders", source="shop", destination="events", objects=Objects(("shop.*",))
)


def project(**topics: object) -> Project:
    return msgspec.structs.replace(PROJECT, topics=msgspec.convert(topics, Topics))


def properties(broker: KafkaBroker) -> dict[str, ClientProperties]:
    return {"bootstrap.servers": broker.bootstrap, "log_level": 0}


@pytest.fixture
def prefix() -> str:
    return f"t{uuid4().hex[:8]}"


def test_topics_are_created_with_partitions_and_settings(kafka: KafkaBroker, prefix: str) -> None:
    names = [f"{prefix}_{i}" for i in range(230)]
    made = project(partitions=2, settings={"max.message.bytes": "2000000"})
    report = synchronize_topics(made, [*names, names[0]], properties(kafka))
    assert report.created == tuple(sorted(names))
    assert report.facts == tuple(TopicFacts(name, 2, 2_000_000) for name in sorted(names))
    assert report.warnings == ()
    again = synchronize_topics(made, names, properties(kafka))
    assert (again.created, again.facts, again.warnings) == ((), report.facts, ())
    assert read_topics(Cluster(properties(kafka), "events"), [names[0], f"{prefix}_none"]) == (
        TopicFacts(names[0], 2, 2_000_000),
    )


def test_another_partition_count_is_reported_and_used(kafka: KafkaBroker, prefix: str) -> None:
    kafka.create_topic(prefix, 5)
    report = synchronize_topics(project(), [prefix], properties(kafka))
    assert report.facts == (TopicFacts(prefix, 5, 1_048_588),)
    assert report.warnings == (f"Topic {prefix} exists with 5 partitions, not 3; they are used.",)


def test_required_topics_that_are_missing_are_named(kafka: KafkaBroker, prefix: str) -> None:
    kafka.create_topic(f"{prefix}_a", 4)
    required = project(mode=TopicMode.EXISTING)
    assert synchronize_topics(required, [f"{prefix}_a"], properties(kafka)).facts == (
        TopicFacts(f"{prefix}_a", 4, 1_048_588),
    )
    with pytest.raises(TopicUnfit, match=f"2 topics do not exist.*{prefix}_b, {prefix}_c"):
        synchronize_topics(required, [f"{prefix}_{x}" for x in "abc"], properties(kafka))


def test_a_broker_that_creates_topics_is_left_to_it(new_kafka: Callable[..., KafkaBroker]) -> None:
    with new_kafka(num_partitions=6, auto_create_topics=True) as broker:
        report = synchronize_topics(project(mode=TopicMode.AUTO_CREATE), ["a", "b"], properties(broker))
        assert report.facts == (TopicFacts("a", 6, 1_048_588), TopicFacts("b", 6, 1_048_588))
        assert report.created == ()


def test_a_broker_that_does_not_create_topics_is_named(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(TopicUnfit, match=r"did not create 1 topics by itself.*auto\.create"):
        synchronize_topics(project(mode=TopicMode.AUTO_CREATE), [prefix], properties(kafka))


@pytest.mark.parametrize("name", ["a" * 250, "shop_käse", "shop db", "", ".", "..", "__shop", "a/b"])
def test_illegal_names_are_refused(kafka: KafkaBroker, name: str) -> None:
    with pytest.raises(TopicUnfit, match="cannot be"):
        synchronize_topics(project(), [name], properties(kafka))


def test_colliding_names_are_refused(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(TopicUnfit, match=rf"{prefix}_x.*differs from the topic {prefix}\.x"):
        synchronize_topics(project(), [f"{prefix}_x", f"{prefix}.x"], properties(kafka))
    kafka.create_topic(f"{prefix}.y")
    with pytest.raises(TopicUnfit, match=rf"{prefix}_y.*differs from the topic {prefix}\.y"):
        synchronize_topics(project(), [f"{prefix}_y"], properties(kafka))
    assert f"{prefix}_y" not in Cluster(properties(kafka), "k").partitions()


def test_the_longest_name_is_accepted() -> None:
    assert name_problems(["a" * 249, "A.b-c_9"], ["a"]) == {}


def test_a_refused_setting_says_which_topic(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(TopicUnfit, match=f"topic {prefix} cannot be created.*retention"):
        synchronize_topics(project(settings={"retention.ms": "soon"}), [prefix], properties(kafka))


def test_more_replicas_than_brokers_is_said(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(TopicUnfit, match="replication"):
        synchronize_topics(project(replication=3), [prefix], properties(kafka))


def test_the_fixed_partition_must_exist(kafka: KafkaBroker, prefix: str) -> None:
    kafka.create_topic(prefix, 2)
    one = msgspec.structs.replace(PROJECT, message=Message(partition=PartitionRule.ONE, one_partition=2))
    with pytest.raises(TopicUnfit, match=f"partition 2, but topic {prefix} has 2"):
        synchronize_topics(one, [prefix], properties(kafka))


def test_the_checkpoint_topic_is_made_once_and_compacted(kafka: KafkaBroker, prefix: str) -> None:
    name = f"__obsync.{prefix}"
    assert ensure_checkpoint_topic(properties(kafka), name, "events", create=True)
    assert not ensure_checkpoint_topic(properties(kafka), name, "events", create=False)
    settings = Cluster(properties(kafka), "events").settings([name])[name]
    assert isinstance(settings, dict)
    assert (settings["cleanup.policy"], settings["segment.bytes"]) == ("compact", "1048576")
    assert Cluster(properties(kafka), "events").partitions()[name] == 1


def test_a_checkpoint_topic_that_is_gone_is_not_made_anew(kafka: KafkaBroker, prefix: str) -> None:
    with pytest.raises(CheckpointLost, match="does not exist"):
        ensure_checkpoint_topic(properties(kafka), f"__obsync.{prefix}", "events", create=False)


def test_a_topic_whose_broker_is_away_is_not_gone(
    kafka: KafkaBroker, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that was out of reach for some seconds leads nothing for a moment after it is back."""
    name = f"__obsync.{prefix}"
    kafka.create_topic(prefix, 1)
    assert ensure_checkpoint_topic(properties(kafka), name, "events", create=True)
    listed = AdminClient.list_topics

    def without_leaders(client: AdminClient, *args: object, **options: object) -> ClusterMetadata:
        metadata = listed(client, *args, **options)
        for topic in metadata.topics.values():
            for partition in topic.partitions.values():
                partition.leader = -1
        return metadata

    def once(client: AdminClient, *args: object, **options: object) -> ClusterMetadata:
        """The leader is back when it is asked for again."""
        monkeypatch.setattr(AdminClient, "list_topics", listed)
        return without_leaders(client, *args, **options)

    monkeypatch.setattr(AdminClient, "list_topics", once)
    with pytest.raises(SinkUnreachable, match=f"had no leader: {prefix}"):
        synchronize_topics(project(), [prefix], properties(kafka), used=(prefix,))
    monkeypatch.setattr(AdminClient, "list_topics", without_leaders)
    for create in (True, False):
        with pytest.raises(SinkUnreachable, match=f"had no leader: {name}"):
            ensure_checkpoint_topic(properties(kafka), name, "events", create=create)
    for made, used in ((project(), (prefix,)), (project(mode="existing"), ())):
        with pytest.raises(SinkUnreachable, match=f"had no leader: {prefix}"):
            synchronize_topics(made, [prefix], properties(kafka), used=used)


def test_a_checkpoint_topic_of_another_shape_is_refused(kafka: KafkaBroker, prefix: str) -> None:
    kafka.create_topic(f"{prefix}.1", 1, {"cleanup.policy": "compact,delete"})
    with pytest.raises(TopicUnfit, match=r"would delete the checkpoint.*cleanup.policy=compact"):
        ensure_checkpoint_topic(properties(kafka), f"{prefix}.1", "events", create=True)
    kafka.create_topic(f"{prefix}.2", 2, {"cleanup.policy": "compact"})
    with pytest.raises(TopicUnfit, match="2 partitions, not 1"):
        ensure_checkpoint_topic(properties(kafka), f"{prefix}.2", "events", create=True)


def test_a_silent_broker_is_unreachable_with_the_reason() -> None:
    with pytest.raises(SinkUnreachable, match="Connection refused"):
        Cluster({"bootstrap.servers": "127.0.0.1:9", "log_level": 0}, "events", timeout_s=2).partitions()

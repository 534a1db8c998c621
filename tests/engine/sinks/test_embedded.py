"""The demo's cluster: topics without a controller, let in by `embedded` alone, which lets in nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from obsync_tui.demo.kafka import EmbeddedKafka
from obsync_tui.engine.errors import ConfigError, SinkRefused
from obsync_tui.engine.sinks.kafka.embedded import cluster_of
from obsync_tui.engine.sinks.kafka.topics import (
    CHECKPOINT_SETTINGS,
    DEFAULT_MAX_MESSAGE_BYTES,
    TopicFacts,
    delete_topic,
    ensure_checkpoint_topic,
    synchronize_topics,
)
from obsync_tui.model.project import Objects, Project, TopicMode, Topics
from tests.servers import KafkaBroker


@pytest.fixture
def mock() -> Iterator[dict[str, str | int | bool]]:
    owner = EmbeddedKafka()
    yield {"bootstrap.servers": owner.endpoint, "log_level": 0}


def test_topics_and_the_checkpoint_topic_come_to_be(mock: dict[str, str | int | bool]) -> None:
    project = Project(
        "np_abcdefghijkl", "p", "s", "d", Objects(("a.*",)), topics=Topics(mode=TopicMode.AUTO_CREATE)
    )
    report = synchronize_topics(project, ["a_b"], mock, embedded=True)
    assert report.facts == (TopicFacts("a_b", 4, DEFAULT_MAX_MESSAGE_BYTES),)
    assert report.warnings == ()
    assert ensure_checkpoint_topic(mock, "__obsync.x", "events", create=True, embedded=True)
    assert not ensure_checkpoint_topic(mock, "__obsync.x", "events", create=False, embedded=True)


def test_a_check_makes_no_topic_and_a_topic_stays(mock: dict[str, str | int | bool]) -> None:
    cluster = cluster_of(mock, "events", True)
    assert cluster.create(["a"], CHECKPOINT_SETTINGS, validate_only=True) == {}
    assert cluster.partitions() == {}
    assert cluster.create(["a"], CHECKPOINT_SETTINGS) == {}
    with pytest.raises(SinkRefused, match="deletes no topic"):
        delete_topic(cluster, "a")


def test_a_real_kafka_is_refused_as_embedded(kafka: KafkaBroker) -> None:
    real: dict[str, str | int | bool] = {"bootstrap.servers": kafka.bootstrap, "log_level": 0}
    with pytest.raises(ConfigError, match=r"a Kafka of its own\. Remove embedded"):
        ensure_checkpoint_topic(real, "__obsync.refused", "events", create=True, embedded=True)
    assert "__obsync.refused" not in cluster_of(real, "events", False).partitions()

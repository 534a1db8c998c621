"""The cluster inside `obsync demo`: librdkafka's mock (`test.mock.num.brokers`), which answers for topics only.

It has no controller: it makes topics at first use, of four partitions, and leaves every other question without an
answer. It keeps messages in memory and no topic compacted, so only `embedded = true` of a data source lets it in, and
that lets in nothing else.
"""

from collections.abc import Mapping, Sequence

from confluent_kafka.admin._acl import AclOperation

from obsync_tui.engine.errors import ConfigError, SinkError, SinkRefused
from obsync_tui.engine.sinks.kafka.client import ClientProperties
from obsync_tui.engine.sinks.kafka.cluster import Cluster, TopicSettings

_MOCK = "mockCluster"


class EmbeddedCluster(Cluster):
    """The demo's cluster asked as an administrator; ConfigError when it is any other cluster."""

    def __init__(self, properties: Mapping[str, ClientProperties], where: str) -> None:
        super().__init__(properties, where)
        if not self.cluster_id().startswith(_MOCK):
            raise ConfigError(
                "embedded = true is for the cluster inside obsync demo, and this is a Kafka of its own",
                where=where,
                cure="Remove embedded from the data source.",
            )

    def create(
        self, names: Sequence[str], settings: TopicSettings, *, validate_only: bool = False
    ) -> dict[str, SinkError]:
        """Have the topics made, whatever the settings."""
        if not validate_only:
            self.prompt(names)
        return {}

    def delete(self, name: str) -> None:
        """Refuse: a topic goes with the cluster."""
        raise SinkRefused("the embedded cluster deletes no topic", where=self.where)

    def settings(self, names: Sequence[str]) -> dict[str, dict[str, str] | SinkError]:
        """Nothing of each: Kafka's defaults hold."""
        return {name: {} for name in names}

    def operations(self, names: Sequence[str]) -> dict[str, frozenset[AclOperation] | SinkError]:
        """Nothing of each: there are no rights."""
        return {name: frozenset() for name in names}


def cluster_of(properties: Mapping[str, ClientProperties], where: str, embedded: bool) -> Cluster:
    """The cluster as an administrator asks it; `embedded` is the data source's."""
    return EmbeddedCluster(properties, where) if embedded else Cluster(properties, where)

"""The demo's Kafka: librdkafka's mock cluster in this process, or a real one that holds the demo's topics meanwhile."""

import secrets
from collections.abc import Iterable

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from obsync_tui.engine.errors import SinkUnreachable

_ANSWER_S = 10.0


class EmbeddedKafka:
    """A cluster of one broker that keeps its messages in memory; it lives as long as the object.

    Topics have four partitions and come to be when they are first asked for.
    """

    embedded = True
    prefix = "shop_"

    def __init__(self) -> None:
        # The address is replaced by that of the cluster, which belongs to this client.
        self._owner = Producer({"bootstrap.servers": "embedded", "test.mock.num.brokers": 1, "log_level": 0})
        (broker,) = self._owner.list_topics(timeout=_ANSWER_S).brokers.values()
        self.endpoint = f"{broker.host}:{broker.port}"

    def remove(self, topics: Iterable[str]) -> None:
        """Nothing: topics go with the cluster."""


class RealKafka:
    """A Kafka that is there already, reached without a password; `prefix` keeps the demo's topics apart."""

    embedded = False

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.prefix = f"obsync_demo_{secrets.token_hex(3)}_"
        self._admin = AdminClient({"bootstrap.servers": endpoint, "log_level": 0})
        try:
            self._admin.list_topics(timeout=_ANSWER_S)
        except KafkaException as error:
            raise SinkUnreachable(
                f"no Kafka answers at {endpoint}", where="demo --broker", cure="Check the address."
            ) from error

    def remove(self, topics: Iterable[str]) -> None:
        """Delete those of the topics that are there; KafkaException when the broker refuses."""
        there = self._admin.list_topics(timeout=_ANSWER_S).topics
        wanted = [topic for topic in topics if topic in there]
        if wanted:
            for future in self._admin.delete_topics(wanted, request_timeout=_ANSWER_S).values():
                future.result()


Kafka = EmbeddedKafka | RealKafka

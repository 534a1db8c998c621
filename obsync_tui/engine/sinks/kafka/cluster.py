"""A Kafka cluster asked as an administrator: topics, their settings, and why it does not answer."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TypeVar

import msgspec
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._metadata import ClusterMetadata
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from obsync_tui.engine.errors import SinkError, SinkRefused
from obsync_tui.engine.sinks.kafka.client import ClientProperties, translate

_CHUNK = 100
_TIMEOUT_S = 30.0
_FIRST_ANSWER_S, _FIRST_WAIT_S = 10.0, 1.0
_T = TypeVar("_T")
# Why connections failed, the most telling first; the request itself only says that nobody answered.
_TELLING = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE, KafkaError._TRANSPORT)
_SILENT = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}


class TopicSettings(msgspec.Struct, frozen=True):
    """How topics are created; `replication` -1 is the broker's default."""

    partitions: int
    replication: int = -1
    settings: dict[str, str] = {}


class Cluster:
    """An administrative client; every failure is a SinkError that says where."""

    def __init__(
        self, properties: Mapping[str, ClientProperties], where: str, *, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self.where = where
        self._timeout_s = timeout_s
        self._heard: list[KafkaError] = []
        try:
            self._client = AdminClient({**properties, "error_cb": self._heard.append})  # type: ignore[dict-item]
        except KafkaException as error:
            raise SinkRefused(
                f"the client cannot be configured: {error.args[0].str()}",
                where=where,
                cure="Correct [properties], [tls] or [sasl] of the data source.",
            ) from error

    def brokers(self) -> tuple[str, ...]:
        """Addresses of the brokers as they advertise themselves; gives up after seconds, as a first question should."""
        metadata = self._metadata(min(self._timeout_s, _FIRST_ANSWER_S))
        return tuple(f"{broker.host}:{broker.port}" for broker in metadata.brokers.values())

    def cluster_id(self) -> str:
        """The id that the cluster gave itself, empty when it has none."""
        metadata = self._metadata(min(self._timeout_s, _FIRST_ANSWER_S))
        return metadata.cluster_id or ""

    def partitions(self) -> dict[str, int]:
        """Partition count of every topic that the user may see; topics without a leader are left out."""
        metadata = self._metadata(self._timeout_s)
        return {
            name: len(topic.partitions)
            for name, topic in metadata.topics.items()
            if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values())
        }

    def existing(self, names: Collection[str]) -> list[str]:
        """Those of the topics that exist, with a leader or without one, by name."""
        metadata = self._metadata(self._timeout_s)
        return sorted(name for name, topic in metadata.topics.items() if name in names and topic.partitions)

    def create(
        self, names: Sequence[str], settings: TopicSettings, *, validate_only: bool = False
    ) -> dict[str, SinkError]:
        """Create topics; answers with those that could not be. A topic that exists already counts as created."""
        failed: dict[str, SinkError] = {}
        for chunk in _chunks(names):
            topics = [
                NewTopic(
                    name,
                    num_partitions=settings.partitions,
                    replication_factor=settings.replication,
                    config=dict(settings.settings),
                )
                for name in chunk
            ]
            futures = self._client.create_topics(
                topics,
                validate_only=validate_only,
                request_timeout=self._timeout_s,
                operation_timeout=self._timeout_s,
            )
            for name, future in futures.items():
                try:
                    self._result(future, f"topic {name}")
                except _Refusal as refusal:
                    if refusal.code != KafkaError.TOPIC_ALREADY_EXISTS:
                        failed[name] = refusal.error
        return failed

    def delete(self, name: str) -> None:
        """Delete a topic; raises SinkError."""
        futures = self._client.delete_topics([name], request_timeout=self._timeout_s)
        try:
            self._result(futures[name], f"topic {name}")
        except _Refusal as refusal:
            raise refusal.error from refusal

    def prompt(self, names: Sequence[str]) -> None:
        """Ask for topics as a producer does, at which a broker with auto.create.topics.enable makes them."""
        for name in names:
            try:
                self._client.list_topics(name, timeout=self._timeout_s)
            except KafkaException as error:
                raise self._why(error.args[0], self.where) from error

    def settings(self, names: Sequence[str]) -> dict[str, dict[str, str] | SinkError]:
        """Each topic's settings by name, or why they cannot be read."""
        result: dict[str, dict[str, str] | SinkError] = {}
        for chunk in _chunks(names):
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in chunk]
            futures = self._client.describe_configs(resources, request_timeout=self._timeout_s)
            for resource, future in futures.items():
                try:
                    entries = self._result(future, f"topic {resource.name}")
                    result[resource.name] = {name: str(entry.value) for name, entry in entries.items()}
                except _Refusal as refusal:
                    result[resource.name] = refusal.error
        return result

    def operations(self, names: Sequence[str]) -> dict[str, frozenset[AclOperation] | SinkError]:
        """What the user may do with each topic that exists; empty where the broker does not say."""
        result: dict[str, frozenset[AclOperation] | SinkError] = {}
        for chunk in _chunks(names):
            futures = self._client.describe_topics(
                TopicCollection(list(chunk)),
                include_authorized_operations=True,
                request_timeout=self._timeout_s,
            )
            for name, future in futures.items():
                try:
                    result[name] = frozenset(
                        self._result(future, f"topic {name}").authorized_operations or ()
                    )
                except _Refusal as refusal:
                    result[name] = refusal.error
        return result

    def _metadata(self, timeout_s: float) -> ClusterMetadata:
        """What the brokers tell of themselves. Who is refused hears it at once, and not when the time is up."""
        left_s, wait_s = timeout_s, _FIRST_WAIT_S
        while True:
            wait_s = min(wait_s, left_s)
            try:
                return self._client.list_topics(timeout=wait_s)
            except KafkaException as error:
                failure = self._why(error.args[0], self.where)
                left_s -= wait_s
                if left_s <= 0 or not failure.retryable:
                    raise failure from error
            wait_s *= 4

    def _result(self, future: "Future[_T]", what: str) -> _T:
        try:
            return future.result()
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            failure = self._why(cause, f"{self.where}, {what}")
            if failure.retryable:
                raise failure from error
            raise _Refusal(cause.code(), failure) from error

    def _why(self, error: KafkaError, where: str) -> SinkError:
        """The reason that connections failed for, when the request itself met silence."""
        if error.code() in _SILENT:
            self._client.poll(0)
            for code in _TELLING:
                heard = next((one for one in self._heard if one.code() == code), None)
                if heard is not None:
                    return translate(heard, where)
        return translate(error, where)


class _Refusal(Exception):
    """One topic's part of a request failed; `code` is Kafka's."""

    def __init__(self, code: int, error: SinkError) -> None:
        super().__init__(str(error))
        self.code = code
        self.error = error


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _CHUNK):
        yield names[start : start + _CHUNK]

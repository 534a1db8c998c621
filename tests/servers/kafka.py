"""Kafka 4.1.1 brokers (KRaft, one node) for tests."""

from __future__ import annotations

import base64
import subprocess
import time
import uuid
from collections.abc import Mapping

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.servers.downloads import kafka_libraries
from tests.servers.process import Server, ServerFailed, free_port

_FIXED_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A killed broker may register again only when its old session has ended: 3 s instead of 9.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.segment.bytes": "67108864",
}


class KafkaBroker(Server):
    """A broker without topics on one plain listener.

    properties are further server properties ("message.max.bytes"); they win over those given here.
    """

    kind = "kafka"

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        *,
        num_partitions: int = 1,
        auto_create_topics: bool = False,
    ) -> None:
        super().__init__()
        self.port = free_port()
        self._controller_port = free_port()
        self._extra_properties = dict(properties or {})
        self._num_partitions = num_partitions
        self._auto_create_topics = auto_create_topics
        # Kept: a client that is collected cancels the futures it has given out.
        self._admin: AdminClient | None = None

    @property
    def bootstrap(self) -> str:
        """Address of the plain listener."""
        return f"127.0.0.1:{self.port}"

    def _listeners(self) -> dict[str, tuple[str, int]]:
        """Listener name to (security protocol, port)."""
        return {"PLAINTEXT": ("PLAINTEXT", self.port), "CONTROLLER": ("PLAINTEXT", self._controller_port)}

    def _properties(self) -> dict[str, str]:
        listeners = self._listeners()
        addresses = {name: f"{name}://127.0.0.1:{port}" for name, (_, port) in listeners.items()}
        return {
            **_FIXED_PROPERTIES,
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": ",".join(addresses.values()),
            "advertised.listeners": ",".join(
                address for name, address in addresses.items() if name != "CONTROLLER"
            ),
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}" for name, (protocol, _) in listeners.items()
            ),
            "log.dirs": str(self.directory / "data"),
            "num.partitions": str(self._num_partitions),
            "auto.create.topics.enable": str(self._auto_create_topics).lower(),
        }

    def _format_options(self) -> list[str]:
        return []

    def _java(self, *arguments: str) -> list[str]:
        log_level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", "-Xmx512m", log_level, "-cp", f"{kafka_libraries()}/*", *arguments]

    def _prepare(self) -> None:
        file = self.directory / "server.properties"
        properties = {**self._properties(), **self._extra_properties}
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        command = self._java("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "kafka.tools.StorageTool")
        command += ["format", "-t", cluster_id, "-c", str(file), *self._format_options()]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode:
            raise ServerFailed(f"Kafka could not format its data directory: {result.stdout[-3000:]}")

    def _command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self.directory / "server.properties"))

    def admin(self) -> AdminClient:
        """The broker's AdminClient on the plain listener."""
        if self._admin is None:
            self._admin = AdminClient(
                {"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 500}
            )
        return self._admin

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Create a topic, and wait until it is led; raises KafkaException when the broker refuses."""
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin = self.admin()
        admin.create_topics([topic])[name].result()
        while not self._led(admin, name):
            time.sleep(0.02)

    @staticmethod
    def _led(admin: AdminClient, name: str) -> bool:
        found = admin.list_topics(timeout=30).topics.get(name)
        return (
            found is not None
            and bool(found.partitions)
            and all(p.leader >= 0 for p in found.partitions.values())
        )

    def _ready(self) -> bool:
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

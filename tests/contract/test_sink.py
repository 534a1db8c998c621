"""The Sink contract: the fake, Kafka exactly once, Kafka at least once."""

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import NamedTuple

import pytest

from obsync_tui.engine.errors import Fenced, ProjectOwned, SinkRefused
from obsync_tui.engine.sinks.kafka.atleastonce import AtLeastOnceSink
from obsync_tui.engine.sinks.kafka.transactional import TransactionalSink
from obsync_tui.engine.sinks.sink import Sink
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.checkpoint import OWNER_KEY, Record
from obsync_tui.model.message import OutgoingMessage
from obsync_tui.model.project import new_project_id
from tests.contract.fakesink import FakeCluster, FakeSink
from tests.servers import KafkaBroker, consume_all

Message = tuple[int, bytes | None, bytes]


class Subject(NamedTuple):
    """Makes sinks of one project, and reads what consumers see."""

    make: Callable[[], Sink]
    read: Callable[[], list[Message]]
    topic: str
    transactional: bool


def _kafka_read(broker: KafkaBroker, topic: str) -> list[Message]:
    return [(r.partition, r.key, r.value or b"") for r in consume_all(broker.bootstrap, [topic])]


@pytest.fixture(params=["fake", "exactly-once", "at-least-once"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    topic = f"contract_{uuid.uuid4().hex[:8]}"
    project_id = new_project_id()
    if request.param == "fake":
        cluster = FakeCluster()
        yield Subject(lambda: FakeSink(cluster), lambda: list(cluster.topics.get(topic, [])), topic, True)
        return
    broker: KafkaBroker = request.getfixturevalue("kafka")
    broker.create_topic(topic, 3)
    properties = {"bootstrap.servers": broker.bootstrap}
    with StateFile(tmp_path / "state.db") as state:

        def make() -> Sink:
            if request.param == "at-least-once":
                return AtLeastOnceSink(project_id, properties, state, "kafka", threading.Event())
            return TransactionalSink(
                project_id,
                properties,
                where="kafka",
                transaction_timeout_s=20,
                expected=False,
                started_s=time(),
                cancel=threading.Event(),
            )

        yield Subject(make, lambda: _kafka_read(broker, topic), topic, request.param == "exactly-once")


def _send(sink: Sink, topic: str, first: int, count: int) -> None:
    """Values v<first> … to partition number modulo 3; their keys would hash elsewhere."""
    for partition in range(3):
        numbers = [i for i in range(first, first + count) if i % 3 == partition]
        messages: list[OutgoingMessage] = [{"key": b"%d" % (i % 7), "value": b"v%d" % i} for i in numbers]
        sink.send(topic, partition, messages)


def _by_partition(messages: list[Message]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for partition, _, value in messages:
        found.setdefault(partition, []).append(value)
    return found


def test_commit_makes_messages_and_records_durable_in_order(subject: Subject) -> None:
    sink = subject.make()
    sink.open(take_over=False)
    for first in range(0, 3000, 500):
        _send(sink, subject.topic, first, 500)
    sink.commit((Record("position", b"1"), Record("table:x", b"2")))
    sink.close()
    assert _by_partition(subject.read()) == {p: [b"v%d" % i for i in range(p, 3000, 3)] for p in range(3)}
    again = subject.make()
    values = {key: value for key, value in again.open(take_over=False).items() if key != OWNER_KEY}
    again.close()
    assert values == {"position": b"1", "table:x": b"2"}


def test_a_record_without_value_removes_its_key(subject: Subject) -> None:
    sink = subject.make()
    sink.open(take_over=False)
    sink.commit((Record("position", b"1"), Record("table:x", b"2")))
    sink.commit((Record("position", b"3"), Record("table:x", None)))
    sink.close()
    again = subject.make()
    values = {key: value for key, value in again.open(take_over=False).items() if key != OWNER_KEY}
    again.close()
    assert values == {"position": b"3"}


def test_what_is_not_committed_is_never_seen(subject: Subject) -> None:
    if not subject.transactional:
        # At least once promises nothing here but the checkpoint, which the other tests show.
        sink = subject.make()
        sink.open(take_over=False)
        _send(sink, subject.topic, 0, 100)
        sink.close()
        assert len(subject.read()) <= 100
        return
    sink = subject.make()
    sink.open(take_over=False)
    _send(sink, subject.topic, 0, 100)
    sink.commit((Record("position", b"1"),))
    _send(sink, subject.topic, 100, 100)
    sink.close()
    again = subject.make()
    values = again.open(take_over=False)
    assert values["position"] == b"1"
    assert len(subject.read()) == 100
    _send(again, subject.topic, 200, 10)
    again.commit((Record("position", b"2"),))
    again.close()
    assert sorted(value for _, _, value in subject.read()) == sorted(
        b"v%d" % i for i in [*range(100), *range(200, 210)]
    )


@pytest.mark.parametrize("subject", ["exactly-once", "at-least-once"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value", "key", "cure"),
    [
        ("message.timestamp.before.max.ms", "0", b"k", "clock"),
        ("cleanup.policy", "compact", None, "set key under"),
    ],
)
def test_a_record_that_the_topic_refuses_says_what_to_do(
    subject: Subject, kafka: KafkaBroker, name: str, value: str, key: bytes | None, cure: str
) -> None:
    sink = subject.make()
    topic = f"{subject.topic}_refuses"
    kafka.create_topic(topic, 1, {name: value})
    sink.open(take_over=False)
    with pytest.raises(SinkRefused, match=cure) as refused:
        sink.send(topic, 0, [{"key": key, "value": b"v"}])
        sink.commit((Record("position", b"lost"),))
    assert not refused.value.retryable
    sink.close()
    assert consume_all(kafka.bootstrap, [topic]) == []


def test_a_newcomer_that_takes_over_ends_the_other(subject: Subject) -> None:
    if not subject.transactional:
        pytest.xfail("at least once has no fence: the local process lock keeps a second instance out")
    first, second = subject.make(), subject.make()
    first.open(take_over=False)
    _send(first, subject.topic, 0, 10)
    second.open(take_over=True)
    with pytest.raises(Fenced):
        first.commit((Record("position", b"stale"),))
    _send(second, subject.topic, 10, 10)
    second.commit((Record("position", b"new"),))
    first.close()
    second.close()
    assert sorted(value for _, _, value in subject.read()) == sorted(b"v%d" % i for i in range(10, 20))


def test_an_owner_that_lives_elsewhere_is_not_replaced(kafka: KafkaBroker) -> None:
    project_id, properties = new_project_id(), {"bootstrap.servers": kafka.bootstrap}
    from obsync_tui.engine.sinks.ownership import owner_record
    from obsync_tui.model.checkpoint import Owner

    def make() -> TransactionalSink:
        return TransactionalSink(
            project_id,
            properties,
            where="kafka",
            transaction_timeout_s=20,
            expected=False,
            started_s=time(),
            cancel=threading.Event(),
        )

    sink = make()
    sink.open(take_over=False)
    sink.commit((owner_record(Owner("another-host", 4711, time(), time())),))
    with pytest.raises(ProjectOwned, match=r"4711 on another-host"):
        make().open(take_over=False)
    sink.commit((owner_record(Owner("another-host", 4711, time(), time() - 31)),))
    late = make()
    late.open(take_over=False)
    late.close()
    sink.close()

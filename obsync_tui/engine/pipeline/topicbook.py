"""Topics of a project: made before the first message, their partition counts frozen at the first run."""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping

from obsync_tui.engine.connector.routes import TopicRoute
from obsync_tui.engine.errors import TopicUnfit
from obsync_tui.engine.pipeline.checkpoint import partitions_record
from obsync_tui.engine.sinks.kafka.topics import TopicFacts
from obsync_tui.engine.threads import RunToken
from obsync_tui.model.checkpoint import Record

Synchronize = Callable[[Iterable[str], Collection[str]], tuple[TopicFacts, ...]]


class TopicBook:
    """Knows every topic's route; safe for threads. `changes` gives the record of counts frozen since the last call."""

    def __init__(self, synchronize: Synchronize, frozen: Mapping[str, int], token: RunToken) -> None:
        self._synchronize = synchronize
        self._token = token
        self._frozen = dict(frozen)
        self._routes: dict[str, TopicRoute] = {}
        self._dirty = False
        self._lock = threading.Lock()
        self.warnings: list[str] = []

    def prepare(self, topics: Iterable[str]) -> None:
        """Make or check the topics, many at once. TopicUnfit when one cannot be used."""
        wanted = sorted(set(topics) - set(self._routes))
        if not wanted:
            return
        for facts in self._synchronize(wanted, tuple(self._frozen)):
            self._routes[facts.name] = self._route(facts)

    def resolve(self, topic: str) -> TopicRoute:
        """A topic's route, made now when it is not known."""
        with self._lock:
            if topic not in self._routes:
                with self._token.waiting():
                    self.prepare((topic,))
            return self._routes[topic]

    def changes(self) -> tuple[Record, ...]:
        """The record of frozen counts when there are further ones."""
        with self._lock:
            if not self._dirty:
                return ()
            self._dirty = False
            return (partitions_record(self._frozen),)

    def _route(self, facts: TopicFacts) -> TopicRoute:
        frozen = self._frozen.get(facts.name)
        if frozen is None:
            self._frozen[facts.name] = facts.partitions
            self._dirty = True
            return TopicRoute(facts.name, facts.partitions, facts.max_message_bytes)
        if facts.partitions < frozen:
            raise TopicUnfit(
                f"the topic has {facts.partitions} partitions, but the project started with {frozen}",
                where=f"topic {facts.name}",
                cure="It was deleted and made anew. Give it its partitions back, or reset the project.",
            )
        if facts.partitions > frozen:
            self.warnings.append(
                f"topic {facts.name} has grown to {facts.partitions} partitions; the project goes on with {frozen}, "
                f"so that every key keeps its partition"
            )
        return TopicRoute(facts.name, frozen, facts.max_message_bytes)

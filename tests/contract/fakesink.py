"""A Sink in memory, for tests of what feeds sinks."""

from collections.abc import Mapping

from obsync_tui.engine.errors import Fenced, ProjectOwned, TransactionAborted
from obsync_tui.model.checkpoint import OWNER_KEY, Record
from obsync_tui.model.message import OutgoingMessage

Stored = tuple[int, bytes | None, bytes]


class FakeCluster:
    """What is durable: messages by topic and the checkpoint, and which sink may write."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Stored]] = {}
        self.checkpoint: dict[str, bytes] = {}
        self.owner: FakeSink | None = None


class FakeSink:
    """Exactly once on a FakeCluster; `fail_commits` makes the next commits abort, `hold` keeps the owner alive."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.fail_commits = 0
        self.commits: list[int] = []
        self._pending: list[tuple[str, Stored]] = []

    def open(self, take_over: bool) -> Mapping[str, bytes]:
        if self.cluster.owner is not None and not take_over:
            raise ProjectOwned("another sink has it")
        self.cluster.owner = self
        values = dict(self.cluster.checkpoint)
        self.cluster.checkpoint[OWNER_KEY] = b"{}"
        return values

    def send(self, topic: str, partition: int, messages: list[OutgoingMessage]) -> None:
        self._pending += [(topic, (partition, m["key"], m["value"])) for m in messages]

    def commit(self, records: tuple[Record, ...]) -> None:
        if self.cluster.owner is not self:
            raise Fenced("another sink took over")
        if self.fail_commits:
            self.fail_commits -= 1
            self._pending.clear()
            raise TransactionAborted("asked to abort")
        for topic, stored in self._pending:
            self.cluster.topics.setdefault(topic, []).append(stored)
        self.commits.append(len(self._pending))
        self._pending.clear()
        for record in records:
            if record.value is None:
                self.cluster.checkpoint.pop(record.key, None)
            else:
                self.cluster.checkpoint[record.key] = record.value

    def close(self) -> None:
        self._pending.clear()
        if self.cluster.owner is self:
            self.cluster.owner = None

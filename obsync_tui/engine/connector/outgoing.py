"""What leaves the Connector: messages by topic, and the checkpoint that covers them."""

from dataclasses import dataclass, field

from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.message import Lanes
from obsync_tui.model.position import LogPosition


@dataclass(slots=True)
class Outgoing:
    """One batch's messages; the feeder owns it once it is handed over.

    `position` is where the log stands behind these messages, None for rows of Full-Import, which carry `chunk`.
    `whole` tells that a source transaction ends here, `more` that further changes were already waiting.
    `largest_bytes` is the largest value's size. `rows` counts source row changes, `log_bytes` what was read for them,
    `read_us` when. `slow` tells that a rate limit holds back what follows, so that nothing should wait for it.
    `number` is its place in the trace, 0 outside of it; `void` that its rows were not sent.
    """

    messages: dict[str, Lanes] = field(default_factory=dict)
    count: int = 0
    size_bytes: int = 0
    largest_bytes: int = 0
    rows: int = 0
    log_bytes: int = 0
    read_us: int = 0
    newest_commit_us: int = 0
    records: list[Record] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    position: LogPosition | None = None
    chunk: ChunkBatch | None = None
    whole: bool = True
    more: bool = False
    slow: bool = False
    number: int = 0
    void: bool = False

    def lanes(self, topic: str, partitions: int) -> Lanes:
        """The topic's lanes, made at first use."""
        found = self.messages.get(topic)
        if found is None:
            found = self.messages[topic] = [[] for _ in range(partitions)]
        return found

"""The Sink seam: where messages and checkpoint records become durable."""

from collections.abc import Mapping
from typing import Protocol

from obsync_tui.model.checkpoint import Record
from obsync_tui.model.message import OutgoingMessage


class Sink(Protocol):
    """A destination. All methods are called by one thread, `close` by any.

    What is sent between two commits, and the records of the second, become visible together (exactly once), or in
    the order messages, then records (at least once). Messages of one partition keep their order.
    """

    def open(self, take_over: bool) -> Mapping[str, bytes]:
        """Become the only writer and read the checkpoint back: values by key.

        Raises ProjectOwned, Fenced, SinkUnreachable, SinkRefused, CheckpointLost.
        """
        ...

    def send(self, topic: str, partition: int, messages: list[OutgoingMessage]) -> None:
        """Hand messages of one partition over, in order."""
        ...

    def commit(self, records: tuple[Record, ...]) -> None:
        """Make everything sent so far and the records durable.

        Raises TransactionAborted or SinkUnreachable (all is to be done again), Fenced, SinkRefused, TopicUnfit.
        """
        ...

    def close(self) -> None:
        """Abort what is not committed and let go; never raises."""
        ...

"""Feeds the sink and decides when to commit.

A transaction is closed at the first source transaction's end at which 10,000 messages, 4 MB or 100 ms is reached, or
at once when nothing more is waiting; inside a source transaction only by size, or before a rate limit's wait.
"""

import threading
from collections.abc import Callable
from time import monotonic

from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.errors import TransactionAborted
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.checkpoint import position_record
from obsync_tui.engine.pipeline.queue import BoundedQueue
from obsync_tui.engine.sinks.ownership import REWRITE_S, owner_record, this_process
from obsync_tui.engine.sinks.sink import Sink
from obsync_tui.engine.threads import RunToken
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.position import LogPosition

MESSAGES = 10_000
SIZE_BYTES = 4_000_000
OPEN_S = 0.1
QUIET_S = 5.0
_WAIT_S = 0.05

Notice = Callable[[str], None]


class Feeder:
    """The sink's thread. `commit_now` and `run` are called by one thread at a time.

    `committed` is told the position, and the highest number of a batch, that are durable.
    """

    def __init__(
        self,
        sink: Sink,
        queue: BoundedQueue[Outgoing],
        meter: Meter,
        notice: Notice,
        *,
        transaction_timeout_s: int,
        started_s: float,
        token: RunToken,
        extra: Callable[[], tuple[Record, ...]],
        committed: Callable[[LogPosition | None, int], None],
    ) -> None:
        self._sink = sink
        self._queue = queue
        self._meter = meter
        self._notice = notice
        self._oldest_s = transaction_timeout_s / 2
        self._started_s = started_s
        self._token = token
        self._extra = extra
        self._committed = committed
        self.progress: FullProgress | None = None
        self._records: dict[str, Record] = {}
        self._position: LogPosition | None = None
        self._committed_position: LogPosition | None = None
        self._count = self._size_bytes = self._rows = self._read_bytes = 0
        self._newest_us = self._number = 0
        self._whole = True
        self._opened_s = 0.0
        self._committed_s = self._owner_s = monotonic()

    def add(self, records: tuple[Record, ...]) -> None:
        """Records for the next commit."""
        for record in records:
            self._records[record.key] = record

    def start_at(self, position: LogPosition, records: tuple[Record, ...]) -> None:
        """Commit the stream's first position, with records that go with it."""
        self._position = position
        self.add(records)
        self.commit_now()

    def run(self, stopping: threading.Event, drained: Callable[[], bool]) -> None:
        """Feed until stopped, then commit what ends with a transaction; or until `drained` when nothing waits.

        Who sets `stopping` closes the queue as well: a feeder without anything to do sleeps until it is due.
        """
        while not stopping.is_set():
            soon = self._count or self.progress is not None or drained()
            out = self._queue.get(_WAIT_S if soon else self._idle_s())
            if out is not None:
                self._take(out)
            elif drained():
                break
            self._decide(
                nothing_waits=out is None or (not out.more and self._queue.empty()),
                slow=out is not None and out.slow,
            )
        if self._whole and (self._count or self._records):
            self.commit_now()

    def _idle_s(self) -> float:
        """How long nothing is due while nothing comes."""
        if not self._whole or self._records:
            return _WAIT_S
        return max(_WAIT_S, self._due_s() - (monotonic() - self._committed_s))

    def _take(self, out: Outgoing) -> None:
        if out.chunk is not None:
            progress = self.progress
            if progress is None or not progress.current(out.chunk):
                out.void = True
                return
            self.add(progress.advance(out.chunk))
        else:
            self._position = out.position
            self._whole = out.whole
            self.add(tuple(out.records))
        self._number = out.number or self._number
        if not self._count and out.count:
            self._opened_s = monotonic()
        with self._token.batch(out.size_bytes):
            for topic, lanes in out.messages.items():
                for partition, messages in enumerate(lanes):
                    if messages:
                        self._sink.send(topic, partition, messages)
        self._count += out.count
        self._size_bytes += out.size_bytes
        self._rows += out.rows
        self._read_bytes += out.log_bytes
        self._newest_us = max(self._newest_us, out.newest_commit_us)
        for text in out.notices:
            self._notice(text)

    def _decide(self, nothing_waits: bool, slow: bool) -> None:
        now = monotonic()
        full = self._count >= MESSAGES or self._size_bytes >= SIZE_BYTES or slow
        due = self._whole and (nothing_waits or now - self._opened_s >= OPEN_S)
        if self._count and (full or due):
            self.commit_now()
        elif self._count and now - self._opened_s > self._oldest_s:
            raise TransactionAborted(
                f"a transaction was open for {now - self._opened_s:.0f} s without its source transaction's end",
                where="destination",
            )
        elif not self._count and self._whole and (self._records or now - self._committed_s >= self._due_s()):
            self.commit_now()

    def _due_s(self) -> float:
        """How long a checkpoint without messages may wait: a position that moved is what the source may purge by."""
        return QUIET_S if self._position != self._committed_position else REWRITE_S

    def commit_now(self) -> None:
        """Commit everything sent, with the position and all records that wait."""
        records = [*self._extra(), *self._records.values()]
        if self._position is not None:
            records.append(position_record(self._position))
        now = monotonic()
        if now - self._owner_s >= REWRITE_S:
            records.append(owner_record(this_process(self._started_s)))
            self._owner_s = now
        self._sink.commit(tuple(records))
        self._meter.wrote(monotonic() - now)
        if self.progress is not None:
            self.progress.committed()
        self._meter.acknowledged(self._rows, self._read_bytes, self._count, self._newest_us)
        self._committed(self._position, self._number)
        self._committed_position = self._position
        self._records.clear()
        self._count = self._size_bytes = self._rows = self._read_bytes = 0
        self._newest_us = 0
        self._committed_s = monotonic()

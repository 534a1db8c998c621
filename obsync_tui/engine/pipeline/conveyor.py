"""The threads of one attempt: source, Connector, sink, and the first error among them."""

import threading
from collections.abc import Callable, Iterator

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.errors import Stopped
from obsync_tui.engine.full.limits import Limits
from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.feeder import OPEN_S, Feeder
from obsync_tui.engine.pipeline.queue import BoundedQueue
from obsync_tui.engine.store.store import LogBatch
from obsync_tui.engine.threads import Lent, ThreadPool

SOURCE_BYTES = 8 << 20
MESSAGE_BYTES = 16 << 20
_BATCHES = 64
_LIMITED_S = 0.2


class Conveyor:
    """Batches from a source through the Connector to the feeder, each on its own thread.

    `stop` ends all threads at once; the error that came first is raised by `finish`. `source_waits` and
    `connector_waits` say what keeps a thread from going on; `pulled` is the log's position that was read last.
    """

    def __init__(self, meter: Meter, threads: ThreadPool, name: str, limits: Limits | None = None) -> None:
        self._meter = meter
        self._pool = threads
        self._name = name
        self._limits = limits
        self.input: BoundedQueue[LogBatch | ChunkBatch] = BoundedQueue(_BATCHES, SOURCE_BYTES)
        self.messages: BoundedQueue[Outgoing] = BoundedQueue(_BATCHES, MESSAGE_BYTES)
        self.stopping = threading.Event()
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._threads: list[Lent] = []
        self.source_waits = self.connector_waits = self.pulled = ""

    def offer(self, batch: ChunkBatch, timeout_s: float) -> bool:
        """Take a batch of Full-Import; False when the queue stayed full."""
        return self.input.put(batch, batch.size_bytes, timeout_s)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run something on a thread; its error stops everything."""

        def guarded() -> None:
            try:
                work()
            except Stopped:
                self.stop()
            except BaseException as error:
                if self._error is None:
                    self._error = error
                self.stop()

        self._threads.append(self._pool.lend(f"{self._name}.{name}", guarded))

    def pull(self, batches: Iterator[LogBatch]) -> None:
        """The Store's thread: what it yields goes into the queue."""
        for batch in batches:
            if not self.input.put(batch, batch.size_bytes, 0):
                self.source_waits = "connector is busy"
                if not self.input.put(batch, batch.size_bytes):
                    return
                self.source_waits = ""
            self.pulled = batch.executed
            if self.stopping.is_set():
                return

    def connect(self, connector: Connector, passed: Callable[[Outgoing], None]) -> None:
        """The Connector's thread; `passed` is told of each batch of changes before it goes on."""
        while not self.stopping.is_set():
            batch = self.input.get()
            if batch is None:
                continue
            with self._pool.token.batch(batch.size_bytes):
                if isinstance(batch, ChunkBatch):
                    out = connector.chunk(batch)
                else:
                    out = connector.changes(batch)
                    passed(out)
            self._meter.read(out.rows, out.log_bytes, out.newest_commit_us)
            self._meter.drained = not out.more and self.input.empty() and out.position is not None
            if self._limits is not None:
                self._limits.spend(out.rows, out.log_bytes)
                out.slow = self._limits.delay_s() > OPEN_S
            if not self._hand_on(out):
                return
            self.input.done()
            if self._limits is not None:
                self._slow_down(self._limits)

    def _hand_on(self, out: Outgoing) -> bool:
        """Whether the sink's queue took it."""
        size_bytes = out.size_bytes + 512 * out.count
        if self.messages.put(out, size_bytes, 0):
            return True
        self.connector_waits = "destination is busy"
        taken = self.messages.put(out, size_bytes)
        self.connector_waits = ""
        return taken

    def _slow_down(self, limits: Limits) -> None:
        """Wait as the limits say, which may change meanwhile."""
        while (delay_s := limits.delay_s()) > 0 and not self.stopping.is_set():
            self.connector_waits = "rate limit"
            self.stopping.wait(min(delay_s, _LIMITED_S))
        self.connector_waits = ""

    def feed(self, feeder: Feeder, drained: Callable[[], bool]) -> None:
        """The sink's thread: until stopped, or until `drained` and nothing is under way."""
        feeder.run(self.stopping, lambda: drained() and self.input.all_done and self.messages.empty())
        self._over.set()

    def gauge(self) -> None:
        """Tell the meter how full the queues are."""
        self._meter.log_fill, self._meter.message_fill = self.input.fill, self.messages.fill

    def stop(self) -> None:
        """End every thread; what is not committed is dropped."""
        self.stopping.set()
        self.input.close()
        self.messages.close()
        self._over.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait a little until the sink's thread has done its part, or something failed; True when it is so."""
        return self._over.wait(timeout_s)

    def finish(self, timeout_s: float) -> None:
        """Stop, wait for the threads that end in time, and raise the first error."""
        self.stop()
        self._pool.collect(self._threads, timeout_s)
        if self._error is not None:
            raise self._error

"""The threads of one attempt: source, Connector, sink, and the first error among them."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.errors import Stopped
from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.feeder import Feeder
from obsync_tui.engine.pipeline.queue import BoundedQueue
from obsync_tui.engine.store.store import LogBatch

SOURCE_BYTES = 8 << 20
MESSAGE_BYTES = 16 << 20
_BATCHES = 64
_WAIT_S = 0.1


class Conveyor:
    """Batches from a source through the Connector to the feeder, each on its own thread.

    `stop` ends all threads at once; the error that came first is raised by `finish`.
    """

    def __init__(self, meter: Meter, messages: BoundedQueue[Outgoing]) -> None:
        self._meter = meter
        self._messages = messages
        self.input: BoundedQueue[LogBatch | ChunkBatch] = BoundedQueue(_BATCHES, SOURCE_BYTES)
        self.stopping = threading.Event()
        self._done = threading.Event()
        self._error: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._connecting = False

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

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def pull(self, batches: Iterator[LogBatch]) -> None:
        """The Store's thread: what it yields goes into the queue."""
        for batch in batches:
            if not self.input.put(batch, batch.size_bytes) or self.stopping.is_set():
                return

    def connect(self, connector: Connector, passed: Callable[[Outgoing], None]) -> None:
        """The Connector's thread; `passed` is told of each batch of changes before it goes on."""
        while not self.stopping.is_set():
            batch = self.input.get(_WAIT_S)
            if batch is None:
                self._connecting = False
                continue
            self._connecting = True
            if isinstance(batch, ChunkBatch):
                out = connector.chunk(batch)
            else:
                out = connector.changes(batch)
                passed(out)
            self._meter.read(out.rows, out.log_bytes, out.newest_commit_us)
            self._meter.caught_up = not out.more and self.input.empty() and out.position is not None
            if not self._messages.put(out, out.size_bytes + 512 * out.count):
                return

    def feed(self, feeder: Feeder, drained: Callable[[], bool]) -> None:
        """The sink's thread: until stopped, or until `drained` and nothing is under way."""
        feeder.run(self.stopping, lambda: drained() and self._quiet())
        self._done.set()

    def _quiet(self) -> bool:
        return self.input.empty() and not self._connecting and self._messages.empty()

    def gauge(self) -> None:
        """Tell the meter how full the queues are."""
        self._meter.log_fill, self._meter.message_fill = self.input.fill, self._messages.fill

    def stop(self) -> None:
        """End every thread; what is not committed is dropped."""
        self.stopping.set()
        self.input.close()

    @property
    def ended(self) -> bool:
        """Whether the sink's thread has done its part, or something failed."""
        return self._done.is_set() or self.stopping.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end a little; True when it is there."""
        deadline = monotonic() + timeout_s
        while not self.ended and monotonic() < deadline:
            self.stopping.wait(min(0.05, timeout_s))
        return self.ended

    def finish(self, timeout_s: float) -> None:
        """Stop, join the threads that end in time, and raise the first error."""
        self.stop()
        deadline = monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        self._messages.close()
        if self._error is not None:
            raise self._error

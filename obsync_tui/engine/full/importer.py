"""Full-Import: one thread for each connection of a snapshot reads segments and hands on batches."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial

import msgspec

from obsync_tui.engine.errors import SchemaChanged, SnapshotLost, SourceUnreachable
from obsync_tui.engine.full.keys import chunk_key
from obsync_tui.engine.full.limits import Limits
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.full.ranges import Task
from obsync_tui.engine.full.reader import ChunkBatch, ChunkReader, ChunkRequest, Piece, Snapshot, Snapshots
from obsync_tui.engine.store.store import TextShape
from obsync_tui.engine.threads import Lent, ThreadPool
from obsync_tui.model.metrics import FullStatus
from obsync_tui.model.project import Full
from obsync_tui.model.table import TableName, TableVersion

_WAIT_S = 0.2
_PING_S = 30.0
_WATCH_S = 10.0
_RATE_S = 10.0
_CLOSE_S = 1.0

Offer = Callable[[ChunkBatch, float], bool]
"""Puts a batch into the pipeline's bounded queue; False when it stayed full for so many seconds."""


class FullImport:
    """Reads every table of a snapshot to its end, and again what an aborted transaction lost.

    `open`, `start`, then `check` every second or so until `progress.done`, then `close`. The sink's thread owns
    `progress`: for every batch it takes from the queue, empty ones too, `current`, then `advance`; after a commit
    `committed`, after an abort `rewind`. After SnapshotLost another FullImport goes on from the checkpoint's records.
    While `paused` answers True, readers hand on what they have and wait, with nothing open but their connections.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        settings: Full,
        progress: FullProgress,
        offer: Offer,
        paused: Callable[[], bool] = lambda: False,
        threads: ThreadPool | None = None,
        name: str = "full",
    ) -> None:
        self.progress = progress
        self._paused = paused
        self.waits_for = ""
        self.limits = Limits(settings.rows_per_s, settings.bytes_per_s)
        self._snapshots = snapshots
        self._range_rows = settings.range_rows
        self._offer = offer
        self._snapshot: Snapshot | None = None
        self._stopping = threading.Event()
        self._pool = threads or ThreadPool()
        self._name = name
        self._threads: list[Lent] = []
        self._lock = threading.Lock()
        self._living = 0
        self._error: BaseException | None = None
        self._losses: list[str] = []
        self._log_warning = self._cut_warning = ""
        self.log_left_s: float | None = None
        self._rates: deque[tuple[float, int]] = deque()
        self._left_s: float | None = None

    def open(
        self, known: Mapping[TableName, TableVersion] | None = None, after_cut: int = 0
    ) -> tuple[TableVersion, ...]:
        """Take a cut for everything uncommitted and answer the tables' shapes at it.

        `known` are the shapes restored from the checkpoint. Cuts up to the id `after_cut` are not gone on with. Raises
        as `Snapshots.open` does.
        """
        progress = self.progress
        last = progress.last_cut if progress.last_cut_id > after_cut else None
        snapshot = self._snapshot = self._snapshots.open(progress.next_cut_id, last)
        self.progress.begin(snapshot.cut, snapshot.tables, snapshot.estimates, known or {})
        return snapshot.tables

    def start(self) -> None:
        """Begin to read."""
        snapshot = self._opened()
        self._living = len(snapshot.readers)
        self._rates.clear()
        self._threads = [
            self._pool.lend(f"{self._name}-{i}", partial(self._run_reader, reader))
            for i, reader in enumerate(snapshot.readers)
        ]
        self._threads.append(self._pool.lend(f"{self._name}-watch", self._watch))

    def check(self) -> None:
        """Raise what ended the reading.

        SnapshotLost when no connection is left and something is unread, LogGap when the log after the oldest cut is
        gone, SchemaChanged when all tables but those that changed are committed, and whatever a reader died of.
        """
        if self._error:
            raise self._error
        if self._threads and self._living == 0 and self.progress.unread:
            raise SnapshotLost(
                f"all snapshot connections are lost ({'; '.join(self._losses)})",
                where="full synchronization",
                cure="What is unread is read under another cut.",
            )
        failure = self.progress.failure()
        if failure:
            raise failure

    def adjust(self, settings: Full) -> None:
        """Rate limits and the size of ranges from now on."""
        self.limits.adjust(settings.rows_per_s, settings.bytes_per_s)
        self._range_rows = settings.range_rows

    @property
    def alive(self) -> bool:
        """Whether a connection of the snapshot still reads."""
        return self._living > 0 and self._error is None and not self._stopping.is_set()

    def rewind(self) -> None:
        """Read again what is not committed; batches delivered before are void (`progress.current`)."""
        self.progress.rewind()

    def status(self) -> FullStatus:
        """Progress with rate over ten seconds and time left."""
        status = self.progress.status()
        now_s = time.monotonic()
        self._rates.append((now_s, status.rows))
        while self._rates[0][0] < now_s - _RATE_S:
            self._rates.popleft()
        since_s, since_rows = self._rates[0]
        rate = max(status.rows - since_rows, 0) / (now_s - since_s) if now_s > since_s else 0.0
        left = max(status.rows_estimated - status.rows, 0)
        self._left_s = left / rate if rate else None
        return msgspec.structs.replace(status, rows_per_s=rate, left_s=self._left_s)

    def warnings(self) -> tuple[str, ...]:
        """What the user should know now."""
        texts = [*self.progress.warnings, *(str(error) for error in self.progress.failed())]
        if self._losses:
            texts.append(f"Snapshot connections are lost, the others go on: {'; '.join(self._losses)}")
        texts += filter(None, (self._log_warning, self._cut_warning))
        return tuple(texts)

    def close(self) -> None:
        """Stop for good within a second and let go of the snapshot; from any thread but the readers'."""
        self._stopping.set()
        self._snapshots.stop()
        self.progress.wake()
        if self._snapshot:
            self._snapshot.interrupt()
        self._pool.collect(self._threads, _CLOSE_S)
        self._threads = []
        if self._snapshot:
            self._snapshot.close()

    def _opened(self) -> Snapshot:
        if self._snapshot is None:
            raise RuntimeError("open before start")
        return self._snapshot

    def _run_reader(self, reader: ChunkReader) -> None:
        try:
            self._work(reader)
        except SourceUnreachable as error:
            if not self._stopping.is_set():
                self._losses.append(error.what)
        except Exception as error:
            self._error = self._error or error
        finally:
            reader.close()
            with self._lock:
                self._living -= 1

    def _work(self, reader: ChunkReader) -> None:
        used_s = time.monotonic()
        while not self._stopping.is_set():
            taken = None if self._paused() else self.progress.take(_WAIT_S)
            if taken is None:
                if self._paused():
                    self._stopping.wait(_WAIT_S)
                if time.monotonic() - used_s > _PING_S:
                    reader.ping()
                    used_s = time.monotonic()
                continue
            table, task = taken
            try:
                self._read(reader, table, task)
            except SchemaChanged as error:
                self.progress.fail(table.name, error)
            finally:
                self.progress.give_back(table.name, task.segment_id)
            used_s = time.monotonic()

    def _read(self, reader: ChunkReader, table: TableVersion, task: Task) -> None:
        request = ChunkRequest(table, chunk_key(table), task.after, task.upto, task.skip_rows)
        if request.key and not task.measured:
            at = reader.split_point(request, self._range_rows)
            if at is not None:
                if not self.progress.split(table.name, task.segment_id, at):
                    return
                request = replace(request, upto=at)
        with closing(reader.read(request, self.limits.batch_bytes())) as pieces:
            for piece in pieces:
                if not self._hand_on(table, task, piece) or not self._spend(table, task, piece):
                    return

    def _hand_on(self, table: TableVersion, task: Task, piece: Piece) -> bool:
        """Whether to read on."""
        segment_id, rows = task.segment_id, len(piece.bodies)
        if not piece.finished and not rows:
            return self._goes_on(table, segment_id)
        if not self.progress.deliver(table.name, segment_id, piece.last_key, rows, piece.finished):
            return False
        shape = TextShape(len(table.columns))
        batch = ChunkBatch(
            table,
            segment_id,
            task.cut,
            shape,
            piece.bodies,
            piece.last_key,
            piece.finished,
            rows,
            piece.size_bytes,
        )
        while not self._offer(batch, _WAIT_S):
            self.waits_for = "connector is busy"
            if not self._goes_on(table, segment_id):
                return False
        self.waits_for = ""
        return True

    def _spend(self, table: TableVersion, task: Task, piece: Piece) -> bool:
        """Count what was handed on, and wait as the limits say; whether to read on."""
        self.limits.spend(len(piece.bodies), piece.size_bytes)
        while (delay_s := self.limits.delay_s()) > 0 and not self._paused():
            self.waits_for = "rate limit"
            if not self._goes_on(table, task.segment_id):
                return False
            self._stopping.wait(min(delay_s, _WAIT_S))
        self.waits_for = ""
        return not self._paused()

    def _goes_on(self, table: TableVersion, segment_id: int) -> bool:
        return not self._stopping.is_set() and self.progress.knows(table.name, segment_id)

    def _watch(self) -> None:
        """Ask now and then whether the log after the oldest cut is still there, and the cut long enough."""
        while not self._stopping.wait(_WATCH_S):
            cut = self.progress.oldest_cut()
            if cut is None:
                continue
            try:
                left = self._opened().log_left(cut)
                left_s = self._left_s
                self._cut_warning = self._opened().outlasts(left_s) if left_s is not None else ""
            except SourceUnreachable as error:
                self._log_warning = f"The source's log retention cannot be watched: {error}"
            except Exception as error:
                self._error = self._error or error
                return
            else:
                self._log_warning, self.log_left_s = left.warning, left.left_s

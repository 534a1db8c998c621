"""One attempt of a project: open the sink, read the checkpoint back, go on from there."""

import threading
from collections.abc import Callable

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.routes import Routes
from obsync_tui.engine.connector.toolarge import Oversize
from obsync_tui.engine.errors import SourceUnfit, Stopped
from obsync_tui.engine.formats.registry import FORMATS
from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.limits import Limits
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.history.journal import Journal
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.checkpoint import Checkpoint, decode_checkpoint, resync_record
from obsync_tui.engine.pipeline.conveyor import Conveyor
from obsync_tui.engine.pipeline.feeder import Feeder
from obsync_tui.engine.pipeline.gates import STREAM, Gates
from obsync_tui.engine.pipeline.parts import Parts
from obsync_tui.engine.pipeline.queue import BoundedQueue
from obsync_tui.engine.pipeline.rerun import Rerun, commit_rerun, sent_again
from obsync_tui.engine.pipeline.scope import follow_scope
from obsync_tui.engine.pipeline.topicbook import TopicBook
from obsync_tui.engine.sinks.ownership import REWRITE_S, owner_record, this_process
from obsync_tui.engine.sinks.sink import Sink
from obsync_tui.engine.store.versions import schema_record
from obsync_tui.model.component import Component
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Component as LogOf
from obsync_tui.model.metrics import FullStatus, Phase
from obsync_tui.model.objectchange import ChangeState
from obsync_tui.model.objects import Scope, topic_for
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import Project, Step
from obsync_tui.model.table import TableName, TableVersion

_TICK_S = 0.5
_STREAM_TICK_S = 1.0
_FINISH_S = 4.0
_POSITION_LENGTH = 400


class Attempt:
    """Runs the steps that the checkpoint leaves to do. `run` raises EngineError, or Stopped when it was asked to end.

    A step whose components are paused is waited for at its gate, with nothing open but the sink. `watch` raises what
    was seen of the source meanwhile, and gives tables in scope beyond those that it is told. `working` tells that the
    threads of `step` run, `full_done` that the stream has its start, `change` how far tables are that came into scope;
    these, `phase`, `full` and `warnings` are for the status; `progressed` tells whether anything was committed.
    """

    def __init__(
        self,
        project: Project,
        parts: Parts,
        meter: Meter,
        journal: Journal,
        watch: Callable[[frozenset[TableName]], frozenset[TableName]],
        gates: Gates,
        limits: Limits,
    ) -> None:
        self._project = project
        self._parts = parts
        self._meter = meter
        self._journal = journal
        self._watch = watch
        self._gates = gates
        self._limits = limits
        self._ending = threading.Event()
        self.conveyor: Conveyor | None = None
        self._book: TopicBook | None = None
        self._full_warnings: tuple[str, ...] = ()
        self.phase = Phase.STARTING
        self.step: Step | None = None
        self.full = FullStatus()
        self.start: LogPosition | None = None
        self.tables: frozenset[TableName] = frozenset()
        self.progress = FullProgress()
        self.position = ""
        self.working = self.full_done = False
        self.change = ChangeState.MODIFYING
        self.progressed = False

    def follow(self, before: "Attempt") -> None:
        """Look like the attempt that was ended for this one, until this one is as far."""
        self.phase, self.step, self.full, self.start = before.phase, before.step, before.full, before.start
        self.full_done, self.position, self.tables = before.full_done, before.position, before.tables
        self.progress = before.progress

    def end(self) -> None:
        """End at a checkpoint, from any thread."""
        self._ending.set()
        self._gates.wake()
        if self.conveyor is not None:
            self.conveyor.stop()

    @property
    def scope(self) -> Scope:
        """The rules that it follows tables by."""
        return Scope.of(self._project.objects)

    @property
    def ending(self) -> bool:
        """Whether it was asked to end."""
        return self._ending.is_set()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know now."""
        return (*self._full_warnings, *(self._book.warnings if self._book else ()))

    def run(
        self, take_over: bool, rerun: Rerun | None, opened: Callable[[], None], rerun_kept: Callable[[], None]
    ) -> None:
        """Everything from the checkpoint on; returns when a project without incremental step is complete.

        `opened` is called when this process has become the only writer, `rerun_kept` when the rerun is durable.
        """
        self._parts.trace.begin(self._project)
        sink = self._parts.sink()
        try:
            checkpoint = decode_checkpoint(sink.open(take_over))
            opened()
            self._check_ending()  # The answer may have come long after a stop: nothing is to be written any more.
            self._journal.line(LogOf.CONNECTOR, f"the destination is open; {_progress(checkpoint)}")
            if rerun is not None:
                checkpoint = self._keep_rerun(rerun, sink, checkpoint)
                rerun_kept()
            checkpoint = self._follow_scope(sink, checkpoint)
            self.change = ChangeState.RUNNING
            self.tables = frozenset(table.name for table in checkpoint.schemas)
            self.position = checkpoint.position.executed if checkpoint.position else ""
            if _full_is_due(self._project, checkpoint):
                self._gate(sink, Phase.FULL, Step.FULL, (Component.FULL_IMPORT,))
            else:
                self.full_done = True
                if Step.INCREMENTAL in self._project.steps:
                    self._gate(sink, Phase.INCREMENTAL, Step.INCREMENTAL, STREAM)
            self._parts.opened(checkpoint, sink.commit)
            self._steps(sink, checkpoint)
        finally:
            self.working = self._meter.drained = False
            sink.close()

    def _keep_rerun(self, rerun: Rerun, sink: Sink, checkpoint: Checkpoint) -> Checkpoint:
        self._parts.end_full()
        before = checkpoint.position
        checkpoint, tables = commit_rerun(rerun, self._parts.source, checkpoint, sink.commit)
        texts = [f"{table} is read again" for table in tables]
        if tables and before is not None:
            texts += filter(None, (sent_again(before),))
        for text in texts:
            self._journal.event(LogOf.FULL_IMPORT, EventKind.RUN, text)
        return checkpoint

    def _follow_scope(self, sink: Sink, checkpoint: Checkpoint) -> Checkpoint:
        checkpoint, texts = follow_scope(self._project, self._parts.source, checkpoint, sink.commit)
        for text in texts:
            self._journal.event(LogOf.PROJECT, EventKind.RUN, text)
        return checkpoint

    def _gate(self, sink: Sink, phase: Phase, step: Step, components: tuple[Component, ...]) -> None:
        """Wait while one of the step's components is paused; the project stays owned."""
        while self._gates.closed(components) and not self.ending:
            self.phase, self.step = phase, step
            if not self._gates.wait(components, self._ending.is_set, REWRITE_S):
                sink.commit((owner_record(this_process(self._parts.started_s)),))
        self._check_ending()

    def _steps(self, sink: Sink, checkpoint: Checkpoint) -> None:
        self.phase, self.step = Phase.SCHEMA, Step.SCHEMA
        book = self._book = TopicBook(
            self._parts.synchronize_topics, checkpoint.partitions, self._parts.threads.token
        )
        if checkpoint.schemas:
            self._prepare(book, checkpoint.schemas)
        position, schemas = checkpoint.position, checkpoint.schemas
        progress = FullProgress(checkpoint.records)
        if _full_is_due(self._project, checkpoint):
            position, schemas, progress = self._full(sink, checkpoint, book, progress)
        elif position is None:
            position, schemas = self._start_point(sink, checkpoint, book)
        self.full_done = True
        if Step.INCREMENTAL not in self._project.steps or self.ending:
            return
        self.phase, self.step = Phase.INCREMENTAL, Step.INCREMENTAL
        self._stream_gate(sink)
        cut_filter = self._parts.cut_filter(progress, schemas, position)
        self._incremental(sink, position, schemas, book, progress, cut_filter)

    def _stream_gate(self, sink: Sink) -> None:
        """Pass the stream's gate. A component that is paused from here on ends the attempt, see `pausing`."""
        while True:
            self._gate(sink, Phase.INCREMENTAL, Step.INCREMENTAL, STREAM)
            self.working = True
            if not self._gates.closed(STREAM):
                return
            self.working = False

    def pausing(self, component: Component) -> None:
        """A gate was closed, from any thread: the stream ends, and the next attempt waits at it."""
        if component in STREAM and self.step is Step.INCREMENTAL and self.working:
            self.end()

    def _prepare(self, book: TopicBook, schemas: tuple[TableVersion, ...]) -> None:
        if not schemas:
            raise SourceUnfit(
                "no table matches the project's objects",
                where=f"project {self._project.name}",
                cure="Correct include and exclude under [objects], or grant SELECT on the tables.",
            )
        topics = {topic_for(self._project, table.name) for table in schemas}
        if self._parts.dead_letter_topic:
            topics.add(self._parts.dead_letter_topic)
        book.prepare(topics)

    def _feeder(self, sink: Sink, queue: BoundedQueue[Outgoing], book: TopicBook) -> Feeder:
        return Feeder(
            sink,
            queue,
            self._meter,
            lambda text: self._journal.event(LogOf.CONNECTOR, EventKind.RUN, text),
            transaction_timeout_s=self._project.delivery.transaction_timeout_s,
            started_s=self._parts.started_s,
            token=self._parts.threads.token,
            extra=book.changes,
            committed=self._on_commit,
        )

    def _on_commit(self, position: LogPosition | None, number: int) -> None:
        self.progressed = True
        self._parts.trace.committed(number)
        if position is not None:
            self.position = position.executed
        self._parts.committed(position)

    def _connector(
        self,
        book: TopicBook,
        schemas: tuple[TableVersion, ...],
        position: LogPosition,
        cut_filter: CutFilter | None,
    ) -> Connector:
        project = self._project
        oversize = Oversize(project.delivery.too_large, self._parts.dead_letter_topic)
        routes = Routes(project, book.resolve)
        for table in schemas:
            routes.route(table.name)  # Heartbeats go to every topic, not only to those met.
        return Connector(
            project,
            FORMATS[project.message.format],
            self._parts.source.identity,
            routes,
            oversize,
            position,
            cut_filter,
            self._meter.tables,
            self._parts.trace.passed,
        )

    def _full(
        self, sink: Sink, checkpoint: Checkpoint, book: TopicBook, restored: FullProgress
    ) -> tuple[LogPosition, tuple[TableVersion, ...], FullProgress]:
        known = {t.name: t for t in checkpoint.schemas if t.name not in checkpoint.resync}
        full, tables = self._parts.full_import(restored, known, checkpoint)
        self.progress = full.progress
        progress = full.progress
        added = tuple(table for table in tables if table.name not in known)
        schemas = (*known.values(), *added)
        self._prepare(book, schemas)
        self.tables = frozenset(table.name for table in schemas)
        self.phase, self.step = Phase.FULL, Step.FULL
        self._journal.line(LogOf.FULL_IMPORT, f"full synchronization of {len(tables)} tables begins")
        conveyor = self.conveyor = Conveyor(self._meter, self._parts.threads, self._project.name)
        feeder = self._feeder(sink, conveyor.messages, book)
        feeder.progress = progress
        feeder.add(tuple(schema_record(table) for table in added))
        connector = self._connector(book, schemas, LogPosition("", epoch=checkpoint.epoch), None)
        self._parts.offer_to(conveyor.offer)
        try:
            conveyor.start("connector", lambda: conveyor.connect(connector, lambda out: None))
            conveyor.start("sink", lambda: conveyor.feed(feeder, lambda: progress.done))
            self._parts.start_full()
            self.working = True
            while not conveyor.wait(_TICK_S) and not self.ending:
                full.check()
                conveyor.gauge()
                self.full, self._full_warnings = full.status(), full.warnings()
        finally:
            self._parts.offer_to(None)
            conveyor.finish(_FINISH_S)
            self.working = False
        self._check_ending()
        full.check()
        self.full = full.status()
        position = checkpoint.position or _start_of(progress, checkpoint.epoch)
        retired = () if self._parts.cut_filter(progress, schemas, position) else progress.retired()
        self._parts.end_full()
        feeder.progress = None
        feeder.start_at(position, (*retired, resync_record(())))
        text = f"full synchronization is done: {self.full.rows} rows of {self.full.tables} tables"
        self._journal.event(LogOf.FULL_IMPORT, EventKind.RUN, text)
        return position, schemas, progress

    def _start_point(
        self, sink: Sink, checkpoint: Checkpoint, book: TopicBook
    ) -> tuple[LogPosition, tuple[TableVersion, ...]]:
        """Incremental only: from now on, with the shapes of now, or from the time that the project names."""
        position, tables = self._parts.start(self._ending, checkpoint)
        self._prepare(book, tables)
        feeder = self._feeder(sink, BoundedQueue(1, 1), book)
        feeder.start_at(position, tuple(schema_record(table) for table in tables))
        return position, tables

    def _incremental(
        self,
        sink: Sink,
        position: LogPosition,
        schemas: tuple[TableVersion, ...],
        book: TopicBook,
        progress: FullProgress,
        cut_filter: CutFilter | None,
    ) -> None:
        self.start = position
        self.change = ChangeState.INTEGRATING if cut_filter is not None else ChangeState.SUCCEEDED
        self.tables = frozenset(table.name for table in schemas)
        self._journal.line(LogOf.STORE, f"the log is read after {position.executed[:_POSITION_LENGTH]}")
        conveyor = self.conveyor = Conveyor(
            self._meter, self._parts.threads, self._project.name, self._limits
        )
        feeder = self._feeder(sink, conveyor.messages, book)
        connector = self._connector(book, schemas, position, cut_filter)
        store = self._parts.store(cut_filter)

        def passed(out: Outgoing) -> None:
            if out.whole and out.position is not None and connector.passed(out.position):
                out.records.extend(progress.retired())
                self.change = ChangeState.SUCCEEDED

        try:
            conveyor.start("store", lambda: conveyor.pull(store.batches(position, schemas)))
            conveyor.start("connector", lambda: conveyor.connect(connector, passed))
            conveyor.start("sink", lambda: conveyor.feed(feeder, lambda: False))
            while not conveyor.wait(_STREAM_TICK_S) and not self.ending:
                if self._watch(self.tables):
                    self._journal.line(
                        LogOf.STORE, "tables were created: restarting at the checkpoint to take them in"
                    )
                    self._ending.set()
                conveyor.gauge()
        finally:
            conveyor.stop()
            store.stop()
            conveyor.finish(_FINISH_S)
            self.working = False
        self._check_ending()

    def _check_ending(self) -> None:
        if self.ending:
            raise Stopped("the project was stopped")


def _full_is_due(project: Project, checkpoint: Checkpoint) -> bool:
    """Whether tables are to be read before the stream goes on."""
    return bool(checkpoint.resync) or (checkpoint.position is None and Step.FULL in project.steps)


def _progress(checkpoint: Checkpoint) -> str:
    """What a checkpoint holds, in words."""
    if not checkpoint.started:
        return "there is no checkpoint yet"
    position = checkpoint.position
    at = f"position {position.executed[:_POSITION_LENGTH]}" if position else "full synchronization not done"
    return f"the checkpoint: {at}, epoch {checkpoint.epoch}, {len(checkpoint.schemas)} tables"


def _start_of(progress: FullProgress, epoch: int) -> LogPosition:
    """Where the stream starts after full synchronization."""
    cut = progress.oldest_cut()
    return LogPosition(cut.executed if cut is not None else "", epoch=epoch)

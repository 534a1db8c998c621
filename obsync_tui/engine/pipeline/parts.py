"""What a run is made of: makes sinks, stores and snapshots, and keeps what outlives one attempt."""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from time import monotonic, sleep

import msgspec

from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.importer import FullImport, Offer
from obsync_tui.engine.full.keys import Key, KeyRanker
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.full.reader import ChunkBatch, Snapshots
from obsync_tui.engine.history.journal import Journal, ProjectJournal
from obsync_tui.engine.pipeline.checkpoint import LOCAL_PROGRESS_KEY, Checkpoint, position_record
from obsync_tui.engine.pipeline.mysql_source import MySQLSide
from obsync_tui.engine.pipeline.oceanbase_source import OceanBaseSide
from obsync_tui.engine.pipeline.shapes import check_known
from obsync_tui.engine.pipeline.source import Commit, Secrets, SourceSide
from obsync_tui.engine.pipeline.trace import Trace
from obsync_tui.engine.sinks.kafka.atleastonce import AtLeastOnceSink
from obsync_tui.engine.sinks.kafka.client import client_properties, where
from obsync_tui.engine.sinks.kafka.topics import TopicFacts, synchronize_topics
from obsync_tui.engine.sinks.kafka.transactional import TransactionalSink
from obsync_tui.engine.sinks.sink import Sink
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.store import Store
from obsync_tui.engine.threads import RunToken, ThreadPool
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.datasource import KafkaSource, MySQLSource, SqlSource
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Component, Level
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import Guarantee, Project, TooLarge
from obsync_tui.model.table import Column, TableName, TableVersion

_LOCAL_EVERY_S = 1.0
_DEAD_LETTER_BYTES = 100_000_000


class Parts:
    """Makes the parts of one run; Full-Import and its snapshot outlive an attempt that the sink ended."""

    def __init__(
        self,
        project: Project,
        source: SqlSource,
        destination: KafkaSource,
        secrets: Secrets,
        state: StateFile,
        started_s: float,
        journal: Journal,
        full_paused: Callable[[], bool],
        threads: ThreadPool,
        trace: Trace,
    ) -> None:
        self.threads = threads
        self.started_s = started_s
        self._journal = journal
        self._full_paused = full_paused
        self._project = project
        self.trace = trace
        self.source = source_side(project, source, secrets, state, journal)
        self._destination = destination
        self._secrets = secrets
        self._state = state
        self._cancel = threading.Event()
        self._snapshots: Snapshots | None = None
        self._store: Store | None = None
        self._full: FullImport | None = None
        self._tables: tuple[TableVersion, ...] = ()
        self._offer: Offer | None = None
        self._full_started = False
        self._local_s = 0.0
        self._local: bytes | None = self._read_local()

    @property
    def dead_letter_topic(self) -> str:
        """Where messages that are too large go; empty under the policy `stop`."""
        if self._project.delivery.too_large is TooLarge.STOP:
            return ""
        return self._project.delivery.dead_letter_topic

    def sink(self) -> Sink:
        """A sink of the project's guarantee."""
        project = self._project
        properties = client_properties(self._destination, self._secrets)
        if project.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
            return AtLeastOnceSink(
                project.id, properties, self._state, where(self._destination), self._cancel
            )
        return TransactionalSink(
            project.id,
            properties,
            where=where(self._destination),
            transaction_timeout_s=project.delivery.transaction_timeout_s,
            expected=self._local is not None,
            started_s=self.started_s,
            cancel=self._cancel,
            embedded=self._destination.embedded,
        )

    def store(self, cut_filter: CutFilter | None) -> Store:
        """A Store for one attempt, which is told what is committed."""
        self._store = self.source.store(cut_filter.covered if cut_filter is not None else None)
        return self._store

    def snapshots(self) -> Snapshots:
        """Opens snapshots of the source."""
        if self._snapshots is None:
            self._snapshots = self.source.snapshots()
        return self._snapshots

    def start(
        self, stopping: threading.Event, checkpoint: Checkpoint
    ) -> tuple[LogPosition, tuple[TableVersion, ...]]:
        """Where a project without the step full begins, and the tables' shapes there. Raises SourceError, Stopped."""
        at = self._project.store.start_moment
        if at is None:
            start = self.snapshots().start_point()
            return LogPosition(start.cut.executed, epoch=checkpoint.epoch), start.tables
        found = self.source.position_at(at, checkpoint, stopping)
        shapes = self.source.shapes_at(found.position, checkpoint, stopping)
        check_known(
            shapes.unknown,
            f"project {self._project.name}, store.start {at.utc}",
            "Start at a later time, leave these tables out, or use the step full.",
        )
        text = f"the stream begins at {at.utc}: {found.position.executed[:200] or 'the beginning of the log'}"
        self._journal.event(Component.STORE, EventKind.RUN, text)
        return msgspec.structs.replace(found.position, epoch=checkpoint.epoch), shapes.tables

    def synchronize_topics(self, names: Iterable[str], used: Collection[str]) -> tuple[TopicFacts, ...]:
        """Make or check topics as the project says; those used before must be there."""
        properties = client_properties(self._destination, self._secrets)
        wanted = set(names)
        facts: list[TopicFacts] = []
        for project, topics in self._by_settings(wanted):
            report = synchronize_topics(
                project,
                topics,
                properties,
                where(self._destination),
                used,
                embedded=self._destination.embedded,
            )
            for warning in report.warnings:
                self._journal.event(Component.CONNECTOR, EventKind.TOPIC, warning, Level.WARNING)
            facts += report.facts
        return tuple(facts)

    def _by_settings(self, names: set[str]) -> Iterator[tuple[Project, list[str]]]:
        """Names with the project that tells how they are made: dead letters are larger than other messages."""
        dead = self.dead_letter_topic
        if ordinary := sorted(names - {dead}):
            yield self._project, ordinary
        if dead in names:
            settings = {**self._project.topics.settings, "max.message.bytes": str(_DEAD_LETTER_BYTES)}
            topics = msgspec.structs.replace(self._project.topics, settings=settings)
            yield msgspec.structs.replace(self._project, topics=topics), [dead]

    def full_import(
        self, restored: FullProgress, known: Mapping[TableName, TableVersion], checkpoint: Checkpoint
    ) -> tuple[FullImport, tuple[TableVersion, ...]]:
        """Full-Import on the same snapshot connections where they live, else under another cut."""
        full = self._full
        if full is not None and full.progress.agrees(restored) and full.alive:
            full.rewind()
            return full, self._tables
        if full is not None:
            full.close()
            self._snapshots = None  # Those of a closed import open nothing any more.
        full = self._full = FullImport(
            self.snapshots(),
            self._project.full,
            restored,
            self._put,
            self._full_paused,
            self.threads,
            f"{self._project.name}.full",
        )
        self._full_started = False
        self._tables = full.open(known, checkpoint.resync_after_cut)
        return full, self._tables

    def adjust(self, project: Project) -> None:
        """Take over what may change while a run goes on: rate limits and the size of ranges."""
        self._project = project
        if self._full is not None:
            self._full.adjust(project.full)

    @property
    def full_waits(self) -> str:
        """What keeps the readers of Full-Import from going on."""
        return self._full.waits_for if self._full is not None else ""

    def _put(self, batch: ChunkBatch, timeout_s: float) -> bool:
        offer = self._offer
        if offer is None:
            sleep(timeout_s)
            return False
        return offer(batch, timeout_s)

    def offer_to(self, offer: Offer | None) -> None:
        """Where chunks go; None between attempts: readers wait."""
        self._offer = offer

    def start_full(self) -> None:
        """Let the readers begin, once per snapshot."""
        if self._full is not None and not self._full_started:
            self._full_started = True
            self._full.start()

    def end_full(self) -> None:
        """Let go of the snapshot; what is opened next may be of other tables."""
        if self._full is not None:
            self._full.close()
        self._full = self._snapshots = None

    def cut_filter(
        self, progress: FullProgress, schemas: tuple[TableVersion, ...], position: LogPosition
    ) -> CutFilter | None:
        """The stream's filter while a cut is ahead of its position."""
        if progress.oldest_cut() is None:
            return None
        versions = {table.name: table for table in schemas}
        ranker = _Ranker(self.snapshots().ranker(), self.threads.token)
        found = progress.cut_filter(versions, ranker)
        return found if found.needs_filter(GtidSet.parse(position.executed), position.commit_us) else None

    def opened(self, checkpoint: Checkpoint, commit: Commit) -> None:
        """The checkpoint is read: remember that there is progress, and make the source ready."""
        self._store = None
        if checkpoint.started:
            self._remember(checkpoint.position)
        self.source.open(checkpoint, commit)

    def committed(self, position: LogPosition | None) -> None:
        """Something was committed: the Store is told, the local copy follows once a second."""
        if position is not None and self._store is not None:
            self._store.committed(position)
        now = monotonic()
        if self._local is None or now - self._local_s >= _LOCAL_EVERY_S:
            self._local_s = now
            self._remember(position)

    def _remember(self, position: LogPosition | None) -> None:
        value = position_record(position).value if position is not None else b"null"
        if value == self._local:
            return  # A project without changes commits its ownership only.
        self._state.save(self._project.id, (Record(LOCAL_PROGRESS_KEY, value),))
        self._local = value

    def _read_local(self) -> bytes | None:
        for record in self._state.records(self._project.id):
            if record.key == LOCAL_PROGRESS_KEY:
                return record.value
        return None

    def stop(self) -> None:
        """End waiting calls; nothing is opened afterwards."""
        self._cancel.set()
        if self._snapshots is not None:
            self._snapshots.stop()

    def close(self) -> None:
        """Let go of what outlives attempts."""
        self.end_full()


class _Ranker:
    """Asks the server for the order of keys while others work."""

    def __init__(self, ranker: KeyRanker, token: RunToken) -> None:
        self._ranker = ranker
        self._token = token

    def rank(self, columns: tuple[Column, ...], boundaries: Sequence[Key], keys: Sequence[Key]) -> list[int]:
        """See `KeyRanker`."""
        with self._token.waiting():
            return self._ranker.rank(columns, boundaries, keys)


def source_side(
    project: Project, source: SqlSource, secrets: Secrets, state: StateFile, journal: Journal | None = None
) -> SourceSide:
    """The side of the data source's kind; without a journal it writes events only."""
    if isinstance(source, MySQLSource):
        return MySQLSide(project, source, secrets)
    return OceanBaseSide(project, source, secrets, state, journal or ProjectJournal(project.id, state))

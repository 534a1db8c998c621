"""The pipeline's own parts without a destination: full and incremental messages of a real server, in memory."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from obsync_tui.engine.connector.connector import Connector
from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.connector.toolarge import Oversize
from obsync_tui.engine.formats.plan import Identity
from obsync_tui.engine.formats.registry import FORMATS
from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.importer import FullImport
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.full.reader import ChunkBatch, StartPoint
from obsync_tui.engine.mysql.snapshot import MySQLSnapshots
from obsync_tui.engine.store.binlog.stream import BinlogStore
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import Message, Objects, Project, TooLarge
from obsync_tui.model.secret import Secret
from tests.servers import MySQLServer

PARTITIONS = 3
Struct = dict[str, msgspec.Raw]


class Metadata(msgspec.Struct):
    """What tests look at in allMetaData; names with dots stand in it as they are."""

    table_name: str
    db: str
    record_primary_key: str | None
    record_primary_value: str | None


class Body(msgspec.Struct):
    """A Default message whose values stay the text they are."""

    prevStruct: Struct | None
    postStruct: Struct | None
    allMetaData: Metadata
    recordType: str


@dataclass(frozen=True)
class Sent:
    """One message: its body taken apart, key and partition."""

    body: Body
    key: bytes | None
    partition: int

    @classmethod
    def of(cls, value: bytes, key: bytes | None, partition: int) -> Sent:
        return cls(msgspec.json.decode(value, type=Body), key, partition)

    @classmethod
    def all_of(cls, out: Outgoing) -> list[Sent]:
        """Every message of a batch, in order within its partition."""
        return [
            cls.of(message["value"], message["key"], partition)
            for lanes in out.messages.values()
            for partition, lane in enumerate(lanes)
            for message in lane
        ]


def texts(struct: Struct | None) -> dict[str, str]:
    """The struct's values as the JSON text that they have in the message."""
    assert struct is not None
    return {name: bytes(raw).decode() for name, raw in struct.items()}


class Reader:
    """Reads a server's tables in scope as a project would."""

    def __init__(self, server: MySQLServer, include: str, message: Message | None = None) -> None:
        self._source = MySQLSource("types", "127.0.0.1", "root", server.port)
        topic = message or Message(topic="types")
        self.project = Project(
            "np_types0000000", "types", "types", "none", Objects((include,)), message=topic
        )
        self._format = FORMATS[self.project.message.format]

    def snapshots(self) -> MySQLSnapshots:
        """Opens snapshots of the tables in scope."""
        return MySQLSnapshots(self._source, Secret(""), ObjectRules(self.project.objects), 2)

    def start_point(self) -> StartPoint:
        """The log's end now, and the tables' shapes."""
        return self.snapshots().start_point()

    def connector(
        self, position: LogPosition, cuts: CutFilter | None = None, partitions: int = PARTITIONS
    ) -> Connector:
        """What makes messages from the position on."""
        routes = Routes(self.project, lambda topic: TopicRoute(topic, partitions, 1 << 30))
        identity, oversize = Identity("MYSQL", "MYSQL_types_1-0"), Oversize(TooLarge.STOP, "")
        return Connector(self.project, self._format, identity, routes, oversize, position, cuts)

    def full(self) -> list[Sent]:
        """ROW messages of everything that is there now."""
        batches: queue.Queue[ChunkBatch] = queue.Queue()

        def offer(batch: ChunkBatch, timeout_s: float) -> bool:
            batches.put(batch)
            return True

        importer = FullImport(self.snapshots(), self.project.full, FullProgress([]), offer)
        connector, sent = self.connector(LogPosition("")), []
        try:
            importer.open()
            importer.start()
            while not importer.progress.done:
                importer.check()
                batch = _next(batches)
                if batch is not None and importer.progress.current(batch):
                    sent += Sent.all_of(connector.chunk(batch))
                    importer.progress.advance(batch)
                    importer.progress.committed()
        finally:
            importer.close()
        return sent

    def changes(self, since: StartPoint, through: Connector | None = None) -> Iterator[Sent]:
        """Messages of every change from the start point to the log's end as it is now."""
        end = GtidSet.parse(self.start_point().cut.executed)
        position = LogPosition(since.cut.executed)
        connector = through or self.connector(position)
        store = BinlogStore(
            self.project.id, self._source, Secret(""), self.project.objects, self.project.store
        )
        for batch in store.batches(position, since.tables):
            yield from Sent.all_of(connector.changes(batch))
            if end.issubset(GtidSet.parse(batch.executed)):
                store.stop()
                return


def _next(batches: queue.Queue[ChunkBatch]) -> ChunkBatch | None:
    try:
        return batches.get(timeout=0.1)
    except queue.Empty:
        return None

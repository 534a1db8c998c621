"""A pipeline in small for tests: takes batches, "sends" rows into a list, commits and aborts as it likes."""

from __future__ import annotations

import queue
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

import pymysql
from pymysql.cursors import Cursor
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import GtidEvent
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from obsync_tui.engine.full.importer import FullImport
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.full.progress import FullProgress
from obsync_tui.engine.full.reader import ChunkBatch, Snapshots, StartPoint
from obsync_tui.engine.mysql.control import ServerRanker
from obsync_tui.engine.mysql.snapshot import MySQLSnapshots
from obsync_tui.engine.store.store import Begin
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import Gtid
from obsync_tui.model.project import Full, Objects
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName
from tests.servers import MySQLServer, OceanBaseServer

Row = tuple[bytes | None, ...]
SqlServer = MySQLServer | OceanBaseServer


def values(packet: bytes) -> Row:
    """All columns of a text protocol row."""
    found: list[bytes | None] = []
    at = 0
    while at < len(packet):
        length = packet[at]
        at += 1
        if length == 0xFB:
            found.append(None)
            continue
        if length > 0xFB:
            size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[length]
            length = int.from_bytes(packet[at : at + size], "little")
            at += size
        found.append(packet[at : at + length])
        at += length
    return tuple(found)


def snapshots(server: MySQLServer, include: str, connections: int = 3, user: str = "root") -> MySQLSnapshots:
    source = MySQLSource("test", "127.0.0.1", user, server.port)
    return MySQLSnapshots(source, Secret(""), ObjectRules(Objects((include,))), connections)


class Source(Snapshots, Protocol):
    """Opens snapshots, and compares keys for the filter of the stream."""

    def start_point(self) -> StartPoint: ...

    def ranker(self) -> ServerRanker: ...


class Run:
    """One run of Full-Import over what earlier runs committed in `records`."""

    def __init__(
        self, server: SqlServer, include: str, settings: Full, seed: int = 0, slots: int = 4
    ) -> None:
        self.server = server
        self.include = include
        self.random = random.Random(seed)
        self.settings = settings
        self.snapshots = self.source()
        self.batches: queue.Queue[ChunkBatch] = queue.Queue(slots)
        self.records: dict[str, bytes] = {}
        self.rows: dict[TableName, list[Row]] = defaultdict(list)
        self.commits = 0
        self.aborts = 0.0
        self.start()

    def source(self) -> Source:
        assert isinstance(self.server, MySQLServer)
        return snapshots(self.server, self.include, self.settings.connections)

    def start(self) -> None:
        self.progress = FullProgress([Record(key, value) for key, value in self.records.items()])
        self.importer = FullImport(self.snapshots, self.settings, self.progress, self.offer)

    def offer(self, batch: ChunkBatch, timeout_s: float) -> bool:
        try:
            self.batches.put(batch, timeout=timeout_s)
        except queue.Full:
            return False
        return True

    def drive(self, each_batch: Callable[[int], None] = lambda _: None) -> None:
        """Read everything to the end; transactions of a few batches, some of them aborted."""
        self.importer.open()
        self.importer.start()
        sent: list[tuple[TableName, Row]] = []
        records: dict[str, bytes] = {}
        number = 0
        try:
            while not self.progress.done:
                self.importer.check()
                try:
                    batch = self.batches.get(timeout=0.1)
                except queue.Empty:
                    batch = None
                if batch and self.progress.current(batch):
                    sent += [(batch.table.name, values(body)) for body in batch.bodies]
                    assert batch.rows == len(batch.bodies) and batch.size_bytes == sum(map(len, batch.bodies))
                    for record in self.progress.advance(batch):
                        assert record.value is not None
                        records[record.key] = record.value
                    number += 1
                    each_batch(number)
                if self.random.random() < self.aborts:
                    self.importer.rewind()
                elif batch is None or self.random.random() < 0.5:
                    self.commits += 1
                    self.records.update(records)
                    for name, row in sent:
                        self.rows[name].append(row)
                    self.progress.committed()
                else:
                    continue
                sent, records = [], {}
        finally:
            self.close()

    def close(self) -> None:
        self.importer.close()
        while not self.batches.empty():
            self.batches.get()
        alive = [thread.name for thread in threading.enumerate() if thread.name.startswith("full-")]
        assert not alive

    def connections(self) -> list[int]:
        """The ids of the snapshot's connections that the server still has."""
        assert self.importer._snapshot
        ours = {reader._connection.thread_id() for reader in self.importer._snapshot.readers}  # type: ignore[attr-defined]
        with self.server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT ID FROM information_schema.PROCESSLIST")
            return sorted(ours & {row[0] for row in cursor.fetchall()})

    def again(self) -> None:
        """Another process goes on from the checkpoint."""
        self.snapshots = self.source()
        self.start()


def plain(server: SqlServer, database: str) -> pymysql.Connection[Cursor]:
    """A connection whose values come as the server's bytes."""
    return pymysql.connect(
        host="127.0.0.1", port=server.port, user="root", database=database, conv={}, use_unicode=False,
        autocommit=True, init_command="SET character_set_results=NULL, time_zone='+00:00'",
    )  # fmt: skip


def select(server: SqlServer, database: str, sql: str) -> list[Row]:
    with plain(server, database) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def replay(
    server: MySQLServer, run: Run, table: TableName, key_of: Callable[[tuple[object, ...]], Key]
) -> dict[Key, tuple[object, ...]]:
    """The table's state after the stream from the oldest cut has been applied to the rows read, every change checked."""
    versions = {name: entry.version for name, entry in run.progress._tables.items()}
    ranker = run.snapshots.ranker()
    cuts = run.progress.cut_filter(versions, ranker)
    width = len(versions[table].key_columns())
    state: dict[Key, tuple[object, ...]] = {}
    for row in run.rows[table]:
        key = tuple(value or b"" for value in row[:width])
        assert key not in state, f"{key!r} was read twice"
        state[key] = row
    stream = BinLogStreamReader(
        connection_settings={"host": "127.0.0.1", "port": server.port, "user": "root", "password": ""},
        server_id=4711, auto_position=cuts.oldest.executed, blocking=False,
        only_events=[GtidEvent, WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent],
    )  # fmt: skip
    begin = None
    for event in stream:
        if isinstance(event, GtidEvent):
            begin = Begin(Gtid.parse(event.gtid), 0)
            continue
        if (event.schema, event.table) != (table.database, table.table):
            continue
        assert begin
        for change in event.rows:
            before = change.get("before_values") or (
                change["values"] if isinstance(event, DeleteRowsEvent) else None
            )
            after = change.get("after_values") or (
                change["values"] if isinstance(event, WriteRowsEvent) else None
            )
            for image, apply in ((before, state.pop), (after, None)):
                if image is None:
                    continue
                row = tuple(image.values())
                key = key_of(row)
                verdict = cuts.verdict(table, begin)
                if not (cuts.decide(table, begin, key) if verdict is None else verdict):
                    continue
                if apply:
                    apply(key)
                else:
                    assert key not in state, f"{key!r} inserted twice at {begin.gtid}"
                    state[key] = row
    stream.close()
    ranker.close()
    return state

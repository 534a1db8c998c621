"""The binlog Store: a GTID dump, split into batches.

Reference: MySQL internals, "Replication Protocol"; OceanBase's Binlog Service presents itself as MySQL 5.7.
"""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from time import monotonic

import pymysql

from obsync_tui.engine.errors import SourceError, SourceUnreachable, Stopped
from obsync_tui.engine.mysql.packets import PacketReader
from obsync_tui.engine.store.binlog.assembly import Assembly, Covered
from obsync_tui.engine.store.binlog.dump import Dump, ReplicaIdentity
from obsync_tui.engine.store.binlog.evolution import SchemaEvolution
from obsync_tui.engine.store.binlog.lobs import Lobs
from obsync_tui.engine.store.binlog.schemas import Schemas
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.engine.store.store import LogBatch
from obsync_tui.model.datasource import SqlSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import Objects
from obsync_tui.model.project import Store as StoreOptions
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableVersion

_BATCH_BYTES = 1 << 20
_BATCH_S = 0.02
_WAIT_S = 1.0


class BinlogStore:
    """A source's binlog as batches; one instance serves one call of `batches`.

    Rows and DDL of `covered` tables are skipped unread.
    """

    def __init__(
        self,
        project_id: str,
        source: SqlSource,
        password: Secret,
        objects: Objects,
        options: StoreOptions,
        covered: Covered | None = None,
    ) -> None:
        self._covered = covered
        self._server = BinlogServer(source, password)
        self._objects = objects
        self._rules = ObjectRules(objects)
        self._options = options
        self._identity = ReplicaIdentity.of(project_id)
        self._project_id = project_id
        self._stopping = threading.Event()
        self._dump: Dump | None = None
        self._control: pymysql.Connection[pymysql.cursors.Cursor] | None = None

    def stop(self) -> None:
        """End `batches` within a second, from any thread and state."""
        self._stopping.set()
        dump = self._dump
        if dump is not None:
            dump.close()

    def committed(self, position: LogPosition) -> None:
        """The binlog keeps nothing that waits for this."""

    def newest_position(self) -> str:
        """The source's executed GTID set, over a connection of its own."""
        try:
            if self._control is None:
                self._control = self._server.connect(read_timeout_s=10.0)
            return self._server.log(self._control).executed
        except SourceError:
            self._control = None
            raise

    def batches(self, position: LogPosition, tables: tuple[TableVersion, ...]) -> Iterator[LogBatch]:
        """Connect, check the position against the source's history, and yield until stopped."""
        executed = GtidSet.parse(position.executed)
        server = self._server
        dump = Dump(server, self._identity, self._options.heartbeat_s)
        self._dump = dump
        try:
            dump.open(executed)
            assert dump.connection is not None
            reader = PacketReader(dump.connection, dump.where, self._options.silence_s)
            schemas = Schemas(server.completed(tables), self._rules, dump.checksum, dump.json_dialect)
            evolution = SchemaEvolution(schemas, server, self._objects, self._project_id, self._stopping)
            assembly = Assembly(
                schemas,
                executed,
                dump.checksum,
                evolution.apply,
                dump.where,
                oceanbase=server.oceanbase,
                lower_case=dump.lower_case,
                covered=self._covered,
            )
            batches = self._pull(dump, reader, assembly)
            yield from map(Lobs(server.values_as_of).complete, batches) if server.oceanbase else batches
        except SourceError:
            if not self._stopping.is_set():
                raise
        finally:
            dump.end()
            server.close()
        raise Stopped("the Store was stopped")

    def _pull(self, dump: Dump, reader: PacketReader, assembly: Assembly) -> Iterator[LogBatch]:
        assert dump.connection is not None
        sock = dump.connection._sock
        reader.set_timeout(_WAIT_S)
        heard = flushed = monotonic()
        while not self._stopping.is_set():
            packets = reader.read()
            now = monotonic()
            if packets:
                assembly.take(packets)
                heard = now
            elif now - heard > self._options.silence_s:
                raise SourceUnreachable(
                    f"the stream has been silent for {now - heard:.0f} s, without even heartbeats",
                    where=dump.where,
                    cure="The connection is made anew.",
                )
            more = _waiting(sock) if packets else False
            due = assembly.size_bytes >= _BATCH_BYTES or now - flushed >= _BATCH_S
            if due or (assembly.whole and not more):
                yield assembly.cut_batch(more)
                flushed = monotonic()


def _waiting(sock: socket.socket) -> bool:
    """Whether further bytes can be read without waiting."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    return bool(select.select([sock], [], [], 0)[0])

"""A replication connection: registered, positioned by GTID, ready to send events.

Formats: COM_REGISTER_SLAVE (mysql-replication's encoder), COM_BINLOG_DUMP and COM_BINLOG_DUMP_GTID (MySQL internals).
"""

import socket
import struct
import zlib
from uuid import NAMESPACE_OID, uuid5

import msgspec
import pymysql
from pymysqlreplication.binlogstream import ReportSlave

from obsync_tui.engine.errors import SourceRefused
from obsync_tui.engine.mysql.connection import translate
from obsync_tui.engine.store.binlog.history import check_position
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.engine.values.jsonbinary import MYSQL57
from obsync_tui.model.position import GtidSet

_COM_BINLOG_DUMP = 0x12
_COM_BINLOG_DUMP_GTID = 0x1E
_ENDS = 0x01
_THROUGH_GTID = 0x04
_FIRST_POSITION = 4


class ReplicaIdentity(msgspec.Struct, frozen=True):
    """Who a reader is to the source: made of the project's id, so that two projects never meet."""

    server_id: int
    uuid: str

    @classmethod
    def of(cls, project_id: str, purpose: str = "") -> "ReplicaIdentity":
        """The identity of a project's reader; another purpose gives another reader."""
        name = f"obsync:{project_id}:{purpose}"
        # The upper half of the range: servers numbered by people lie below.
        return cls(zlib.crc32(name.encode()) | 0x80000000, str(uuid5(NAMESPACE_OID, name)))


def encode_gtid_set(position: GtidSet) -> bytes:
    """The set as COM_BINLOG_DUMP_GTID takes it: per server 16 bytes of uuid and half-open intervals."""
    parts = [part.split(":") for part in str(position).split(",") if part]
    encoded = struct.pack("<Q", len(parts))
    for uuid, *intervals in parts:
        encoded += bytes.fromhex(uuid.replace("-", "")) + struct.pack("<Q", len(intervals))
        for interval in intervals:
            first, _, last = interval.partition("-")
            encoded += struct.pack("<QQ", int(first), int(last or first) + 1)
    return encoded


class Dump:
    """One replication connection; `open` checks the position first.

    `checksum` tells whether events end in a CRC32 once `open` or `open_file` has returned.
    """

    def __init__(self, server: BinlogServer, identity: ReplicaIdentity, heartbeat_s: float) -> None:
        self._server = server
        self._identity = identity
        self._heartbeat_s = heartbeat_s
        self.where = server.where
        self.connection: pymysql.Connection[pymysql.cursors.Cursor] | None = None
        self.checksum = True
        self.executed = ""
        self.json_dialect = MYSQL57
        self.lower_case = False

    def open(self, position: GtidSet) -> None:
        """Connect, check that the source still holds what follows the position, and ask for it."""
        gtids = encode_gtid_set(position)
        numbers = (_THROUGH_GTID, self._identity.server_id, 0, _FIRST_POSITION, len(gtids))
        body = struct.pack("<BHIIQI", _COM_BINLOG_DUMP_GTID, *numbers) + gtids
        self._open(body, position)

    def open_file(self, name: str) -> None:
        """Connect, and ask for the log from a file's beginning to its present end, where the stream ends too."""
        numbers = (_FIRST_POSITION, _ENDS, self._identity.server_id)
        self._open(struct.pack("<BIHI", _COM_BINLOG_DUMP, *numbers) + name.encode(), None)

    def _open(self, command: bytes, position: GtidSet | None) -> None:
        connection = self._server.connect(read_timeout_s=None)
        self.connection = connection
        try:
            log = self._server.log(connection)
            if position is not None:
                check_position(position, log, self.where)
            self.checksum = log.checksum
            self.executed = log.executed
            self.json_dialect = log.json_dialect
            self.lower_case = log.lower_case
            with connection.cursor() as cursor:
                cursor.execute("SET @master_binlog_checksum = %s", ("CRC32" if log.checksum else "NONE",))
                cursor.execute("SET @master_heartbeat_period = %s", (int(self._heartbeat_s * 1e9),))
                cursor.execute(
                    "SET @slave_uuid = %s, @replica_uuid = %s", (self._identity.uuid, self._identity.uuid)
                )
            self._register(connection)
            connection._write_bytes(struct.pack("<I", len(command)) + command)
        except pymysql.Error as error:
            raise translate(error, self.where) from error

    def _register(self, connection: "pymysql.Connection[pymysql.cursors.Cursor]") -> None:
        """Make the reader visible in SHOW SLAVE HOSTS."""
        connection._write_bytes(ReportSlave(socket.gethostname()[:60]).encoded(self._identity.server_id))
        connection._next_seq_id = 1  # The command was packet 0.
        try:
            connection._read_packet()
        except pymysql.err.OperationalError as error:
            if error.args[0] not in (1045, 1227):
                raise
            # The server says it in the words of a wrong password.
            raise SourceRefused(
                f"the user {self._server.user} may not read the log",
                where=self.where,
                cure=f"Run: GRANT REPLICATION SLAVE ON *.* TO '{self._server.user}'@'<host>'",
            ) from error

    def end(self) -> None:
        """Give the connection back; for the thread that reads from it, and reads no more."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection._force_close()

    def close(self) -> None:
        """Cut the connection, also under a thread that reads from it; its read ends at once."""
        connection = self.connection
        if connection is None:
            return
        sock = connection._sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # Already gone, which is what was asked for.

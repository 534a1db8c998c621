"""A MySQL server as a project's source."""

import threading

import pymysql

from obsync_tui.engine.formats.plan import Identity
from obsync_tui.engine.full.reader import Snapshots
from obsync_tui.engine.mysql.catalog import read_tables
from obsync_tui.engine.mysql.connection import connect, query
from obsync_tui.engine.mysql.server import clock_offset_s
from obsync_tui.engine.mysql.snapshot import RETENTION, MySQLSnapshots
from obsync_tui.engine.pipeline.checkpoint import Checkpoint
from obsync_tui.engine.pipeline.found import binlog_position_at, binlog_shapes_at
from obsync_tui.engine.pipeline.shapes import Shapes
from obsync_tui.engine.pipeline.source import Commit, Probe, Secrets, SourceSample, binlog_survey
from obsync_tui.engine.store.binlog.assembly import Covered
from obsync_tui.engine.store.binlog.history import check_history
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.engine.store.binlog.stream import BinlogStore
from obsync_tui.engine.store.store import Store
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.gap import Survey
from obsync_tui.model.moment import Moment
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import Project
from obsync_tui.model.retime import FoundPosition
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName

_DAY_S = 86_400
_READ_TIMEOUT_S = 10.0
_CATALOG_TIMEOUT_S = 600.0


class MySQLSide:
    """Binlog and snapshots of a MySQL server; see `SourceSide`."""

    def __init__(self, project: Project, source: MySQLSource, secrets: Secrets) -> None:
        self._project = project
        self._source = source
        self._secrets = secrets
        self._only: frozenset[TableName] = frozenset()
        self.identity = Identity("MYSQL", f"MYSQL_{project.id}_1-0")

    def open(self, checkpoint: Checkpoint, commit: Commit) -> None:
        """A binlog is there without asking for it."""
        self._only = checkpoint.resync

    def snapshots(self) -> Snapshots:
        """Opens snapshots under a brief read lock."""
        rules = ObjectRules(self._project.objects, self._only)
        return MySQLSnapshots(self._source, self._password(), rules, self._project.full.connections)

    def store(self, covered: Covered | None) -> Store:
        """A Store of the binlog."""
        project = self._project
        return BinlogStore(
            project.id, self._source, self._password(), project.objects, project.store, covered
        )

    def survey(self, checkpoint: Checkpoint) -> Survey:
        """Compare the position with what the server executed and purged."""
        server = BinlogServer(self._source, self._password())
        with server.connect() as connection:
            there = read_tables(connection, ObjectRules(self._project.objects))
            return binlog_survey(checkpoint, server.log(connection), there)

    def unfollowed(self, checkpoint: Checkpoint, before: ObjectRules | None) -> frozenset[TableName]:
        """Those that other rules did not match: the binlog tells of a table that is created."""
        if before is None:
            return frozenset()
        with connect(self._source, self._password(), read_timeout_s=_CATALOG_TIMEOUT_S) as connection:
            there = read_tables(connection, ObjectRules(self._project.objects))
        return frozenset(table.name for table in there if not before.matches(table.name))

    def give_up(self, checkpoint: Checkpoint, tables: frozenset[TableName]) -> tuple[Record, ...]:
        """A binlog is one for all tables."""
        return ()

    def position_at(self, at: Moment, checkpoint: Checkpoint, stopping: threading.Event) -> FoundPosition:
        """Look for it by the files' beginnings and the GTIDs' commit times."""
        server = BinlogServer(self._source, self._password())
        return binlog_position_at(server, self._project.id, at, checkpoint, stopping)

    def shapes_at(self, position: LogPosition, checkpoint: Checkpoint, stopping: threading.Event) -> Shapes:
        """Read the catalog, then the statements in the log since the position."""
        server = BinlogServer(self._source, self._password())
        with server.connect() as connection:
            there = read_tables(connection, ObjectRules(self._project.objects))
            upto = server.log(connection).executed
        return binlog_shapes_at(server, self._project, there, upto, position, checkpoint, stopping)

    def probe(self) -> Probe:
        """Asks for clock, executed GTIDs and retention."""
        return MySQLProbe(self._source, self._password())

    def _password(self) -> Secret:
        return self._secrets(self._source.password)


class MySQLProbe:
    """Samples a MySQL server; see `Probe`."""

    def __init__(self, source: MySQLSource, password: Secret) -> None:
        self._source = source
        self._password = password
        self._connection: pymysql.Connection | None = None

    def sample(self, position: str) -> SourceSample:
        """Ask; a connection that failed is made anew at the next call."""
        connection = self._connection or connect(self._source, self._password, read_timeout_s=_READ_TIMEOUT_S)
        self._connection = None
        offset_s = clock_offset_s(connection)
        row = query(connection, "SELECT UNIX_TIMESTAMP(NOW(6)), @@global.gtid_executed")[0]
        limits = {str(name): int(str(value)) for name, value in query(connection, RETENTION)}
        self._connection = connection
        newest = GtidSet.parse(str(row[1]))
        check_history(GtidSet.parse(position), newest, f"data source {self._source.name}")
        retention_s = limits.get("binlog_expire_logs_seconds") or limits.get("expire_logs_days", 0) * _DAY_S
        return SourceSample(offset_s, float(str(row[0])), newest, retention_s)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()

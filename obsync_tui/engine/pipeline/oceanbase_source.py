"""A tenant of OceanBase as a project's source: flashback snapshots, and Binlog Service or view logs."""

import threading
from time import monotonic

import msgspec
import pymysql

from obsync_tui.engine.errors import SourceUnfit
from obsync_tui.engine.formats.plan import Identity
from obsync_tui.engine.full.reader import Snapshots
from obsync_tui.engine.history.journal import Journal
from obsync_tui.engine.mysql.connection import query, where
from obsync_tui.engine.mysql.server import clock_offset_s
from obsync_tui.engine.oceanbase.catalog import read_tables, table_names
from obsync_tui.engine.oceanbase.connection import ask, connect
from obsync_tui.engine.oceanbase.logs import binlog_service, choose, view_logs
from obsync_tui.engine.oceanbase.snapshot import OceanBaseSnapshots
from obsync_tui.engine.oceanbase.tenant import read_tenant
from obsync_tui.engine.oceanbase.version import read_version
from obsync_tui.engine.pipeline.checkpoint import Checkpoint
from obsync_tui.engine.pipeline.found import binlog_position_at, binlog_shapes_at, view_log_position_at
from obsync_tui.engine.pipeline.shapes import Shapes
from obsync_tui.engine.pipeline.source import Commit, Probe, Secrets, SourceSample, binlog_survey
from obsync_tui.engine.pipeline.view_log_survey import view_log_survey
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.binlog.assembly import Covered
from obsync_tui.engine.store.binlog.history import check_history
from obsync_tui.engine.store.binlog.server import BinlogServer, read_service_log
from obsync_tui.engine.store.binlog.stream import BinlogStore
from obsync_tui.engine.store.mlog.catalog import LogFacts
from obsync_tui.engine.store.mlog.listing import owner_of, owners
from obsync_tui.engine.store.mlog.ownership import claim, create, drop, lob_limits, owned_of
from obsync_tui.engine.store.mlog.purge import check_none_runs, intent_of, without_tables
from obsync_tui.engine.store.mlog.stream import ViewLogStore
from obsync_tui.engine.store.store import Store
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX, Record
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.event import EventKind
from obsync_tui.model.gap import Survey
from obsync_tui.model.history import Component
from obsync_tui.model.moment import Moment
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import Project, Step
from obsync_tui.model.retime import FoundPosition
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName
from obsync_tui.model.tenant import Available, Tenant

_READ_TIMEOUT_S = 600.0
_PROBE_TIMEOUT_S = 10.0
LOOK_EVERY_S = 10.0
"""How often a tenant that is read by view logs is asked for tables that were created."""
_NOT_ASKED = Available(None, "not asked")


class OceanBaseSide:
    """Snapshots and the log of a tenant; see `SourceSide`."""

    def __init__(
        self, project: Project, source: OceanBaseSource, secrets: Secrets, state: StateFile, journal: Journal
    ) -> None:
        self._project = project
        self._source = source
        self._secrets = secrets
        self._state = state
        self._journal = journal
        self._where = f"data source {where(source)}"
        self._records: dict[str, Record] = {}
        self._only: frozenset[TableName] = frozenset()
        self._by_view_logs = source.log is LogChoice.VIEW_LOG
        self.identity = _identity(project, Tenant())

    def open(self, checkpoint: Checkpoint, commit: Commit) -> None:
        """Choose the log, and make the view logs of tables that are about to be read under a cut."""
        self._records = {record.key: record for record in checkpoint.records}
        self._only = checkpoint.resync
        with connect(self._source, self._password(), read_timeout_s=_READ_TIMEOUT_S) as connection:
            self.identity = _identity(
                self._project,
                read_tenant(connection, self._source.login),
                ask(connection, "SHOW PARAMETERS LIKE 'cluster_id'"),
            )
            if Step.INCREMENTAL not in self._project.steps:
                return
            self._check_log(connection)
            if self._by_view_logs:
                self._own_logs(connection, checkpoint, commit)

    def _check_log(self, connection: pymysql.Connection) -> None:
        binlog = _NOT_ASKED if self._by_view_logs else binlog_service(connection)
        choice = choose(self._source, binlog, view_logs(connection, read_version(connection)))
        if choice.log is None:
            raise SourceUnfit(choice.why, where=self._where, cure=choice.cure)

    def _own_logs(self, connection: pymysql.Connection, checkpoint: Checkpoint, commit: Commit) -> None:
        """Claim, then create: a log of ours is never there without a record that says so.

        Once the stream has begun only tables that are read again, or whose log was given up, get one.
        """
        owned = owned_of(self._records.values())
        wanted = self._only | {table.name for table in checkpoint.schemas if table.name not in owned}
        if checkpoint.position is not None and not wanted:
            return
        if checkpoint.position is None and self._project.store.start_moment is not None:
            raise SourceUnfit(
                "view logs hold nothing from before they were made: the stream cannot begin at a time",
                where=f"project {self._project.name}, store.start",
                cure='Set start = "now", use the step full, or read by Binlog Service.',
            )
        if intent_of(self._records.values()) is not None:
            # What it purges comes under one name, which must not lie behind a cut that is taken now.
            check_none_runs(connection, self._where)
        only = wanted if checkpoint.position is not None else frozenset()
        tables = read_tables(connection, ObjectRules(self._project.objects, only))

        def keep(records: tuple[Record, ...]) -> None:
            if records:
                commit(records)
                # Here too, so that other projects of this machine can tell whose a log is.
                self._state.save(self._project.id, records)
                self._records.update({record.key: record for record in records})

        earlier = frozenset(owned)
        keep(claim(connection, self._project.id, tables, owned, self._owner_of, self._where))
        owned = owned_of(self._records.values())
        keep(create(connection, tables, owned, lost_lobs(self._project), self._where, earlier))
        for text in lob_limits(owned_of(self._records.values()).values()):
            self._journal.event(Component.STORE, EventKind.VIEW_LOG, text)

    def _owner_of(self, facts: LogFacts) -> str:
        owned = owner_of(facts, owners(self._state.records_like(VIEW_LOG_PREFIX)))
        if owned is None:
            return ""
        status = self._state.status(owned.project_id)
        return status.project if status else owned.project_id

    def snapshots(self) -> Snapshots:
        """Opens snapshots by flashback reads."""
        rules = ObjectRules(self._project.objects, self._only)
        logs = owned_of(self._records.values()).values()
        not_before_scn = max((one.floor_scn for one in logs), default=0)
        return OceanBaseSnapshots(
            self._source, self._password(), rules, self._project.full.connections, not_before_scn
        )

    def store(self, covered: Covered | None) -> Store:
        """A Store of the log that the data source names."""
        project = self._project
        if self._by_view_logs:
            return ViewLogStore(
                self._source,
                self._password(),
                self._records.values(),
                lost_lobs(project),
                project.store.purge_rows,
            )
        return BinlogStore(
            project.id, self._source, self._password(), project.objects, project.store, covered
        )

    def survey(self, checkpoint: Checkpoint) -> Survey:
        """Compare the position with the log, or each table's view log with its record."""
        with connect(self._source, self._password(), read_timeout_s=_READ_TIMEOUT_S) as connection:
            there = read_tables(connection, ObjectRules(self._project.objects))
            if not self._by_view_logs:
                return binlog_survey(checkpoint, read_service_log(connection, self._where), there)
            return view_log_survey(connection, checkpoint, there, self._where)

    def unfollowed(self, checkpoint: Checkpoint, before: ObjectRules | None) -> frozenset[TableName]:
        """By view logs every table in scope that the checkpoint does not know."""
        if not self._by_view_logs and before is None:
            return frozenset()
        with connect(self._source, self._password(), read_timeout_s=_READ_TIMEOUT_S) as connection:
            there = read_tables(connection, ObjectRules(self._project.objects))
        names = frozenset(table.name for table in there)
        if not self._by_view_logs and before is not None:
            return frozenset(name for name in names if not before.matches(name))
        return names - {table.name for table in checkpoint.schemas}

    def give_up(self, checkpoint: Checkpoint, tables: frozenset[TableName]) -> tuple[Record, ...]:
        """Drop the tables' view logs; `open` makes others."""
        if not self._by_view_logs:
            return ()
        owned = owned_of(checkpoint.records)
        mine = [owned[table] for table in sorted(tables) if table in owned]
        if mine:
            with connect(self._source, self._password(), read_timeout_s=_READ_TIMEOUT_S) as connection:
                drop(connection, mine, self._where)
        removed = tuple(msgspec.structs.replace(one.record, value=None) for one in mine)
        self._state.save(self._project.id, removed)
        return (*removed, *without_tables(intent_of(checkpoint.records), tables))

    def position_at(self, at: Moment, checkpoint: Checkpoint, stopping: threading.Event) -> FoundPosition:
        """Look for it by commit times, or as an scn."""
        if not self._by_view_logs:
            server = BinlogServer(self._source, self._password())
            return binlog_position_at(server, self._project.id, at, checkpoint, stopping)
        with connect(self._source, self._password(), read_timeout_s=_READ_TIMEOUT_S) as connection:
            return view_log_position_at(connection, at, checkpoint, self._where)

    def shapes_at(self, position: LogPosition, checkpoint: Checkpoint, stopping: threading.Event) -> Shapes:
        """Read the catalog, then the statements in the log since; a table with a view log keeps its shape."""
        if self._by_view_logs:
            return Shapes(checkpoint.schemas)
        server = BinlogServer(self._source, self._password())
        with server.connect() as connection:
            there = read_tables(connection, ObjectRules(self._project.objects))
            upto = server.log(connection).executed
        return binlog_shapes_at(server, self._project, there, upto, position, checkpoint, stopping)

    def probe(self) -> Probe:
        """Asks for the clock, and for executed GTIDs where there are any."""
        return OceanBaseProbe(self._source, self._password(), ObjectRules(self._project.objects))

    def _password(self) -> Secret:
        return self._secrets(self._source.password)


class OceanBaseProbe:
    """Samples a tenant; see `Probe`."""

    def __init__(self, source: OceanBaseSource, password: Secret, rules: ObjectRules) -> None:
        self._source = source
        self._password = password
        self._rules = rules
        self._looked_s = -LOOK_EVERY_S
        self._where = f"data source {where(source)}"
        self._connection: pymysql.Connection | None = None

    def sample(self, position: str) -> SourceSample:
        """Ask; a connection that failed is made anew at the next call."""
        connection = self._connection or connect(
            self._source, self._password, read_timeout_s=_PROBE_TIMEOUT_S
        )
        self._connection = None
        offset_s = clock_offset_s(connection)
        now_s = float(str(query(connection, "SELECT UNIX_TIMESTAMP(NOW(6))")[0][0]))
        newest: GtidSet | None = None
        retention_s = 0.0
        tables: frozenset[TableName] = frozenset()
        if self._source.log is LogChoice.VIEW_LOG and monotonic() >= self._looked_s + LOOK_EVERY_S:
            tables = table_names(connection, self._rules)
            self._looked_s = monotonic()
        if self._source.log is not LogChoice.VIEW_LOG:
            newest = GtidSet.parse(read_service_log(connection, self._where).executed)
            check_history(GtidSet.parse(position), newest, self._where)
            # Not among what ODP forwards in every version; where it is unknown the log's end is not foretold.
            shown = ask(connection, "SHOW VARIABLES LIKE 'binlog_expire_logs_seconds'")
            retention_s = float(str(shown[0][1])) if shown else 0.0
        self._connection = connection
        return SourceSample(offset_s, now_s, newest, retention_s, tables)

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()


def lost_lobs(project: Project) -> frozenset[TableName]:
    """The tables whose LOB columns the user leaves out of their view logs."""
    return frozenset(
        TableName(*rule.name.split(".", 1)) for rule in project.objects.tables if rule.accept_lost_lob_updates
    )


def _identity(project: Project, tenant: Tenant, cluster: list[tuple[object, ...]] | None = None) -> Identity:
    """What messages tell of the tenant; the cluster's id stands behind its name in the parameter's row."""
    cluster_id: str | None = None
    for row in cluster or ():
        cluster_id = str(row[row.index("cluster_id") + 2])
    return Identity("OB_MYSQL", f"OB_MYSQL_{project.id}_1-0", tenant.tenant, cluster_id)

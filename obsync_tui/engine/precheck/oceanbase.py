"""All checks of a tenant of OceanBase as a project's source, in order, each with what it needs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pymysql

from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.mysql.catalog import estimates
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.mysql.privileges import Rights, read_rights
from obsync_tui.engine.mysql.server import clock_offset_s
from obsync_tui.engine.oceanbase.catalog import read_tables
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.oceanbase.flashback import ask_on, undo_retention_s
from obsync_tui.engine.oceanbase.logs import binlog_service, choose, view_logs
from obsync_tui.engine.oceanbase.rights import missing_grants
from obsync_tui.engine.oceanbase.tenant import raise_undo_retention
from obsync_tui.engine.oceanbase.version import NEWEST, OLDEST, Edition, Version, read_version
from obsync_tui.engine.precheck import source_objects, source_server, view_log
from obsync_tui.engine.precheck.model import Check, CheckResult, Subject, run_checks
from obsync_tui.engine.precheck.position import check_known_position
from obsync_tui.engine.sinks.kafka.client import SecretResolver
from obsync_tui.engine.store.binlog.server import read_service_log
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Project, Step
from obsync_tui.model.table import TableVersion
from obsync_tui.model.tenant import Available, Choice

_READ_TIMEOUT_S = 60.0
_AFTER_CONNECTION = ("version", "log", "rights", "objects")
# What a small machine reads; a full synchronization is hardly slower than that.
_ROWS_PER_S = 20_000


class OceanBaseChecks:
    """Runs the checks of a tenant; `tables` are then those in scope, None when they could not be read."""

    def __init__(
        self, project: Project, source: OceanBaseSource, secrets: SecretResolver, state_file: Path
    ) -> None:
        self._project = project
        self._source = source
        self._secrets = secrets
        self._state_file = state_file
        self._subject = Subject(source.name)
        self.tables: tuple[TableVersion, ...] | None = None

    def run(self) -> list[CheckResult]:
        """Every check's result; nothing is raised."""
        subject, source = self._subject, self._source
        try:
            rules = ObjectRules(self._project.objects)
        except ValueError as error:
            return [subject.failed("objects", str(error), "Correct include and exclude under [objects].")]
        try:
            connection = connect(source, self._secrets(source.password), read_timeout_s=_READ_TIMEOUT_S)
        except EngineError as error:
            because = "there is no connection"
            return [
                subject.failure("connection", error),
                *(subject.not_run(item, because) for item in _AFTER_CONNECTION),
            ]
        with connection:
            connected = subject.passed("connection", f"{source.host}:{source.port} as {source.user}")
            return [connected, *self._connected(connection, rules)]

    def _connected(self, connection: pymysql.Connection, rules: ObjectRules) -> list[CheckResult]:
        subject = self._subject
        try:
            version = read_version(connection)
            rights = read_rights(connection)
            tables = self.tables = read_tables(connection, rules)
        except EngineError as error:
            return [subject.failure("version, rights, objects", error)]
        checks = [
            Check("version", lambda: [check_version(subject, version)]),
            Check("log", lambda: self._log(connection, version)),
            Check("clock", lambda: [source_server.check_clock(subject, clock_offset_s(connection))]),
            Check("rights", lambda: [self._rights(rights, rules, tables)]),
            Check("objects", lambda: self._objects(rules, tables)),
            Check("undo_retention", lambda: self._retention(connection, version, tables)),
            Check("view logs", lambda: self._view_logs(connection, tables)),
        ]
        return run_checks(subject, checks)

    @property
    def _by_view_logs(self) -> bool:
        return self._source.log is LogChoice.VIEW_LOG

    def _log(self, connection: pymysql.Connection, version: Version) -> Iterator[CheckResult]:
        if Step.INCREMENTAL not in self._project.steps:
            return
        subject = self._subject
        binlog = Available(None, "not asked") if self._by_view_logs else binlog_service(connection)
        chosen = choose(self._source, binlog, view_logs(connection, version))
        yield check_choice(subject, chosen)
        if chosen.log is None:
            return
        yield check_row_image(subject, connection)
        state_file, project_id = self._state_file, self._project.id
        if chosen.log is LogChoice.BINLOG:
            yield check_known_position(
                subject, lambda: read_service_log(connection, subject.name), state_file, project_id
            )

    def _rights(self, rights: Rights, rules: ObjectRules, tables: Sequence[TableVersion]) -> CheckResult:
        log = LogChoice.VIEW_LOG if self._by_view_logs else LogChoice.BINLOG
        names = [table.name for table in tables]
        scope = [] if names else rules.databases()
        missing = dict.fromkeys(
            statement
            for step in self._project.steps
            for statement in missing_grants(rights, step, log, names, scope)
        )
        if not missing:
            return self._subject.passed("rights", f"{rights.account} may do what the project's steps need")
        return self._subject.failed(
            "rights", f"{rights.account} lacks rights that the project needs", f"Run: {' '.join(missing)}"
        )

    def _objects(self, rules: ObjectRules, tables: Sequence[TableVersion]) -> Iterator[CheckResult]:
        subject, objects = self._subject, self._project.objects
        yield source_objects.check_found(subject, rules, tables)
        yield from source_objects.check_table_rules(subject, objects, tables)
        if tables:
            yield source_objects.check_keys(subject, tables)
            yield from source_objects.check_types(subject, tables)
            yield source_objects.check_generated(subject, tables)

    def _retention(
        self, connection: pymysql.Connection, version: Version, tables: Sequence[TableVersion]
    ) -> Iterator[CheckResult]:
        if Step.FULL not in self._project.steps or not tables:
            return
        rows = sum(estimates(connection, [table.name for table in tables]).values())
        kept_s = undo_retention_s(ask_on(connection, self._subject.name), version)
        yield check_undo_retention(self._subject, version, rows, kept_s)

    def _view_logs(
        self, connection: pymysql.Connection, tables: Sequence[TableVersion]
    ) -> Iterator[CheckResult]:
        if not self._by_view_logs or Step.INCREMENTAL not in self._project.steps:
            return
        yield from view_log.check_tables(self._subject, tables)
        yield view_log.check_owners(self._subject, connection, self._project, tables, self._state_file)


def check_version(subject: Subject, version: Version) -> CheckResult:
    """OceanBase 3.1 to 4.x are supported."""
    item, shown = "version", str(version)
    if version.number < OLDEST:
        return subject.failed(item, f"{shown} is not supported", "Use OceanBase 3.1 to 4.x as the source.")
    if version.number[: len(NEWEST)] > NEWEST:
        return subject.warned(item, f"{shown} was never tried", "Use OceanBase 3.1 to 4.x as the source.")
    if version.edition is Edition.SEEKDB:
        return subject.warned(item, f"{shown}: an embedded engine, for trying things out")
    return subject.passed(item, shown)


def check_choice(subject: Subject, chosen: Choice) -> CheckResult:
    """The data source's `log` can be read, and what it costs is accepted."""
    if chosen.log is None:
        return subject.failed("log", chosen.why, chosen.cure)
    return subject.passed("log", f"{chosen.log}: {chosen.why}")


def check_row_image(subject: Subject, connection: pymysql.Connection) -> CheckResult:
    """The tenant writes whole rows into its log."""
    rows = query(connection, "SELECT @@global.binlog_row_image")
    image = str(rows[0][0]).upper() if rows else ""
    if image == "FULL":
        return subject.passed("binlog_row_image", image)
    return subject.failed(
        "binlog_row_image",
        f"{image or 'unknown'}, but must be FULL: the log leaves columns out",
        "Run: SET GLOBAL binlog_row_image = 'FULL'; then close sessions opened before.",
    )


def check_undo_retention(subject: Subject, version: Version, rows: int, kept_s: int | None) -> CheckResult:
    """Full synchronization is done before the tenant forgets the rows as of its cut."""
    item, needed_s = "undo_retention", round(rows / _ROWS_PER_S)
    if kept_s is None:
        return subject.warned(item, "the tenant does not tell how far back it can be read")
    text = f"rows stay readable for {kept_s} s"
    if not rows:
        return subject.passed(item, f"{text}; the number of rows is not known")
    if needed_s <= kept_s:
        return subject.passed(item, f"{text}; about {rows:,} rows take about {needed_s} s")
    return subject.warned(
        item,
        f"{text}, but about {rows:,} rows take about {needed_s} s: full synchronization will go on under further cuts",
        f"To read all under one: {raise_undo_retention(version, 2 * needed_s)}",
    )

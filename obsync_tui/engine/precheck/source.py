"""All checks of a MySQL server as a project's source, in order, each with what it needs."""

from collections.abc import Iterator
from pathlib import Path

import pymysql

from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.mysql.catalog import read_tables
from obsync_tui.engine.mysql.connection import connect
from obsync_tui.engine.mysql.hazards import cascading_keys, functional_indexes
from obsync_tui.engine.mysql.privileges import Rights, read_rights
from obsync_tui.engine.mysql.server import Variables, clock_offset_s, read_log_filters, read_variables
from obsync_tui.engine.precheck import source_objects, source_server
from obsync_tui.engine.precheck.model import Check, CheckResult, Outcome, Subject, run_checks
from obsync_tui.engine.precheck.position import check_known_position
from obsync_tui.engine.sinks.kafka.client import SecretResolver
from obsync_tui.engine.store.binlog.server import read_source_log
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableVersion

_READ_TIMEOUT_S = 60.0
_AFTER_CONNECTION = ("version", "log settings", "rights", "objects")


class SourceChecks:
    """Runs the checks of a source; `tables` are then those in scope, None when they could not be read."""

    def __init__(
        self, project: Project, source: MySQLSource, secrets: SecretResolver, state_file: Path
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
            return [subject.failure("connection", error), *self._not_run("there is no connection", 0)]
        with connection:
            connected = subject.passed("connection", f"{source.host}:{source.port} as {source.user}")
            return [connected, *self._connected(connection, rules)]

    def _not_run(self, because: str, start: int) -> list[CheckResult]:
        return [self._subject.not_run(item, because) for item in _AFTER_CONNECTION[start:]]

    def _connected(self, connection: pymysql.Connection, rules: ObjectRules) -> list[CheckResult]:
        subject = self._subject
        try:
            variables = read_variables(connection)
            version = source_server.check_version(subject, variables)
            if version.outcome is Outcome.FAIL:
                return [version, *self._not_run("the server is not supported", 1)]
            rights = read_rights(connection)
            tables = self.tables = read_tables(connection, rules)
        except EngineError as error:
            return [subject.failure("version, rights, objects", error)]
        checks = [
            Check("server", lambda: self._server(connection, variables)),
            Check("rights", lambda: self._rights(connection, rights, rules, tables)),
            Check("objects", lambda: self._objects(rules, tables)),
            Check("foreign keys", lambda: self._catalog(connection, variables, tables)),
        ]
        return [version, *run_checks(subject, checks)]

    def _server(self, connection: pymysql.Connection, variables: Variables) -> Iterator[CheckResult]:
        subject = self._subject
        for setting in source_server.SETTINGS:
            yield source_server.check_setting(subject, variables, setting)
        yield source_server.check_sync_binlog(subject, variables)
        yield source_server.check_retention(subject, variables)
        yield source_server.check_clock(subject, clock_offset_s(connection))
        yield check_known_position(
            subject, lambda: read_source_log(connection, subject.name), self._state_file, self._project.id
        )

    def _rights(
        self,
        connection: pymysql.Connection,
        rights: Rights,
        rules: ObjectRules,
        tables: tuple[TableVersion, ...],
    ) -> Iterator[CheckResult]:
        names = [table.name for table in tables]
        yield source_server.check_rights(self._subject, rights, self._project.steps, names, rules.databases())
        databases = {name.database for name in names} | set(rules.databases())
        if rights.has("REPLICATION CLIENT"):
            yield source_server.check_log_filters(self._subject, read_log_filters(connection), databases)
        else:
            yield self._subject.not_run("log filters", "needs REPLICATION CLIENT")

    def _objects(self, rules: ObjectRules, tables: tuple[TableVersion, ...]) -> Iterator[CheckResult]:
        subject, objects = self._subject, self._project.objects
        yield source_objects.check_found(subject, rules, tables)
        yield from source_objects.check_table_rules(subject, objects, tables)
        if tables:
            yield source_objects.check_keys(subject, tables)
            yield source_objects.check_engines(subject, tables)
            yield from source_objects.check_types(subject, tables)
            yield source_objects.check_generated(subject, tables)

    def _catalog(
        self, connection: pymysql.Connection, variables: Variables, tables: tuple[TableVersion, ...]
    ) -> Iterator[CheckResult]:
        names = [table.name for table in tables]
        if not names:
            return
        yield source_objects.check_foreign_keys(self._subject, cascading_keys(connection, names))
        if variables.number[:2] == (8, 0):
            hidden = functional_indexes(connection, names)
            yield source_objects.check_functional_indexes(self._subject, variables.number, hidden)

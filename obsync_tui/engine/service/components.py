"""Operations on the parts of a project: its components and its tables."""

import pymysql

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Component as Asked
from obsync_tui.api.requests import Ddl, Named, Samples, Trace
from obsync_tui.engine.errors import Refused, SourceError, SourceUnreachable
from obsync_tui.engine.mysql import catalog as mysql_catalog
from obsync_tui.engine.mysql.connection import connect, error_number, where
from obsync_tui.engine.oceanbase import catalog as oceanbase_catalog
from obsync_tui.engine.oceanbase import connection as oceanbase
from obsync_tui.engine.pipeline.objectviews import object_view
from obsync_tui.engine.pipeline.scope import rules_of
from obsync_tui.engine.runner import Runner
from obsync_tui.engine.service.runs import table_name
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.model.component import Component
from obsync_tui.model.datasource import MySQLSource, SqlSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.event import EventKind
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableVersion
from obsync_tui.model.trace import MessageSample, TraceAnswer
from obsync_tui.model.views import Done, ObjectView, TableDdl

_READ_TIMEOUT_S = 60.0
# A table that is being altered or locked makes the statement wait.
_DDL_TIMEOUT_S = 20.0
# Unknown database, unknown table.
_NOT_THERE = (1049, 1146)


def component(service: Service, request: Asked, caller: Caller) -> Done:
    """Start, pause or restart a component; read tables again."""
    runner = _runner(service, request.name)
    project = runner.project
    which = Component(request.component)
    if request.action == "rerun":
        if which is not Component.FULL_IMPORT:
            raise ConfigError("only full-import can be run again", where=f"project {project.name}, {which}")
        runner.run.rerun_full([table_name(text) for text in request.tables])
    elif request.action == "pause":
        runner.run.pause(which)
    elif request.action == "start":
        runner.run.start(which)
    else:
        runner.run.restart(which)
    service.state.add_event(project.id, EventKind.RUN, f"{which}: {request.action}", who=caller.who)
    return Done((f"{which}: {request.action}",))


def trace(service: Service, request: Trace, caller: Caller) -> TraceAnswer:
    """What became of a row's newest changes."""
    return _runner(service, request.name).run.trace.answer(table_name(request.table), request.key)


def samples(service: Service, request: Samples, caller: Caller) -> tuple[MessageSample, ...]:
    """The newest messages of a table."""
    return _runner(service, request.name).run.trace.samples(table_name(request.table), request.limit)


def _runner(service: Service, name: str) -> Runner:
    runner = service.supervisor().runner(service.index.project(name).id)
    if runner is None:
        raise Refused("the project does not run", where=f"project {name}", cure="Start or resume it.")
    return runner


def objects(service: Service, request: Named, caller: Caller) -> tuple[ObjectView, ...]:
    """The tables of a project: from its run where it runs, else those that its source has now."""
    project = service.index.project(request.name)
    runner = service.engine.runner(project.id) if service.engine else None
    if runner is not None and (found := runner.run.objects()):
        return found
    return tuple(
        object_view(project, table.name, columns=tuple(column.name for column in table.columns))
        for table in source_tables(service, project)
    )


def source_tables(service: Service, project: Project) -> tuple[TableVersion, ...]:
    """The tables of a project's source that its rules match, asked now; ConfigError for rules that cannot be read."""
    source, rules = service.files.source_of(project), rules_of(project)
    with _session(service, source, _READ_TIMEOUT_S) as connection:
        if isinstance(source, MySQLSource):
            return mysql_catalog.read_tables(connection, rules)
        return oceanbase_catalog.read_tables(connection, rules)


def ddl(service: Service, request: Ddl, caller: Caller) -> TableDdl:
    """The statement that makes a table; whether the project runs does not matter, its source is asked."""
    project = service.index.project(request.name)
    name, source = table_name(request.table), service.files.source_of(project)
    if not rules_of(project).matches(name):
        raise ConfigError(
            f"{name} is not among the project's tables",
            where=f"project {project.name}, objects",
            cure=f"Name one that its rules match: {', '.join(project.objects.include)}.",
            missing=True,
        )
    try:
        with _session(service, source, _DDL_TIMEOUT_S) as connection:
            if isinstance(source, MySQLSource):
                text = mysql_catalog.read_ddl(connection, name)
            else:
                text = oceanbase_catalog.read_ddl(connection, name)
    except SourceError as error:
        if error_number(error) in _NOT_THERE:
            raise ConfigError(
                f"the source has no table {name} now",
                where=where(source),
                cure=f"It was dropped or renamed: obsync project events {project.name}",
                missing=True,
            ) from error
        if isinstance(error, SourceUnreachable) and not error.cure:
            cure = f"Try again; what answers there says: obsync source test {source.name}"
            raise SourceUnreachable(error.what, where=error.where, cure=cure) from error
        raise
    return TableDdl(name.database, name.table, source.name, text)


def _session(service: Service, source: SqlSource, read_timeout_s: float) -> pymysql.Connection:
    """A session of its own, to be closed; an answer that takes longer is SourceUnreachable."""
    password = service.secrets.resolve(source.password)
    if isinstance(source, MySQLSource):
        return connect(source, password, read_timeout_s=read_timeout_s)
    return oceanbase.connect(source, password, read_timeout_s=read_timeout_s)


HANDLERS = (
    Handler(op.COMPONENT, component),
    Handler(op.OBJECTS, objects),
    Handler(op.DDL, ddl),
    Handler(op.TRACE, trace),
    Handler(op.SAMPLES, samples),
)

"""Operations on the parts of a project: its components and its tables."""

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Component as Asked
from obsync_tui.api.requests import Named, Samples, Trace
from obsync_tui.engine.errors import Refused
from obsync_tui.engine.mysql import catalog as mysql_catalog
from obsync_tui.engine.mysql.connection import connect
from obsync_tui.engine.oceanbase import catalog as oceanbase_catalog
from obsync_tui.engine.oceanbase import connection as oceanbase
from obsync_tui.engine.pipeline.objectviews import object_view
from obsync_tui.engine.runner import Runner
from obsync_tui.engine.service.runs import table_name
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.model.component import Component
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.event import EventKind
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableVersion
from obsync_tui.model.trace import MessageSample, TraceAnswer
from obsync_tui.model.views import Done, ObjectView

_READ_TIMEOUT_S = 60.0


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
        for table in _tables(service, project)
    )


def _tables(service: Service, project: Project) -> tuple[TableVersion, ...]:
    source = service.files.source_of(project)
    try:
        rules = ObjectRules(project.objects)
    except ValueError as error:
        raise ConfigError(
            str(error), where=f"project {project.name}, objects", cure="Correct the rules."
        ) from error
    password = service.secrets.resolve(source.password)
    if isinstance(source, MySQLSource):
        with connect(source, password, read_timeout_s=_READ_TIMEOUT_S) as connection:
            return mysql_catalog.read_tables(connection, rules)
    with oceanbase.connect(source, password, read_timeout_s=_READ_TIMEOUT_S) as connection:
        return oceanbase_catalog.read_tables(connection, rules)


HANDLERS = (
    Handler(op.COMPONENT, component),
    Handler(op.OBJECTS, objects),
    Handler(op.TRACE, trace),
    Handler(op.SAMPLES, samples),
)

"""Operations that ask servers about data sources and projects."""

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Databases, Named, Orphans, PutSource
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.oceanbase.describe import describe as describe_tenant
from obsync_tui.engine.oceanbase.rights import prepare_script
from obsync_tui.engine.precheck.connectivity import test_source
from obsync_tui.engine.precheck.run import precheck
from obsync_tui.engine.service.pictures import require_of
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.engine.service.sources import complete
from obsync_tui.engine.store.mlog.listing import drop_orphans, list_logs, owners
from obsync_tui.model.check import CheckResult
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.lifecycle import Action
from obsync_tui.model.tenant import Description
from obsync_tui.model.viewlog import ListedLog
from obsync_tui.model.views import Done, Script

_READ_TIMEOUT_S = 60.0


def check(service: Service, request: Named, caller: Caller) -> tuple[CheckResult, ...]:
    """Run the precheck."""
    found = service.index.project(request.name)
    require_of(service, found, Action.CHECK)
    source, destination = service.files.source_of(found), service.files.destination_of(found)
    return tuple(precheck(found, source, destination, service.secrets.resolve, service.paths.state))


def test(service: Service, request: Named, caller: Caller) -> tuple[CheckResult, ...]:
    """Connect and say what was found."""
    return tuple(test_source(service.files.source(request.name), service.secrets.resolve))


def try_out(service: Service, request: PutSource, caller: Caller) -> tuple[CheckResult, ...]:
    """Connect to what is not written yet."""
    return tuple(test_source(complete(service, request), service.secrets.resolve))


def describe(service: Service, request: Named, caller: Caller) -> Description:
    """What a tenant offers."""
    found = oceanbase_source(service, request.name)
    return describe_tenant(found, service.secrets.resolve(found.password))


def prepare(service: Service, request: Databases, caller: Caller) -> Script:
    """The script that makes the data source's user."""
    names = [name for name in request.databases.split(",") if name]
    return Script(prepare_script(oceanbase_source(service, request.name), names))


def view_logs(service: Service, request: Named, caller: Caller) -> tuple[ListedLog, ...]:
    """A tenant's view logs with their owners."""
    return _view_logs(service, request.name, drop=False)[0]


def drop(service: Service, request: Orphans, caller: Caller) -> Done:
    """Drop the view logs of projects that are gone."""
    return Done(_view_logs(service, request.name, drop=True)[1])


def oceanbase_source(service: Service, name: str) -> OceanBaseSource:
    """The data source; ConfigError for one of another kind."""
    found = service.files.source(name)
    if not isinstance(found, OceanBaseSource):
        raise ConfigError(
            "this is for sources of OceanBase only",
            where=f"source {name}",
            cure="Name one of kind oceanbase; obsync source test tells what answers for any kind.",
        )
    return found


def _view_logs(service: Service, name: str, *, drop: bool) -> tuple[tuple[ListedLog, ...], tuple[str, ...]]:
    found, where = oceanbase_source(service, name), f"source {name}"
    known = owners(service.state.records_like(VIEW_LOG_PREFIX))
    projects = {e.project.id: e.name for e in service.index.entries().values() if e.project}
    password = service.secrets.resolve(found.password)
    notes: tuple[str, ...] = ()
    with connect(found, password, read_timeout_s=_READ_TIMEOUT_S) as connection:
        listed = list_logs(connection, known, projects, where)
        if drop:
            dropped = drop_orphans(connection, listed, known, where)
            notes = tuple(f"dropped: the view log of {table}" for table in dropped)
    return tuple(listed), notes


HANDLERS = (
    Handler(op.CHECK, check),
    Handler(op.TEST_SOURCE, test),
    Handler(op.TRY_SOURCE, try_out),
    Handler(op.DESCRIBE, describe),
    Handler(op.PREPARE, prepare),
    Handler(op.VIEW_LOGS, view_logs),
    Handler(op.DROP_ORPHANS, drop),
)

"""Operations on data sources."""

import msgspec

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Named, Nothing, PutSource, Rename, Seal
from obsync_tui.engine.service.index import digest
from obsync_tui.engine.service.masking import is_masked, masked, unmasked
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.model.datasource import DataSource, LogChoice, OceanBaseSource
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.secret import Secret
from obsync_tui.model.views import Done, Sealed, SourceView


def sources(service: Service, request: Nothing, caller: Caller) -> tuple[SourceView, ...]:
    """Every data source."""
    users = _users(service)
    return tuple(
        _view(one.source, users) if one.source else SourceView(one.name, error=one.error)
        for one in service.files.sources()
    )


def source(service: Service, request: Named, caller: Caller) -> SourceView:
    """One data source."""
    return _view(service.files.source(request.name), _users(service))


def put(service: Service, request: PutSource, caller: Caller) -> SourceView:
    """Write a data source; ConfigError when there is one of that name and it is not to be replaced."""
    given = complete(service, request)
    if service.files.has_source(given.name) and not request.replace:
        raise ConfigError(
            f"the data source {given.name!r} exists",
            where="source add",
            cure="Give --replace, or another name.",
        )
    if (
        isinstance(given, OceanBaseSource)
        and given.log is LogChoice.VIEW_LOG
        and not given.accept_view_log_costs
    ):
        from obsync_tui.engine.oceanbase.logs import VIEW_LOG_COSTS  # clients that a list does without

        raise ConfigError(VIEW_LOG_COSTS, where="--log", cure="To agree, give --accept-view-log-costs.")
    service.files.write_source(given)
    return _view(given, _users(service))


def copy(service: Service, request: Rename, caller: Caller) -> SourceView:
    """Write a data source under another name; a sealed secret goes from file to file and is shown to nobody."""
    found = service.files.source(request.name)
    if service.files.has_source(request.to):
        raise ConfigError(
            f"the data source {request.to!r} exists",
            where=f"a copy of source {request.name}",
            cure="Give another name.",
        )
    made = msgspec.structs.replace(found, name=request.to)
    service.files.write_source(made)
    return _view(made, _users(service))


def delete(service: Service, request: Named, caller: Caller) -> Done:
    """Remove a data source that no project uses."""
    if users := _users(service).get(request.name):
        raise ConfigError(
            f"the project {users[0]!r} uses it"
            if len(users) == 1
            else f"{len(users)} projects use it: {', '.join(users[:5])}",
            where=f"source {request.name}",
            cure="Delete the project first.",
        )
    service.files.delete_source(request.name)
    return Done()


def seal(service: Service, request: Seal, caller: Caller) -> Sealed:
    """Seal a secret under this home's key."""
    return Sealed(service.secrets.seal(Secret(request.secret)))


def complete(service: Service, request: PutSource) -> DataSource:
    """The data source, with the secrets that stand in the file where the client knows only their masks."""
    given = request.source
    if not is_masked(given):
        return given
    return unmasked(given, service.files.source(given.name))


def _users(service: Service) -> dict[str, tuple[str, ...]]:
    """Which projects use which data source."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in service.index.entries().values():
        if entry.project:
            for name in {entry.project.source, entry.project.destination}:
                found[name] = (*found.get(name, ()), entry.name)
    return found


def _view(found: DataSource, users: dict[str, tuple[str, ...]]) -> SourceView:
    return SourceView(found.name, masked(found), users.get(found.name, ()), digest(repr(found)))


HANDLERS = (
    Handler(op.SOURCES, sources),
    Handler(op.SOURCE, source),
    Handler(op.PUT_SOURCE, put),
    Handler(op.COPY_SOURCE, copy),
    Handler(op.DELETE_SOURCE, delete),
    Handler(op.SEAL, seal),
)

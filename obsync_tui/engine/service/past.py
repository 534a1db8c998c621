"""Operations on what was: metrics over time, component logs, the events of all projects."""

from obsync_tui.api import operations as op
from obsync_tui.api.requests import AllEvents, EngineLogs, Logs, Metrics
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.event import Event
from obsync_tui.model.history import Component, Level, LogPage, Metric, MetricSeries


def metrics(service: Service, request: Metrics, caller: Caller) -> MetricSeries:
    """A stretch of a project's metrics; the names that were asked for, or all."""
    try:
        names = tuple(Metric(name) for name in request.metrics.split(",") if name) or tuple(Metric)
    except ValueError as error:
        known = ", ".join(Metric)
        raise ConfigError(str(error), where="metrics", cure=f"Known: {known}.") from error
    project = service.index.project(request.name)
    history = service.supervisor().history
    return history.series(project.id, names, request.from_s, request.to_s, request.points)


def logs(service: Service, request: Logs, caller: Caller) -> LogPage:
    """Lines of a component's log."""
    project = service.index.project(request.name)
    return _page(service.logs, project.id, Component(request.component), request)


def engine_logs(service: Service, request: EngineLogs, caller: Caller) -> LogPage:
    """Lines of the engine's own log."""
    return _page(service.logs, "", Component.ENGINE, request)


def all_events(service: Service, request: AllEvents, caller: Caller) -> tuple[Event, ...]:
    """What happened in all projects, oldest first."""
    if not service.has_state:
        return ()
    level, before = Level(request.level), request.before or None
    found = service.state.event_page(
        None, limit=request.limit, before=before, level=level, search=request.search
    )
    return tuple(found)


def _page(logs: ComponentLogs, project_id: str, component: Component, request: Logs | EngineLogs) -> LogPage:
    level = Level(request.level)
    if request.after:
        return logs.following(
            project_id,
            component,
            limit=request.limit,
            after=request.after,
            level=level,
            search=request.search,
        )
    return logs.newest(
        project_id, component, limit=request.limit, before=request.before, level=level, search=request.search
    )


HANDLERS = (
    Handler(op.METRICS, metrics),
    Handler(op.LOGS, logs),
    Handler(op.ENGINE_LOGS, engine_logs),
    Handler(op.ALL_EVENTS, all_events),
)

"""Operations on a project's run: its lifecycle, its gaps, and the engine's drafts."""

from collections.abc import Iterator
from contextlib import contextmanager

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Batch, Confirmed, Decide, ListProjects, Named, Release, Retime, Start
from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.pipeline import retime as retiming
from obsync_tui.engine.pipeline.gap import decide as decide_gap
from obsync_tui.engine.pipeline.gap import read_gap
from obsync_tui.engine.pipeline.parts import source_side
from obsync_tui.engine.pipeline.reset import release_project, reset_project
from obsync_tui.engine.pipeline.source import SourceSide
from obsync_tui.engine.pipeline.stopped import StoppedProject, stopped_project
from obsync_tui.engine.refusal import require
from obsync_tui.engine.service import pictures
from obsync_tui.engine.service.projects import delete
from obsync_tui.engine.service.service import Caller, Handler, Service, confirmed
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.model.applied import Applied
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.event import EventKind
from obsync_tui.model.gap import Gap
from obsync_tui.model.lifecycle import ALLOWED, Action, ProjectState
from obsync_tui.model.moment import Moment
from obsync_tui.model.project import Project
from obsync_tui.model.retime import Retimed
from obsync_tui.model.table import TableName
from obsync_tui.model.views import Done, Outcome


def start(service: Service, request: Start, caller: Caller) -> Outcome:
    """Start a project."""
    state = service.supervisor().run(request.name, Action.START, caller.who, take_over=request.take_over)
    return Outcome(request.name, state)


def resume(service: Service, request: Start, caller: Caller) -> Outcome:
    """Go on with a paused or failed project."""
    state = service.supervisor().run(request.name, Action.RESUME, caller.who, take_over=request.take_over)
    return Outcome(request.name, state)


def pause(service: Service, request: Named, caller: Caller) -> Outcome:
    """Stop a project at a checkpoint; one that waits for a server's answer is given up within 5 s."""
    return Outcome(request.name, service.supervisor().pause(request.name, caller.who))


def apply(service: Service, request: Named, caller: Caller) -> Applied:
    """Let a running project take its edited file in."""
    return service.supervisor().apply(request.name, caller.who)


def release(service: Service, request: Release, caller: Caller) -> Outcome:
    """End a project for good."""
    confirmed(request.confirm, request.name)
    with _stopped(service, request.name, Action.RELEASE) as project:
        stays = f"the checkpoint topic __obsync.{project.id} stays in Kafka"
        expected = ALLOWED[Action.RELEASE] | {ProjectState.NOT_STARTED}
        before = _move(service, project, expected, ProjectState.RELEASING, caller)
        try:
            if not request.local_only:
                source, destination = service.files.source_of(project), service.files.destination_of(project)
                stays = release_project(project, source, destination, service.secrets.resolve, service.state)
        except BaseException:
            _move(service, project, _RELEASING, before, caller, "could not be released")
            raise
        _move(service, project, _RELEASING, ProjectState.RELEASED, caller, stays)
    return Outcome(project.name, ProjectState.RELEASED, (stays,) if stays else ())


def reset(service: Service, request: Confirmed, caller: Caller) -> Done:
    """Forget a stopped project's progress: its next run starts from the beginning."""
    confirmed(request.confirm, request.name)
    with _stopped(service, request.name, Action.RESET) as project:
        source, destination = service.files.source_of(project), service.files.destination_of(project)
        reset_project(project, source, destination, service.secrets.resolve, service.state)
        service.state.add_event(project.id, EventKind.RESET, "progress forgotten", who=caller.who)
        completed = frozenset((ProjectState.COMPLETED,))
        _move(service, project, completed, ProjectState.PAUSED, caller, "started over")
    return Done((f"reset: {project.name}",))


def gap(service: Service, request: Named, caller: Caller) -> Gap:
    """What of the log is out of a stopped project's reach."""
    with _checkpoint(service, request.name, Action.GAP) as (project, side, stopped):
        return read_gap(side, stopped, f"project {project.name}")


def decide(service: Service, request: Decide, caller: Caller) -> Done:
    """Commit what is to be read again and what is given up."""
    if not (request.resync or request.resync_all or request.accept):
        raise ConfigError(
            "nothing is decided", where="project gap", cure="Name tables to read again, or accept the gap."
        )
    resync = None if request.resync_all else [table_name(text) for text in request.resync]
    with _checkpoint(service, request.name, Action.GAP) as (project, side, stopped):
        return Done(decide_gap(project, side, stopped, service.state, resync, request.accept))


def retime(service: Service, request: Retime, caller: Caller) -> Retimed:
    """Set a stopped project to a point of time; without its name only tell what that would mean."""
    if request.confirm:
        confirmed(request.confirm, request.name)
    again = None if request.resync_all else [table_name(text) for text in request.resync]
    with _checkpoint(service, request.name, Action.RETIME) as (project, side, stopped):
        plan = retiming.plan(project, side, stopped, Moment.of(request.at_s), again)
        if not request.confirm:
            return Retimed(plan.retime)
        done = retiming.retime(project, side, stopped, service.state, plan, caller.who)
        return Retimed(plan.retime, done)


def batch(service: Service, request: Batch, caller: Caller) -> tuple[Outcome, ...]:
    """One action on several projects; each is tried, and its outcome told."""
    names = list(request.names) or [
        one.name for one in pictures.summaries(service, ListProjects(tag=request.tag)) if not one.error
    ]
    if not request.names and not request.tag:
        raise ConfigError("no project is named", where="batch", cure="Name projects, or a tag.")
    action = Action(request.action)
    if action in (Action.RELEASE, Action.DELETE):
        confirmed(request.confirm, str(len(names)))
    return tuple(_one(service, action, name, caller) for name in names)


def _one(service: Service, action: Action, name: str, caller: Caller) -> Outcome:
    try:
        if action is Action.START:
            return start(service, Start(name), caller)
        if action is Action.RESUME:
            return resume(service, Start(name), caller)
        if action is Action.PAUSE:
            return pause(service, Named(name), caller)
        if action is Action.RELEASE:
            return release(service, Release(name, name), caller)
        return Outcome(name, None, delete(service, Confirmed(name, name), caller).notes)
    except EngineError as error:
        return Outcome(name, None, error=str(error), code=type(error).__name__)


@contextmanager
def _stopped(service: Service, name: str, action: Action) -> Iterator[Project]:
    """A project that does not run, locked; Refused when its state does not allow the action."""
    project = service.index.project(name)
    state = pictures.picture_of(service, project).state
    # Before the first run there is nothing to lose, and nothing that these actions would find.
    if not (state is ProjectState.NOT_STARTED and action in _HARMLESS):
        require(state, action, name)
    if service.engine:
        service.engine.settle(project.id)
    with ProjectLock(service.paths.state, project.id):
        yield project


@contextmanager
def _checkpoint(
    service: Service, name: str, action: Action
) -> Iterator[tuple[Project, SourceSide, StoppedProject]]:
    """The checkpoint of a project that does not run, opened to be changed, and its source."""
    with _stopped(service, name, action) as project:
        source, destination = service.files.source_of(project), service.files.destination_of(project)
        side = source_side(project, source, service.secrets.resolve, service.state)
        with stopped_project(project, destination, service.secrets.resolve, service.state) as stopped:
            yield project, side, stopped


_RELEASING = frozenset((ProjectState.RELEASING,))
_HARMLESS = frozenset((Action.RESET, Action.RELEASE, Action.GAP, Action.RETIME))


def _move(
    service: Service,
    project: Project,
    expected: frozenset[ProjectState],
    to: ProjectState,
    caller: Caller,
    text: str = "",
) -> ProjectState:
    """Move a project whose lock is held; answers the state that it was in."""
    before = service.table.move(project.id, expected, to, caller.who, text)
    if service.engine:
        service.engine.reload(project.id)
    return before


def table_name(text: str) -> TableName:
    """`database.table`; ConfigError for anything else."""
    try:
        return TableName.parse(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"not a table: {text!r}", where="a table's name", cure="Write DATABASE.TABLE."
        ) from error


HANDLERS = (
    Handler(op.START, start),
    Handler(op.RESUME, resume),
    Handler(op.PAUSE, pause),
    Handler(op.APPLY, apply),
    Handler(op.RELEASE, release),
    Handler(op.RESET, reset),
    Handler(op.GAP, gap),
    Handler(op.DECIDE, decide),
    Handler(op.RETIME, retime),
    Handler(op.BATCH, batch),
)

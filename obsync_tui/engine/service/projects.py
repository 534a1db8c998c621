"""Operations on projects: their files, pictures and names."""

import difflib

import msgspec

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Confirmed, CreateProject, Events, ListProjects, Named, Rename, SaveProject
from obsync_tui.engine.errors import Conflict
from obsync_tui.engine.service import pictures
from obsync_tui.engine.service.service import Caller, Handler, Service, confirmed
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.event import Event, EventKind
from obsync_tui.model.lifecycle import Action
from obsync_tui.model.metrics import ENDED
from obsync_tui.model.project import new_project_id
from obsync_tui.model.views import Done, ProjectDetails, ProjectFile, ProjectSummary, Report


def projects(service: Service, request: ListProjects, caller: Caller) -> tuple[ProjectSummary, ...]:
    """Every project, a line each."""
    return pictures.summaries(service, request)


def project(service: Service, request: Named, caller: Caller) -> ProjectDetails:
    """Everything about one project."""
    return pictures.details(service, request.name)


def status(service: Service, request: Named, caller: Caller) -> Report:
    """The newest figures of a run."""
    found = service.index.project(request.name)
    picture = pictures.picture_of(service, found)
    newest = picture.status
    state = str(picture.state)
    if newest is not None and newest.phase not in ENDED and not picture.running:
        state = f"{state}, ended without a word"
    return Report(found.name, found.id, state, picture.running, pictures.age_s(newest), newest)


def create(service: Service, request: CreateProject, caller: Caller) -> ProjectDetails:
    """Write a project's file."""
    made = request.project
    if service.files.has_project(made.name):
        raise ConfigError(
            f"the project {made.name!r} exists", where="project create", cure="Choose another name."
        )
    if pictures.life_of(service, made.id) is not None:
        raise ConfigError(
            f"the id {made.id} was another project's", where="project create", cure="Leave the id out."
        )
    service.files.source_of(made)
    service.files.destination_of(made)
    service.files.write_project(made)
    service.table.made(made.id, caller.who)
    _told(service, made.id)
    return pictures.details(service, made.name)


def save(service: Service, request: SaveProject, caller: Caller) -> ProjectFile:
    """Replace a project's file; Conflict when it is not the one that was read, or comments would be lost."""
    entry = service.index.entry(request.name)
    if entry.digest != request.digest:
        raise Conflict(
            "the file was changed since it was read",
            where=f"project {request.name}",
            cure="Look at the differences, then save again.",
        )
    before, after = entry.project, request.project
    if after.name != request.name or (before and after.id != before.id):
        raise ConfigError(
            "name and id stay", where=f"project {request.name}", cure="Use obsync project rename or clone."
        )
    if before:
        pictures.require_of(service, before, Action.EDIT)
    if "#" in entry.text and _has_comments(entry.text) and not request.over_comments:
        raise Conflict(
            "the file has comments, which saving would remove",
            where=f"project {request.name}",
            cure="Agree to that, or edit the file by hand.",
        )
    service.files.source_of(after)
    service.files.destination_of(after)
    service.files.write_project(after)
    service.state.add_event(after.id, EventKind.CONFIGURATION, "file saved", who=caller.who)
    _told(service, after.id)
    return file(service, Named(request.name), caller)


def file(service: Service, request: Named, caller: Caller) -> ProjectFile:
    """A project's file, and how it differs from what runs."""
    entry = service.index.entry(request.name)
    found = entry.project
    life = pictures.life_of(service, found.id) if found else None
    runs = found is not None and service.engine is not None and service.engine.runner(found.id) is not None
    diff = ""
    if life and runs and life.running != entry.text:
        diff = "\n".join(
            difflib.unified_diff(
                life.running.splitlines(), entry.text.splitlines(), "runs", "file", lineterm=""
            )
        )
    return ProjectFile(entry.name, entry.text, entry.digest, diff, entry.error)


def events(service: Service, request: Events, caller: Caller) -> tuple[Event, ...]:
    """What happened, oldest first."""
    found = service.index.project(request.name)
    return tuple(service.state.events(found.id, request.limit)) if service.has_state else ()


def delete(service: Service, request: Confirmed, caller: Caller) -> Done:
    """Remove the file and the state of a project that never ran or is released."""
    confirmed(request.confirm, request.name)
    found = service.index.project(request.name)
    pictures.require_of(service, found, Action.DELETE)
    with ProjectLock(service.paths.state, found.id) as lock:
        service.state.delete(found.id, but=VIEW_LOG_PREFIX)
        service.files.delete_project(found.name)
        if service.engine:
            service.engine.forget(found.id)
        lock.remove()
    return Done((f"deleted: {found.name}",))


def rename(service: Service, request: Rename, caller: Caller) -> Done:
    """Give a project another name; its id, and so its checkpoint, stays."""
    found = service.index.project(request.name)
    pictures.require_of(service, found, Action.RENAME)
    if service.files.has_project(request.to):
        raise ConfigError(
            f"the project {request.to!r} exists", where="project rename", cure="Choose another name."
        )
    service.files.rename_project(found, request.to)
    service.state.add_event(found.id, EventKind.CONFIGURATION, f"renamed from {found.name}", who=caller.who)
    _told(service, found.id)
    return Done((f"renamed: {found.name} is {request.to}",))


def clone(service: Service, request: Rename, caller: Caller) -> Done:
    """Write a project of another name and id with the same options."""
    found = service.index.project(request.name)
    pictures.require_of(service, found, Action.CLONE)
    made = msgspec.structs.replace(found, id=new_project_id(), name=request.to)
    create(service, CreateProject(made), caller)
    return Done((f"written: {service.files.paths.projects / (made.name + '.toml')}",))


def _told(service: Service, project_id: str) -> None:
    service.index.look()
    if service.engine:
        service.engine.reload(project_id)


def _has_comments(text: str) -> bool:
    """Whether a line is, or ends in, a comment: without it the document is the same, and shorter."""
    for line in text.splitlines():
        before, sign, _ = line.partition("#")
        if sign and before.count('"') % 2 == 0 and before.count("'") % 2 == 0:
            return True
    return False


HANDLERS = (
    Handler(op.PROJECTS, projects),
    Handler(op.PROJECT, project),
    Handler(op.STATUS, status),
    Handler(op.CREATE, create),
    Handler(op.SAVE, save),
    Handler(op.FILE, file),
    Handler(op.EVENTS, events),
    Handler(op.DELETE, delete),
    Handler(op.RENAME, rename),
    Handler(op.CLONE, clone),
)

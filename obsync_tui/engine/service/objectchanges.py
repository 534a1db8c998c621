"""Operations that add tables to a project's objects and remove them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from obsync_tui.api import operations as op
from obsync_tui.api.requests import ChangeObjects, Named
from obsync_tui.engine.errors import Conflict, EngineError, Refused
from obsync_tui.engine.service import pictures
from obsync_tui.engine.service.components import source_tables
from obsync_tui.engine.service.pictures import Picture
from obsync_tui.engine.service.service import Caller, Handler, Service
from obsync_tui.engine.state.objectchanges import ChangeTable
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.lifecycle import Action, ProjectState
from obsync_tui.model.objectchange import ChangeKind, ChangeState, ObjectChange, added, removed
from obsync_tui.model.objects import ObjectRules, Scope
from obsync_tui.model.project import Project


def changes(service: Service, request: Named, caller: Caller) -> tuple[ObjectChange, ...]:
    """What was added and removed, the newest first."""
    project = service.index.project(request.name)
    return tuple(ChangeTable(service.state).of(project.id)) if service.has_state else ()


def change(service: Service, request: ChangeObjects, caller: Caller) -> ObjectChange:
    """Add rules or remove some: in the file, and where the project runs, there too."""
    if bool(request.add) == bool(request.remove):
        raise ConfigError(
            "an object change adds rules or removes some, one of both",
            where=f"project {request.name}",
            cure="Add first, then remove when that has succeeded.",
        )
    kind, rules = (ChangeKind.ADD, request.add) if request.add else (ChangeKind.REMOVE, request.remove)
    project = service.index.project(request.name)
    pictures.require_of(service, project, Action.ADD_OBJECTS if request.add else Action.REMOVE_OBJECTS)
    picture = pictures.picture_of(service, project)
    _check_file(service, project, picture)
    scope = _scope(project, kind, rules)
    _check_tables(service, project, kind, scope)
    state = _begins_as(picture)
    now_s = time.time()
    made = ObjectChange(
        0, project.id, kind, rules, state, now_s, Scope.of(project.objects), scope, caller.who,
        ended_s=now_s if state is ChangeState.SUCCEEDED else None,
    )  # fmt: skip
    table = ChangeTable(service.state)
    _end_failed(table, project)
    made = table.begin(made)
    try:
        _write(service, project, scope, picture, caller)
    except BaseException:
        table.forget(made)
        raise
    return made


def cancel(service: Service, request: Named, caller: Caller) -> ObjectChange:
    """Take back the change that is open; a removal only while it waits, or when the file was edited otherwise."""
    project = service.index.project(request.name)
    table = ChangeTable(service.state)
    found = table.open_of(project.id) if service.has_state else None
    where = f"project {project.name}"
    if found is None:
        raise Refused("no object change is open", where=where)
    waits = found.state is ChangeState.PENDING
    ours = Scope.of(project.objects) == found.after
    if found.kind is ChangeKind.REMOVE and ours and not waits:
        raise Refused(
            "a removal that has begun cannot be taken back",
            where=where,
            cure="Add the rules again when it is over.",
        )
    picture = pictures.picture_of(service, project)
    if ours:
        _check_file(service, project, picture)
    text = "" if ours else "the file holds other rules meanwhile, and they stay"
    to = ChangeState.CANCELED if waits else ChangeState.ABORTED
    if not table.move(found, to, text, ends=True, who=caller.who):
        raise Refused("the object change has ended meanwhile", where=where)
    try:
        if ours:
            _write(service, project, found.before, picture, caller)
    except BaseException:
        table.reopen(found)
        raise
    return table.of(project.id)[0]


def _scope(project: Project, kind: ChangeKind, rules: tuple[str, ...]) -> Scope:
    before = Scope.of(project.objects)
    try:
        return added(before, rules) if kind is ChangeKind.ADD else removed(before, rules)
    except ValueError as error:
        raise ConfigError(
            str(error), where=f"project {project.name}", cure="Write DATABASE.TABLE, with * for anything."
        ) from error


def _check_tables(service: Service, project: Project, kind: ChangeKind, scope: Scope) -> None:
    """Refuse an addition that brings no table, and a removal that leaves none. Asks the source."""
    objects = msgspec.structs.replace(project.objects, include=scope.include, exclude=scope.exclude)
    before = ObjectRules(project.objects)
    there = source_tables(service, msgspec.structs.replace(project, objects=objects))
    if kind is ChangeKind.ADD and all(before.matches(table.name) for table in there):
        raise ConfigError(
            "no table of the source comes into scope by that",
            where=f"project {project.name}",
            cure="Correct the rule; a table that does not exist yet is added when it does.",
        )
    if kind is ChangeKind.REMOVE and not there:
        raise ConfigError(
            "no table would be left in scope",
            where=f"project {project.name}",
            cure="Pause or release the project instead.",
        )


def _check_file(service: Service, project: Project, picture: Picture) -> None:
    """Refuse what would take other edits of the file in along the way, or cannot be taken in at all."""
    if picture.running and picture.runner is None:
        raise Refused(
            "the project runs in the foreground, where nothing can be asked of it",
            where=f"project {project.name}",
            cure="Stop that run, or let an engine run the project.",
        )
    life = picture.life
    if picture.runner and life and life.digest != service.index.entry(project.name).digest:
        raise Conflict(
            "the file was edited since the project took it in",
            where=f"project {project.name}",
            cure=f"Apply it first: obsync project apply {project.name}",
        )


def _begins_as(picture: Picture) -> ChangeState:
    if picture.state is ProjectState.NOT_STARTED:
        return ChangeState.SUCCEEDED
    return ChangeState.MODIFYING if picture.runner else ChangeState.PENDING


def _end_failed(table: ChangeTable, project: Project) -> None:
    """A change that failed stays so when another follows it; what it brought is still in the file."""
    found = table.open_of(project.id)
    if found is not None and found.state is ChangeState.FAILED:
        table.move(found, ChangeState.FAILED, found.text, ends=True)


def _write(service: Service, project: Project, scope: Scope, picture: Picture, caller: Caller) -> None:
    with _put_back(service, service.files.write_scope(project, scope), Scope.of(project.objects)):
        service.index.look()
        if picture.runner and service.engine:
            service.engine.apply(project.name, caller.who)


@contextmanager
def _put_back(service: Service, written: Project, before: Scope) -> Iterator[None]:
    """Put the file's rules back when the project does not take them in."""
    try:
        yield
    except EngineError:
        service.files.write_scope(written, before)
        service.index.look()
        raise


HANDLERS = (
    Handler(op.OBJECT_CHANGES, changes),
    Handler(op.CHANGE_OBJECTS, change),
    Handler(op.CANCEL_CHANGE, cancel),
)

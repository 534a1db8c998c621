"""A project's states and what may be done in each: one table for engine, API, command line and console."""

from enum import StrEnum

import msgspec

from obsync_tui.model.metrics import Phase


class ProjectState(StrEnum):
    """Where a project is in its life, in OMS's words."""

    NOT_STARTED = "Not Started"
    RUNNING = "Running"
    PAUSED = "Paused"
    FAILED = "Failed"
    COMPLETED = "Completed"
    RELEASING = "Releasing"
    RELEASED = "Released"


class Action(StrEnum):
    """What can be done to a project as a whole."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    RELEASE = "release"
    DELETE = "delete"
    EDIT = "edit"
    RENAME = "rename"
    ADD_OBJECTS = "add objects"
    REMOVE_OBJECTS = "remove objects"
    CLONE = "clone"
    CHECK = "check"
    RESET = "reset"
    RETIME = "retime"
    GAP = "gap"


_ALL = frozenset(ProjectState)
_STOPPED = frozenset((ProjectState.PAUSED, ProjectState.FAILED))
_UNSTARTED = frozenset((ProjectState.NOT_STARTED,))
_GONE = frozenset((ProjectState.RELEASING, ProjectState.RELEASED))

ALLOWED: dict[Action, frozenset[ProjectState]] = {
    Action.START: _UNSTARTED,
    Action.PAUSE: frozenset((ProjectState.RUNNING,)),
    Action.RESUME: _STOPPED,
    Action.RELEASE: _STOPPED | {ProjectState.COMPLETED},
    Action.DELETE: _UNSTARTED | {ProjectState.RELEASED},
    Action.EDIT: _ALL - _GONE - {ProjectState.COMPLETED},
    Action.RENAME: _ALL - _GONE - {ProjectState.COMPLETED},
    Action.ADD_OBJECTS: frozenset((ProjectState.NOT_STARTED, ProjectState.RUNNING, ProjectState.PAUSED)),
    Action.REMOVE_OBJECTS: _ALL - _GONE - {ProjectState.COMPLETED},
    Action.CLONE: _ALL - {ProjectState.RELEASING},
    Action.CHECK: _ALL - _GONE,
    Action.RESET: _STOPPED | {ProjectState.COMPLETED},
    Action.RETIME: _STOPPED,
    Action.GAP: _STOPPED,
}

# Where an action that ends well leads at once; a release passes through Releasing.
LEADS_TO: dict[Action, ProjectState] = {
    Action.START: ProjectState.RUNNING,
    Action.RESUME: ProjectState.RUNNING,
    Action.PAUSE: ProjectState.PAUSED,
    Action.RELEASE: ProjectState.RELEASING,
}

# What a person is told who asks for an action in a state that does not allow it.
_FIRST: dict[ProjectState, str] = {
    ProjectState.NOT_STARTED: "the project has not been started",
    ProjectState.RUNNING: "the project runs: pause it first",
    ProjectState.PAUSED: "the project is paused: resume it first",
    ProjectState.FAILED: "the project has failed: resume or release it",
    ProjectState.COMPLETED: "the project is complete: it can only be reset, released or cloned",
    ProjectState.RELEASING: "the project is being released",
    ProjectState.RELEASED: "the project is released: it can only be cloned or deleted",
}
# What is not done to a project whose objects are being changed.
_WAIT = frozenset((Action.RENAME, Action.ADD_OBJECTS, Action.REMOVE_OBJECTS))
_RUNS_ALREADY = frozenset((Action.START, Action.RESUME))


_AFTER: dict[Phase, ProjectState] = {
    Phase.COMPLETED: ProjectState.COMPLETED,
    Phase.FAILED: ProjectState.FAILED,
    Phase.GAP: ProjectState.FAILED,
}


def state_after(phase: Phase) -> ProjectState:
    """Where a run in the foreground leaves its project, by the last phase that it told of."""
    return _AFTER.get(phase, ProjectState.PAUSED)


class ActionState(msgspec.Struct, frozen=True):
    """An action and why it is disabled; an empty reason means that it is allowed."""

    action: Action
    reason: str = ""


def reason(state: ProjectState, action: Action, *, changing: bool = False) -> str:
    """Why the action is not possible in the state; empty when it is. `changing`: an object change is under way."""
    if state in ALLOWED[action]:
        return "an object change is open: let it end, or cancel it" if changing and action in _WAIT else ""
    if state is ProjectState.RUNNING and action in _RUNS_ALREADY:
        return "the project runs already"
    if state is ProjectState.PAUSED and action is Action.PAUSE:
        return "the project is paused already"
    if state in _STOPPED and action is Action.START:
        return "the project was started before: resume it"
    if state in _STOPPED and action is Action.DELETE:
        return "the project holds a checkpoint: release it first"
    return _FIRST[state]


def actions(state: ProjectState, *, changing: bool = False) -> tuple[ActionState, ...]:
    """Every action with its reason in the state."""
    return tuple(ActionState(action, reason(state, action, changing=changing)) for action in Action)

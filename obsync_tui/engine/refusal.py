"""What the engine refuses, whatever the request says."""

from obsync_tui.engine.errors import EngineError
from obsync_tui.model.lifecycle import Action, ProjectState, reason


class Refused(EngineError):
    """The project's state does not allow the action."""


class Conflict(EngineError):
    """The file was changed by somebody else meanwhile."""


class NeedsEngine(EngineError):
    """Only a running engine can do it."""


def require(state: ProjectState, action: Action, name: str, cure: str = "") -> None:
    """Refused, with the table's reason, when a project's state does not allow the action."""
    if why := reason(state, action):
        raise Refused(why, where=f"project {name}", cure=cure)

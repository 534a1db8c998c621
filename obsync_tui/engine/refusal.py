"""What the lifecycle table forbids is refused in its words."""

from obsync_tui.engine.errors import Refused
from obsync_tui.model.lifecycle import Action, ProjectState, reason


def require(
    state: ProjectState, action: Action, name: str, cure: str = "", *, changing: bool = False
) -> None:
    """Refused, with the table's reason, when a project's state does not allow the action."""
    if why := reason(state, action, changing=changing):
        raise Refused(why, where=f"project {name}", cure=cure)

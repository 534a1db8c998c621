"""How far an open object change is, by what its project does."""

from obsync_tui.engine.state.objectchanges import ChangeTable
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Status
from obsync_tui.model.objectchange import ChangeState, ObjectChange

_GONE = (ProjectState.RELEASING, ProjectState.RELEASED)


def follow(table: ChangeTable, change: ObjectChange, state: ChangeState) -> None:
    """The project runs, and is so far with the change's rules."""
    if state is not change.state:
        table.move(change, state, ends=state is ChangeState.SUCCEEDED)


def stand(table: ChangeTable, change: ObjectChange, state: ProjectState, status: Status | None) -> None:
    """The project does not run: the change waits, has failed with it, or is over with it."""
    if state is ProjectState.COMPLETED:
        table.move(change, ChangeState.SUCCEEDED, ends=True)
    elif state in _GONE:
        table.move(change, ChangeState.CANCELED, "the project was released", ends=True)
    elif state is ProjectState.FAILED and change.state is not ChangeState.FAILED:
        failure = status.failure if status else None
        table.move(
            change,
            ChangeState.FAILED,
            f"{failure.where}: {failure.what}" if failure else "the project failed",
        )
    elif state in (ProjectState.PAUSED, ProjectState.NOT_STARTED) and change.state is not ChangeState.PENDING:
        table.move(change, ChangeState.PENDING)

"""Where a run says what happens: the event log, for what people should see, and the log of a component."""

from typing import Protocol

from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Component, Level


class Journal(Protocol):
    """What a run may say; `event` raises StateError."""

    def line(self, component: Component, text: str, level: Level = Level.INFO) -> None:
        """A line in the component's log."""
        ...

    def event(self, component: Component, kind: EventKind, text: str, level: Level = Level.INFO) -> None:
        """An event of the project, and a line in the component's log."""
        ...


class ProjectJournal:
    """Writes a project's events, and its lines where there are logs."""

    def __init__(self, project_id: str, state: StateFile, logs: ComponentLogs | None = None) -> None:
        self._project_id = project_id
        self._state = state
        self._logs = logs

    def line(self, component: Component, text: str, level: Level = Level.INFO) -> None:
        """A line in the component's log, if there are logs."""
        if self._logs is not None:
            self._logs.write(self._project_id, component, level, text)

    def event(self, component: Component, kind: EventKind, text: str, level: Level = Level.INFO) -> None:
        """The line first: it is there also when `state.db` cannot be written."""
        self.line(component, text, level)
        self._state.add_event(self._project_id, kind, text, level=level)

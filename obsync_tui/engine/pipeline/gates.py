"""Gates that paused components stand at; what is paused is kept in `state.db`, over restarts of the process."""

import threading
from collections.abc import Callable, Collection

import msgspec

from obsync_tui.engine.pipeline.checkpoint import PAUSED_KEY
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.component import Component

STREAM = (Component.STORE, Component.CONNECTOR)


class Gates:
    """One gate for each component, closed while it is paused; safe for threads. Methods raise StateError."""

    def __init__(self, state: StateFile, project_id: str) -> None:
        self._state = state
        self._project_id = project_id
        self._changed = threading.Condition()
        self._closed = paused_components(state, project_id)

    def close(self, component: Component) -> bool:
        """Pause a component; whether it was not paused already."""
        with self._changed:
            return self._keep(self._closed | {component})

    def open(self, component: Component) -> bool:
        """Let a component go on; whether it was paused."""
        with self._changed:
            return self._keep(self._closed - {component})

    def _keep(self, closed: frozenset[Component]) -> bool:
        if closed == self._closed:
            return False
        value = msgspec.json.encode(sorted(closed)) if closed else None
        self._state.save(self._project_id, (Record(PAUSED_KEY, value),))
        self._closed = closed
        self._changed.notify_all()
        return True

    def closed(self, components: Collection[Component]) -> bool:
        """Whether one of the components is paused."""
        return not self._closed.isdisjoint(components)

    def wait(self, components: Collection[Component], ended: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until none of the components is paused, or `ended`; False after the time-out."""
        with self._changed:
            return self._changed.wait_for(lambda: ended() or not self.closed(components), timeout_s)

    def wake(self) -> None:
        """Have those who wait look again whether they ended."""
        with self._changed:
            self._changed.notify_all()


def paused_components(state: StateFile, project_id: str) -> frozenset[Component]:
    """What is paused of a project, running or not."""
    for record in state.records(project_id):
        if record.key == PAUSED_KEY and record.value is not None:
            return msgspec.json.decode(record.value, type=frozenset[Component])
    return frozenset()

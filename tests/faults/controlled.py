"""A project's run in this process, as the engine holds it: on a thread of its own, with everything that it can be asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from obsync_tui.engine.errors import Stopped
from obsync_tui.engine.pipeline.run import ProjectRun
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.position import GtidSet
from obsync_tui.model.project import Full, Objects, Project, Store, new_project_id
from obsync_tui.model.secret import Secret, SecretReference
from tests.faults.workload import Workload


def _no_password(reference: SecretReference) -> Secret:
    return Secret("")


class Controlled:
    """One project over any number of runs; `close` ends what still runs."""

    def __init__(self, home: Path, workload: Workload, bootstrap: str, **changes: object) -> None:
        self.state = StateFile(home / "state.db")
        self._source = workload.server.source()
        self._destination = KafkaSource("events", bootstrap)
        project = Project(
            new_project_id(),
            "orders",
            "shop",
            "events",
            Objects((f"{workload.database}.*",), exclude=("*.journal",)),
            full=Full(range_rows=500),
            store=Store(heartbeat_s=0.5, silence_s=3),
        )
        self.project: Project = msgspec.structs.replace(project, **changes)
        self.run = self._make()
        self._thread = threading.Thread()
        self._error: BaseException | None = None

    def _make(self) -> ProjectRun:
        return ProjectRun(self.project, self._source, self._destination, _no_password, self.state)

    def begin(self) -> None:
        """Run, another time after the first."""
        self.run, self._error = self._make(), None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        try:
            self.run.run()
        except Stopped:
            pass
        except BaseException as error:
            self._error = error

    def until(self, reached: Callable[[Status], bool]) -> Status:
        """Wait for a status; raises what the run ended in."""
        while not reached(status := self.run.status()):
            if self._error is not None:
                raise self._error
            time.sleep(0.02)
        return status

    def until_phase(self, phase: Phase) -> Status:
        return self.until(lambda status: status.phase is phase)

    def until_delivered(self, executed: str) -> Status:
        """Wait until everything of a GTID set is committed."""
        wanted = GtidSet.parse(executed)
        return self.until(
            lambda status: (
                status.phase is Phase.INCREMENTAL and wanted.issubset(GtidSet.parse(status.position))
            )
        )

    def component(self, component: Component) -> ComponentStatus:
        return next(one for one in self.run.components() if one.component is component)

    def until_state(self, component: Component, state: ComponentState) -> ComponentStatus:
        self.until(lambda _: self.component(component).state is state)
        return self.component(component)

    def events(self) -> list[str]:
        return [event.text for event in self.state.events(self.project.id)]

    def stop(self) -> float:
        """Stop at a checkpoint; how long it took in seconds."""
        began_s = time.monotonic()
        self.run.stop()
        self._thread.join()
        if self._error is not None:
            raise self._error
        return time.monotonic() - began_s

    def close(self) -> None:
        self.run.stop()
        if self._thread.ident:
            self._thread.join()
        self.state.close()

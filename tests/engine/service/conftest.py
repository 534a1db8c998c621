"""A home's service beside a supervisor whose runs do nothing but wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from obsync_tui.api.operation import Access
from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.engine import supervisor as module
from obsync_tui.engine.errors import Stopped
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.service.service import Caller, Service
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.supervisor import Supervisor
from obsync_tui.model.applied import Applied
from obsync_tui.model.component import ComponentState
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.objectchange import ChangeState
from obsync_tui.model.objects import Scope
from obsync_tui.model.project import Objects, Project, new_project_id

CALLER = Caller(Access.ADMIN, "1000 tester pts/1")


class IdleRun:
    """Runs until it is asked to stop; `stops` is cleared to let it hang in a call, `error` is what it ends in."""

    made: ClassVar[list[IdleRun]] = []

    def __init__(self, project: Project, *_: object, **__: object) -> None:
        self.project = project
        self.stops = threading.Event()
        self.stops.set()
        self.asked = threading.Event()
        self.error: BaseException | None = None
        self.itself: IdleRun | None = None
        self.changed = ChangeState.RUNNING
        self.started_s = time.time()
        IdleRun.made.append(self)

    def run(self) -> None:
        self.asked.wait()
        self.stops.wait()
        if self.error:
            raise self.error
        raise Stopped("asked")

    def stop(self) -> None:
        self.asked.set()

    def change(self, scope: Scope) -> ChangeState:
        return self.changed if Scope.of(self.project.objects) == scope else ChangeState.MODIFYING

    def apply(self, project: Project) -> Applied:
        self.project = project
        return Applied()

    def paused(self) -> tuple[str, ...]:
        return ()

    def components(self) -> tuple[ComponentState, ...]:
        return ()

    def status(self) -> Status:
        return Status(self.project.id, self.project.name, Phase.INCREMENTAL, time.time(), 1, self.started_s)


class House:
    """A home with the sources `shop` and `events`."""

    def __init__(self, directory: Path) -> None:
        self.paths = Paths.of({"OBSYNC_HOME": str(directory)})
        self.files = ConfigFiles(self.paths)
        self.files.write_source(MySQLSource("shop", "127.0.0.1", "u", 1))
        self.files.write_source(KafkaSource("events", "127.0.0.1:1"))
        self.open()

    def open(self) -> None:
        """An engine's service, as after its start."""
        self.state = StateFile(self.paths.state_file)
        self.logs = ComponentLogs(self.paths.logs)
        secrets = SecretResolver(self.paths.key_file, {})
        self.supervisor = Supervisor(self.files, secrets, self.state, self.logs)
        self.service = Service(self.paths, secrets, self.supervisor)
        self.supervisor.start()

    def close(self) -> None:
        """End it as an engine ends."""
        for run in IdleRun.made:
            run.stops.set()
        self.supervisor.stop()
        self.state.close()
        self.logs.close()

    def project(
        self, name: str, state: ProjectState = ProjectState.NOT_STARTED, **changes: object
    ) -> Project:
        """Write a project, and put it into a state."""
        made = Project(new_project_id(), name, "shop", "events", Objects(("shop.*",)))
        made = msgspec.structs.replace(made, **changes)
        self.files.write_project(made)
        self.put(made, state)
        self.supervisor.index.look()
        return made

    def put(self, project: Project, state: ProjectState) -> None:
        """Put a project into a state, whatever it was."""
        if state is not ProjectState.NOT_STARTED:
            self.supervisor.table.move(project.id, frozenset(ProjectState), state, "test")
            self.supervisor.reload(project.id)

    def state_of(self, project: Project) -> ProjectState:
        """The state in the table and in the supervisor's memory, which are one."""
        life = self.supervisor.table.life(project.id)
        assert life == self.supervisor.life(project.id)
        return life.state if life else ProjectState.NOT_STARTED


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    IdleRun.made = []
    monkeypatch.setattr(module, "ProjectRun", IdleRun)
    monkeypatch.setattr(module, "STOP_TIMEOUT_S", 0.5)
    made = House(tmp_path / "h")
    yield made
    made.close()

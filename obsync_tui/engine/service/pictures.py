"""Projects as clients are shown them: the file, the life and the newest figures in one picture."""

import time

from obsync_tui.api.requests import ListProjects
from obsync_tui.engine.liveness import process_lives
from obsync_tui.engine.refusal import require
from obsync_tui.engine.service.index import Entry
from obsync_tui.engine.service.service import Service
from obsync_tui.engine.state.objectchanges import ChangeTable
from obsync_tui.engine.state.projects import Life
from obsync_tui.model.lifecycle import Action, ProjectState, actions, state_after
from obsync_tui.model.metrics import ENDED, Phase, Status
from obsync_tui.model.project import Project, Step
from obsync_tui.model.views import ProjectDetails, ProjectSummary, StepView


class Picture:
    """What is known of one project now."""

    def __init__(self, service: Service, project: Project, life: Life | None, *, deep: bool = False) -> None:
        self.life = life
        self._service, self._id, self._deep = service, project.id, deep
        runner = service.engine.runner(project.id) if service.engine else None
        self.settling = runner is not None and runner.stop_asked_s is not None
        self.status = _status(service, project.id) if runner is None else runner.run.status()
        self.runner = runner
        self.running = runner is not None or (
            self.status is not None
            and self.status.phase not in ENDED
            and process_lives(self.status.pid, self.status.at_s)
            and service.engine is None
        )

    @property
    def state(self) -> ProjectState:
        """The project's state; a run in the foreground is one, too."""
        if self.running and not self.settling:
            return ProjectState.RUNNING
        if self.life is not None and self.life.state is not ProjectState.NOT_STARTED:
            return self.life.state
        if self.status is None:
            return ProjectState.PAUSED if self._ran() else ProjectState.NOT_STARTED
        return state_after(self.status.phase)

    def _ran(self) -> bool:
        """A home that lost its figures still has the checkpoint's copy, which says that the project ran."""
        return self._deep and self._service.has_state and bool(self._service.state.records(self._id))


def picture_of(service: Service, project: Project) -> Picture:
    """What is known of one project, thoroughly."""
    return Picture(service, project, life_of(service, project.id), deep=True)


def require_of(service: Service, project: Project, action: Action) -> None:
    """Refused when the state that the project is in does not allow the action."""
    state = picture_of(service, project).state
    require(state, action, project.name, changing=changing(service, project.id))


def changing(service: Service, project_id: str) -> bool:
    """Whether an object change of the project is under way; waits for the disk."""
    found = ChangeTable(service.state).open_of(project_id) if service.has_state else None
    return found is not None and found.under_way


def lives(service: Service) -> dict[str, Life]:
    """Every project's life by id."""
    if service.engine:
        return service.engine.lives()
    return service.table.all() if service.has_state else {}


def life_of(service: Service, project_id: str) -> Life | None:
    """One project's life."""
    if service.engine:
        return service.engine.life(project_id)
    return service.table.life(project_id) if service.has_state else None


def _status(service: Service, project_id: str) -> Status | None:
    """The figures that were saved last."""
    if service.engine:
        return service.engine.last_status(project_id)
    return service.state.status(project_id) if service.has_state else None


def summaries(service: Service, request: ListProjects) -> tuple[ProjectSummary, ...]:
    """Every project, or those with a tag; a file that cannot be used is one, with its error."""
    known = lives(service)
    found = []
    for entry in service.index.entries().values():
        project = entry.project
        if request.tag and (project is None or request.tag not in project.tags):
            continue
        if project is None:
            found.append(ProjectSummary(entry.name, error=entry.error))
        else:
            life = known.get(project.id)
            found.append(summary(entry, project, Picture(service, project, life)))
    return tuple(found)


def summary(entry: Entry, project: Project, picture: Picture) -> ProjectSummary:
    """One line of the list."""
    life, status = picture.life, picture.status
    shown = status if picture.running else None
    full = status.full if status else None
    return ProjectSummary(
        name=project.name,
        id=project.id,
        state=picture.state,
        since_s=life.since_s if life else None,
        source=project.source,
        destination=project.destination,
        tags=project.tags,
        phase=status.phase if status else None,
        step=status.step if status else None,
        running=picture.running,
        settling=picture.settling,
        pid=status.pid if status and picture.running else None,
        at_s=status.at_s if status else None,
        source_lag_s=status.source_lag_s if status else None,
        delivery_lag_s=status.delivery_lag_s if status else None,
        idle=shown.idle if shown else False,
        read_rows_per_s=shown.read_rows_per_s if shown else 0.0,
        rows_per_s=shown.rows_per_s if shown else 0.0,
        bytes_per_s=shown.bytes_per_s if shown else 0.0,
        backlog_rows=shown.backlog_rows if shown else 0,
        backlog_bytes=shown.backlog_bytes if shown else 0,
        bottleneck=shown.bottleneck if shown else "",
        full_progress=_progress(status),
        left_s=full.left_s if full and shown else None,
        warnings=len(status.warnings) if status else 0,
        paused_components=tuple(map(str, picture.runner.run.paused())) if picture.runner else (),
        failure=status.failure if status else None,
        file_changed=bool(picture.runner and life and life.digest and life.digest != entry.digest),
    )


def details(service: Service, name: str) -> ProjectDetails:
    """Everything about one project; ConfigError when there is none or its file is wrong."""
    entry = service.index.entry(name)
    project = entry.project or service.index.project(name)
    picture = picture_of(service, project)
    life = picture.life
    # Clients that watch ask for this each second, on the thread that serves all of them.
    changes = service.engine.changing(project.id) if service.engine else changing(service, project.id)
    return ProjectDetails(
        summary=summary(entry, project, picture),
        project=project,
        steps=_steps(project, picture),
        actions=actions(picture.state, changing=changes),
        created_s=life.created_s if life else None,
        created_by=life.created_by if life else "",
        started_s=life.started_s if life else None,
        status=picture.status,
        digest=entry.digest,
        components=picture.runner.run.components() if picture.runner else (),
    )


def age_s(status: Status | None) -> float | None:
    """How old the figures are."""
    return None if status is None else round(time.time() - status.at_s, 3)


def _progress(status: Status | None) -> float | None:
    if status is None or not status.full.tables:
        return None
    full = status.full
    if full.tables_done == full.tables:
        return 1.0
    return min(0.99, full.rows / full.rows_estimated) if full.rows_estimated else None


def _steps(project: Project, picture: Picture) -> tuple[StepView, ...]:
    """The project's steps in order, as OMS names their states."""
    order = [step for step in Step if step in project.steps]
    status = picture.status
    reached = order.index(status.step) if status and status.step in order else -1
    views = []
    for number, step in enumerate(order):
        if picture.state is ProjectState.COMPLETED or number < reached:
            views.append(StepView(step, "Finished", 1.0))
        elif number > reached or status is None:
            views.append(StepView(step, "Waiting"))
        else:
            progress = _progress(status) if step is Step.FULL else None
            views.append(
                StepView(step, _step_state(picture), progress, status.rows_per_s, status.full.left_s)
            )
    return tuple(views)


def _step_state(picture: Picture) -> str:
    status = picture.status
    if picture.state is ProjectState.FAILED:
        return "Failed"
    if not picture.running:
        return "Paused"
    near = status is not None and status.phase is Phase.INCREMENTAL and (status.idle or _near(status))
    return "Monitoring" if near else "Running"


def _near(status: Status) -> bool:
    """Whether the stream follows its source, by OMS's 25 seconds."""
    return status.delivery_lag_s is not None and status.delivery_lag_s <= 25

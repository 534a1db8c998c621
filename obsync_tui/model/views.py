"""What the engine tells its clients: projects, their details, data sources, and the engine itself.

Times are UTC epoch seconds. Optional figures are None while unknown.
"""

import msgspec

from obsync_tui.model.component import ComponentStatus
from obsync_tui.model.datasource import DataSource
from obsync_tui.model.lifecycle import ActionState, ProjectState
from obsync_tui.model.metrics import Failure, Phase, Status
from obsync_tui.model.project import Project, Step
from obsync_tui.model.secret import SecretReference

# Counts incompatible changes of the API; a client says which one it speaks.
PROTOCOL = 1


class Hello(msgspec.Struct, frozen=True):
    """Who answers: one engine of one home, and what the caller may do there (`admin` or `viewer`)."""

    home: str
    version: str
    protocol: int
    pid: int
    started_s: float
    access: str


class EngineFacts(msgspec.Struct, frozen=True):
    """The engine's own load; `clients` are watching now, `threads_abandoned` did not come back from a call."""

    version: str
    pid: int
    started_s: float
    at_s: float
    cpu_share: float
    rss_bytes: int
    threads: int
    descriptors: int
    clients: int
    projects: int
    running: int
    state_bytes: int
    logs_bytes: int
    home: str
    socket: str
    threads_abandoned: int = 0


class ProjectSummary(msgspec.Struct, frozen=True, rename={"source": "from", "destination": "to"}):
    """One line of the list of projects.

    `error` is that of a file that cannot be used; such a project has a name and nothing else. `settling` says that a
    run that was asked to stop has not ended yet. `file_changed`: the file is not what the run was started with.
    """

    name: str
    id: str = ""
    state: ProjectState = ProjectState.NOT_STARTED
    since_s: float | None = None
    source: str = ""
    destination: str = ""
    tags: tuple[str, ...] = ()
    phase: Phase | None = None
    step: Step | None = None
    running: bool = False
    settling: bool = False
    pid: int | None = None
    at_s: float | None = None
    source_lag_s: float | None = None
    delivery_lag_s: float | None = None
    idle: bool = False
    read_rows_per_s: float = 0.0
    rows_per_s: float = 0.0
    bytes_per_s: float = 0.0
    backlog_rows: int = 0
    backlog_bytes: int = 0
    bottleneck: str = ""
    full_progress: float | None = None
    left_s: float | None = None
    warnings: int = 0
    paused_components: tuple[str, ...] = ()
    failure: Failure | None = None
    file_changed: bool = False
    error: str = ""


class Report(msgspec.Struct, frozen=True):
    """The newest figures of a run with their age; `age_s` is None and `status` null for a project that never ran."""

    project: str
    id: str
    state: str
    running: bool
    age_s: float | None = None
    status: Status | None = None


class StepView(msgspec.Struct, frozen=True):
    """A step of a project: `state` is Waiting, Running, Monitoring, Finished, Failed or Paused."""

    step: Step
    state: str
    progress: float | None = None
    rows_per_s: float = 0.0
    left_s: float | None = None


class ProjectDetails(msgspec.Struct, frozen=True):
    """Everything about one project."""

    summary: ProjectSummary
    project: Project
    steps: tuple[StepView, ...]
    actions: tuple[ActionState, ...]
    created_s: float | None = None
    created_by: str = ""
    started_s: float | None = None
    status: Status | None = None
    digest: str = ""
    components: tuple[ComponentStatus, ...] = ()


class SourceView(msgspec.Struct, frozen=True):
    """A data source, sealed secrets masked, and the projects that use it; or the error of its file."""

    name: str
    source: DataSource | None = None
    used_by: tuple[str, ...] = ()
    digest: str = ""
    error: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What an action on one project did: its state now, sentences for the person, or the error it ended in."""

    name: str
    state: ProjectState | None = None
    notes: tuple[str, ...] = ()
    error: str = ""
    code: str = ""


class ProjectFile(msgspec.Struct, frozen=True):
    """A project's file as it stands, the digest of that text, and how it differs from what runs (unified diff)."""

    name: str
    text: str
    digest: str
    diff: str = ""
    error: str = ""


class ObjectView(msgspec.Struct, frozen=True):
    """One table of a project: where it goes, what was read of it, and its settings.

    `changes` passed since the engine runs the project, the newest was committed at `changed_s`.
    """

    database: str
    table: str
    topic: str
    rows_full: int = 0
    rows_estimated: int = 0
    full_done: bool = False
    changes: int = 0
    changed_s: float | None = None
    sharding_columns: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


class TableDdl(msgspec.Struct, frozen=True):
    """The statement that makes a table, as its data source prints it now."""

    database: str
    table: str
    source: str
    text: str


class Draft(msgspec.Struct, frozen=True):
    """An unfinished form: `body` is the client's own JSON text, which holds no secret in clear."""

    id: str
    kind: str
    title: str
    body: str
    at_s: float


class Sealed(msgspec.Struct, frozen=True):
    """A reference to a sealed secret, to stand in a data source or a draft."""

    reference: SecretReference


class Script(msgspec.Struct, frozen=True):
    """Statements for a person to run."""

    text: str


class Done(msgspec.Struct, frozen=True):
    """An action that is done, with sentences for the person."""

    notes: tuple[str, ...] = ()

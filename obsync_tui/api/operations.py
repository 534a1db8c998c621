"""Every operation of the API, version 1: routes, client calls, access and the OpenAPI document come from here."""

import msgspec

from obsync_tui.api import requests as ask
from obsync_tui.api.operation import Access, Operation
from obsync_tui.model import views
from obsync_tui.model.applied import Applied
from obsync_tui.model.check import CheckResult
from obsync_tui.model.event import Event
from obsync_tui.model.gap import Gap
from obsync_tui.model.history import LogPage, MetricSeries
from obsync_tui.model.objectchange import ObjectChange
from obsync_tui.model.retime import Retimed
from obsync_tui.model.tenant import Description
from obsync_tui.model.trace import MessageSample, TraceAnswer
from obsync_tui.model.viewlog import ListedLog

_VIEWER = Access.VIEWER
_PROJECT = "/v1/projects/{name}"
_SOURCE = "/v1/sources/{name}"

HELLO = Operation("hello", "GET", "/v1/hello", ask.Nothing, views.Hello, "Who answers.", _VIEWER, True)
ENGINE = Operation(
    "engine", "GET", "/v1/engine", ask.Nothing, views.EngineFacts, "The engine's load.", _VIEWER, True
)
STOP_ENGINE = Operation(
    "engine-stop", "POST", "/v1/engine/stop", ask.Nothing, views.Done, "Stop at checkpoints, then end.",
    needs_engine=True,
)  # fmt: skip

PROJECTS = Operation(
    "projects", "GET", "/v1/projects", ask.ListProjects, tuple[views.ProjectSummary, ...],
    "Every project, a line each.", _VIEWER,
)  # fmt: skip
PROJECT = Operation(
    "project", "GET", _PROJECT, ask.Named, views.ProjectDetails, "Everything about one project.", _VIEWER
)
STATUS = Operation(
    "status", "GET", f"{_PROJECT}/status", ask.Named, views.Report, "The newest figures of a run.", _VIEWER,
)  # fmt: skip
CREATE = Operation(
    "project-create",
    "POST",
    "/v1/projects",
    ask.CreateProject,
    views.ProjectDetails,
    "Write a project's file.",
)
SAVE = Operation(
    "project-save", "PUT", _PROJECT, ask.SaveProject, views.ProjectFile, "Replace a project's file."
)
FILE = Operation(
    "project-file", "GET", f"{_PROJECT}/file", ask.Named, views.ProjectFile,
    "A project's file, and how it differs from what runs.", _VIEWER,
)  # fmt: skip
APPLY = Operation(
    "project-apply", "POST", f"{_PROJECT}/apply", ask.Named, Applied,
    "Let a running project take its edited file in: live where safe, else by a restart at a checkpoint.",
    needs_engine=True,
)  # fmt: skip
CHECK = Operation(
    "project-check",
    "POST",
    f"{_PROJECT}/check",
    ask.Named,
    tuple[CheckResult, ...],
    "Run the precheck.",
    slow=True,
)
START = Operation(
    "project-start",
    "POST",
    f"{_PROJECT}/start",
    ask.Start,
    views.Outcome,
    "Start a project.",
    needs_engine=True,
)
RESUME = Operation(
    "project-resume", "POST", f"{_PROJECT}/resume", ask.Start, views.Outcome,
    "Go on with a paused or failed project from its checkpoint.", needs_engine=True,
)  # fmt: skip
PAUSE = Operation(
    "project-pause", "POST", f"{_PROJECT}/pause", ask.Named, views.Outcome, "Stop a project at a checkpoint.",
    needs_engine=True,
)  # fmt: skip
RELEASE = Operation(
    "project-release", "POST", f"{_PROJECT}/release", ask.Release, views.Outcome,
    "End a project for good: its checkpoint and its view logs are removed, its history stays.", slow=True,
)  # fmt: skip
DELETE = Operation(
    "project-delete", "DELETE", _PROJECT, ask.Confirmed, views.Done,
    "Remove the file and the state of a project that never ran or is released.",
)  # fmt: skip
RENAME = Operation(
    "project-rename", "POST", f"{_PROJECT}/rename", ask.Rename, views.Done, "Rename a project."
)
CLONE = Operation(
    "project-clone", "POST", f"{_PROJECT}/clone", ask.Rename, views.Done,
    "Write a project of another name and id with the same options.",
)  # fmt: skip
BATCH = Operation(
    "project-batch", "POST", "/v1/batch", ask.Batch, tuple[views.Outcome, ...],
    "One action on several projects; each is tried, and its outcome told.", slow=True,
)  # fmt: skip
RESET = Operation(
    "project-reset", "POST", f"{_PROJECT}/reset", ask.Confirmed, views.Done,
    "Forget a stopped project's progress.", slow=True,
)  # fmt: skip
GAP = Operation(
    "project-gap", "GET", f"{_PROJECT}/gap", ask.Named, Gap,
    "What of the log is out of a stopped project's reach.", slow=True,
)  # fmt: skip
DECIDE = Operation(
    "project-gap-decide", "POST", f"{_PROJECT}/gap", ask.Decide, views.Done,
    "Read tables again at the next run, give up changes that are out of reach.", slow=True,
)  # fmt: skip
RETIME = Operation(
    "project-retime", "POST", f"{_PROJECT}/retime", ask.Retime, Retimed,
    "Set a stopped project to a point of time, or only tell what that would mean.", slow=True,
)  # fmt: skip
EVENTS = Operation(
    "project-events", "GET", f"{_PROJECT}/events", ask.Events, tuple[Event, ...],
    "What happened.", _VIEWER, from_disk=True,
)  # fmt: skip
ALL_EVENTS = Operation(
    "events", "GET", "/v1/events", ask.AllEvents, tuple[Event, ...],
    "What happened in all projects.", _VIEWER, from_disk=True,
)  # fmt: skip
METRICS = Operation(
    "project-metrics", "GET", f"{_PROJECT}/metrics", ask.Metrics, MetricSeries,
    "Metrics over time; gaps where nothing was measured.", _VIEWER, needs_engine=True, from_disk=True,
)  # fmt: skip
LOGS = Operation(
    "project-logs", "GET", f"{_PROJECT}/logs", ask.Logs, LogPage,
    "Lines of a component's log.", _VIEWER, from_disk=True,
)  # fmt: skip
ENGINE_LOGS = Operation(
    "engine-logs", "GET", "/v1/engine/logs", ask.EngineLogs, LogPage,
    "Lines of the engine's own log.", _VIEWER, from_disk=True,
)  # fmt: skip
COMPONENT = Operation(
    "component", "POST", f"{_PROJECT}/components/{{component}}/{{action}}", ask.Component, views.Done,
    "Start, pause or restart a component; read tables again.", needs_engine=True,
)  # fmt: skip
TRACE = Operation(
    "trace", "POST", f"{_PROJECT}/trace", ask.Trace, TraceAnswer,
    "What became of a row's newest changes: read, left out or sent, topic and partition, committed.",
    needs_engine=True,
)  # fmt: skip
SAMPLES = Operation(
    "samples", "POST", f"{_PROJECT}/samples", ask.Samples, tuple[MessageSample, ...],
    "The newest messages of a table.", needs_engine=True,
)  # fmt: skip
OBJECTS = Operation(
    "objects", "GET", f"{_PROJECT}/objects", ask.Named, tuple[views.ObjectView, ...],
    "The tables of a project with their topics.", _VIEWER, slow=True,
)  # fmt: skip
DDL = Operation(
    "object-ddl", "GET", f"{_PROJECT}/ddl", ask.Ddl, views.TableDdl,
    "The statement that makes a table of a project, as its source prints it now.", _VIEWER, slow=True,
)  # fmt: skip
OBJECT_CHANGES = Operation(
    "object-changes", "GET", f"{_PROJECT}/object-changes", ask.Named, tuple[ObjectChange, ...],
    "What was added to a project's objects and removed from them, the newest first.", _VIEWER, from_disk=True,
)  # fmt: skip
CHANGE_OBJECTS = Operation(
    "object-change", "POST", f"{_PROJECT}/object-changes", ask.ChangeObjects, ObjectChange,
    "Add rules to a project's objects or remove some; a running project takes them in at once.", slow=True,
)  # fmt: skip
CANCEL_CHANGE = Operation(
    "object-change-cancel", "POST", f"{_PROJECT}/object-changes/cancel", ask.Named, ObjectChange,
    "Take back the object change that is open: its rules go out of the file again.", slow=True,
)  # fmt: skip

SOURCES = Operation(
    "sources", "GET", "/v1/sources", ask.Nothing, tuple[views.SourceView, ...],
    "Every data source.", _VIEWER, from_disk=True,
)  # fmt: skip
SOURCE = Operation(
    "source", "GET", _SOURCE, ask.Named, views.SourceView,
    "One data source.", _VIEWER, from_disk=True,
)  # fmt: skip
PUT_SOURCE = Operation(
    "source-put", "POST", "/v1/sources", ask.PutSource, views.SourceView, "Write a data source's file."
)
COPY_SOURCE = Operation(
    "source-copy", "POST", f"{_SOURCE}/copy", ask.Rename, views.SourceView,
    "Write a data source of another name with the same fields and secrets.",
)  # fmt: skip
DELETE_SOURCE = Operation(
    "source-delete", "DELETE", _SOURCE, ask.Named, views.Done, "Remove a data source that no project uses."
)
TEST_SOURCE = Operation(
    "source-test", "POST", f"{_SOURCE}/test", ask.Named, tuple[CheckResult, ...],
    "Connect to a data source and say what was found.", slow=True,
)  # fmt: skip
TRY_SOURCE = Operation(
    "source-try", "POST", "/v1/try-source", ask.PutSource, tuple[CheckResult, ...],
    "Connect to a data source that is not written yet.", slow=True,
)  # fmt: skip
DESCRIBE = Operation(
    "source-describe", "GET", f"{_SOURCE}/describe", ask.Named, Description,
    "What an OceanBase tenant offers, and which rights are missing.", slow=True,
)  # fmt: skip
PREPARE = Operation(
    "source-prepare", "GET", f"{_SOURCE}/prepare", ask.Databases, views.Script,
    "The script that makes the data source's user with the least rights.", _VIEWER,
)  # fmt: skip
VIEW_LOGS = Operation(
    "source-logs",
    "GET",
    f"{_SOURCE}/logs",
    ask.Named,
    tuple[ListedLog, ...],
    "A tenant's view logs.",
    slow=True,
)
DROP_ORPHANS = Operation(
    "source-drop-orphans", "POST", f"{_SOURCE}/logs/drop-orphans", ask.Orphans, views.Done,
    "Drop the view logs of projects that are gone.", slow=True,
)  # fmt: skip
SEAL = Operation(
    "seal", "POST", "/v1/secrets", ask.Seal, views.Sealed, "Seal a secret; it never comes out again."
)

DRAFTS = Operation(
    "drafts", "GET", "/v1/drafts", ask.Nothing, tuple[views.Draft, ...],
    "Unfinished forms.", needs_engine=True, from_disk=True,
)  # fmt: skip
PUT_DRAFT = Operation(
    "draft-put",
    "PUT",
    "/v1/drafts/{id}",
    ask.PutDraft,
    views.Draft,
    "Keep an unfinished form.",
    needs_engine=True,
)
DELETE_DRAFT = Operation(
    "draft-delete", "DELETE", "/v1/drafts/{id}", ask.DraftId, views.Done, "Forget a form.", needs_engine=True
)

OPERATIONS: tuple[Operation[msgspec.Struct, object], ...] = tuple(
    found for found in list(globals().values()) if isinstance(found, Operation)
)

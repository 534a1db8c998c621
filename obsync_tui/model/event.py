"""The event log: what happened to a project or to the engine, and who asked for it, for people."""

from enum import StrEnum

import msgspec

from obsync_tui.model.history import Level


class EventKind(StrEnum):
    """What an event tells; kinds of a later version may come along."""

    CREATED = "created"
    NOT_STARTED = "not started"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    COMPLETED = "completed"
    RELEASING = "releasing"
    RELEASED = "released"
    STARTED = "started"
    STOPPED = "stopped"
    RUN = "run"
    TOPIC = "topic"
    VIEW_LOG = "view log"
    RESET = "reset"
    GAP = "gap"
    RETIME = "retime"
    CONFIGURATION = "configuration"
    OBJECTS = "objects"
    ENGINE = "engine"


class Event(msgspec.Struct, frozen=True):
    """One line of history; `at_s` is UTC epoch seconds, `kind` an EventKind or a later version's.

    `project_id` is empty for what concerns the engine as a whole. `number` counts up over all projects and is never
    given twice. `who` is "uid name tty", empty for what happened by itself.
    """

    at_s: float
    project_id: str
    kind: str
    text: str
    number: int = 0
    level: Level = Level.INFO
    who: str = ""

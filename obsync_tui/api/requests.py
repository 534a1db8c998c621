"""What clients send: one frozen struct per operation's request."""

from typing import Annotated, Literal

import msgspec

from obsync_tui.model.datasource import DataSource
from obsync_tui.model.project import Name, Project

Limit = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Text = Annotated[str, msgspec.Meta(max_length=4096)]
Key = Annotated[str, msgspec.Meta(max_length=256)]
Epoch = Annotated[float, msgspec.Meta(ge=0, le=1e11)]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request with no unknown fields."""


class Nothing(Strict, frozen=True):
    """No arguments."""


class Named(Strict, frozen=True):
    """A data source or project by its name."""

    name: Name


class ListProjects(Strict, frozen=True):
    """Projects with a tag, or all."""

    tag: Text = ""


class CreateProject(Strict, frozen=True):
    """A project to write."""

    project: Project


class SaveProject(Strict, frozen=True):
    """A project's file to replace; `digest` is that of the file that was read, so that no edit between is lost."""

    name: Name
    project: Project
    digest: Text
    over_comments: bool = False


class ChangeObjects(Strict, frozen=True):
    """Rules to add to a project's objects, or to remove from them: either, not both."""

    name: Name
    add: Annotated[tuple[Key, ...], msgspec.Meta(max_length=1000)] = ()
    remove: Annotated[tuple[Key, ...], msgspec.Meta(max_length=1000)] = ()


class Confirmed(Strict, frozen=True):
    """An action that cannot be undone; `confirm` repeats the name."""

    name: Name
    confirm: Text


class Release(Strict, frozen=True):
    """Release a project; `local_only` leaves servers alone that are out of reach for good."""

    name: Name
    confirm: Text
    local_only: bool = False


class Rename(Strict, frozen=True):
    """A name for another."""

    name: Name
    to: Name


class Start(Strict, frozen=True):
    """Start or resume a project; `take_over`: although another host seems to run it."""

    name: Name
    take_over: bool = False


class Batch(Strict, frozen=True):
    """One action on several projects, by names or by tag; `confirm` repeats the number of projects to release."""

    action: Literal["start", "pause", "resume", "release", "delete"]
    names: tuple[Name, ...] = ()
    tag: Text = ""
    confirm: Text = ""


class Events(Strict, frozen=True):
    """A project's newest events, oldest first."""

    name: Name
    limit: Limit = 1000


class AllEvents(Strict, frozen=True):
    """The newest events of all projects and the engine, oldest first: at least of a level, with a text.

    `before` is the number of an event that is known already; 0 begins with the newest.
    """

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    search: Text = ""
    before: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    limit: Limit = 200


class Decide(Strict, frozen=True):
    """What to do about a gap: tables (`database.table`) to read again or all, and whether the rest is given up."""

    name: Name
    resync: tuple[Text, ...] = ()
    resync_all: bool = False
    accept: bool = False


class Component(Strict, frozen=True):
    """An action on a component of a running project."""

    name: Name
    component: Literal["store", "connector", "full-import"]
    action: Literal["start", "pause", "restart", "rerun"]
    tables: tuple[Text, ...] = ()


class Retime(Strict, frozen=True):
    """A time to go on from, and tables to read again; without `confirm` (the name) only the plan is made."""

    name: Name
    at_s: Epoch
    confirm: Text = ""
    resync: tuple[Text, ...] = ()
    resync_all: bool = False


class Metrics(Strict, frozen=True):
    """A stretch of a project's history; `metrics` are names separated by commas, empty for all."""

    name: Name
    from_s: Epoch
    to_s: Epoch
    metrics: Text = ""
    points: Annotated[int, msgspec.Meta(ge=1, le=4000)] = 200


class Logs(Strict, frozen=True):
    """Lines of a component's log: the newest `limit` before or after a cursor, at least of a level, with a text."""

    name: Name
    component: Literal["store", "connector", "full-import", "project"] = "project"
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    search: Text = ""
    before: Text = ""
    after: Text = ""
    limit: Limit = 200


class EngineLogs(Strict, frozen=True):
    """Lines of the engine's own log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    search: Text = ""
    before: Text = ""
    after: Text = ""
    limit: Limit = 200


class Trace(Strict, frozen=True):
    """A row by table (`database.table`) and key; the parts of a composite key in key order."""

    name: Name
    table: Text
    key: tuple[Text, ...]


class Samples(Strict, frozen=True):
    """The newest messages of a table."""

    name: Name
    table: Text
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10


class Ddl(Strict, frozen=True):
    """A table of a project (`database.table`)."""

    name: Name
    table: Text


class PutSource(Strict, frozen=True):
    """A data source to write; `replace` one of that name. A masked secret keeps the one that stands in the file."""

    source: DataSource
    replace: bool = False


class Seal(Strict, frozen=True):
    """A secret to seal; what comes back is a reference that only this engine can open."""

    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=65536)]

    def __repr__(self) -> str:
        return "Seal(***)"


class Orphans(Strict, frozen=True):
    """Drop the view logs of a tenant that lost their project."""

    name: Name
    confirm: Text


class Databases(Strict, frozen=True):
    """A data source, and the databases (separated by commas) that its user is to read."""

    name: Name
    databases: Text = ""


class PutDraft(Strict, frozen=True):
    """An unfinished form."""

    id: Name
    kind: Literal["source", "project"]
    title: Text
    body: Annotated[str, msgspec.Meta(max_length=1_000_000)]


class DraftId(Strict, frozen=True):
    """A draft by its id."""

    id: Name

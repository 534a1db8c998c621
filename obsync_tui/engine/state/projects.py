"""The life of every project in `state.db`: its state, since when, who made it, and what it was started with."""

import sqlite3
import time

import msgspec

from obsync_tui.engine.errors import StateError
from obsync_tui.engine.state.database import StateFile, write_event
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Level
from obsync_tui.model.lifecycle import ProjectState

_SELECT = "SELECT id, state, since_s, created_s, created_by, started_s, digest, running FROM project"


class Life(msgspec.Struct, frozen=True):
    """Where a project is in its life.

    `digest` is that of the file's text that the run was started with, `running` that text.
    """

    id: str
    state: ProjectState
    since_s: float
    created_s: float
    created_by: str
    started_s: float | None = None
    digest: str = ""
    running: str = ""


class Begun(msgspec.Struct, frozen=True):
    """A project, and the file's text that its run is of, with its digest."""

    project_id: str
    digest: str
    text: str


class ProjectTable:
    """Reads and moves projects; every move is a compare-and-set with an event. Raises StateError."""

    def __init__(self, state: StateFile) -> None:
        self._state = state

    def all(self) -> dict[str, Life]:
        """Every project that was ever made or moved here, by id."""
        with self._state.reading() as connection:
            rows = connection.execute(_SELECT).fetchall()
        return {row[0]: _life(row) for row in rows}

    def life(self, project_id: str) -> Life | None:
        """One project's life."""
        with self._state.reading() as connection:
            return _one(connection, project_id)

    def made(self, project_id: str, who: str) -> None:
        """A project was created."""
        now = time.time()
        with self._state.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO project (id, state, since_s, created_s, created_by) VALUES (?, ?, ?, ?, ?)",
                (project_id, ProjectState.NOT_STARTED, now, now, who),
            )
            write_event(connection, project_id, EventKind.CREATED, "", who=who)

    def move(
        self, project_id: str, expected: frozenset[ProjectState], to: ProjectState, who: str, text: str = ""
    ) -> ProjectState:
        """Move the project when it is in one of the expected states; answers the state that it was in.

        An answer that was not expected means that nothing moved.
        """
        now = time.time()
        with self._state.transaction() as connection:
            found = _one(connection, project_id)
            before = found.state if found else ProjectState.NOT_STARTED
            if before not in expected:
                return before
            started = now if to is ProjectState.RUNNING else None
            connection.execute(
                "INSERT INTO project (id, state, since_s, created_s, created_by, started_s)"
                " VALUES (?1, ?2, ?3, ?3, ?4, ?5)"
                " ON CONFLICT (id) DO UPDATE SET state = ?2, since_s = ?3, started_s = coalesce(started_s, ?5)",
                (project_id, to, now, who, started),
            )
            level = Level.ERROR if to is ProjectState.FAILED else Level.INFO
            write_event(connection, project_id, EventKind(to.lower()), text, level=level, who=who)
        return before

    def started(self, *begun: Begun) -> None:
        """Runs begin, many at once: in one commit, which waits for the disk once."""
        with self._state.transaction() as connection:
            for one in begun:
                _runs_with(connection, one)
                write_event(connection, one.project_id, EventKind.STARTED, "by the engine")

    def runs_with(self, begun: Begun) -> None:
        """Remember the file's text that a run goes on with."""
        with self._state.transaction() as connection:
            _runs_with(connection, begun)


def _runs_with(connection: sqlite3.Connection, begun: Begun) -> None:
    connection.execute(
        "UPDATE project SET digest = ?, running = ? WHERE id = ?",
        (begun.digest, begun.text, begun.project_id),
    )


def _one(connection: sqlite3.Connection, project_id: str) -> Life | None:
    row = connection.execute(f"{_SELECT} WHERE id = ?", (project_id,)).fetchone()
    return _life(row) if row else None


def _life(row: tuple[str, str, float, float, str, float | None, str, str]) -> Life:
    try:
        state = ProjectState(row[1])
    except ValueError as error:
        raise StateError(
            f"the life of {row[0]} cannot be read: {error}",
            where="state.db",
            cure="Keep the file for a report.",
        ) from error
    return Life(row[0], state, *row[2:])

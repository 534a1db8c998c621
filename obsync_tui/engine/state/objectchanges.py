"""The object changes of every project in `state.db`: one open at a time for each."""

import sqlite3
import time
from collections.abc import Sequence

import msgspec

from obsync_tui.engine.errors import Refused, StateError
from obsync_tui.engine.state.database import StateFile, write_event
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Level
from obsync_tui.model.objectchange import ChangeState, ObjectChange

KEPT = 100
_FORGET_OLD = (
    "DELETE FROM object_change WHERE project_id = :project AND NOT is_open AND number <= (SELECT number FROM"
    " object_change WHERE project_id = :project ORDER BY number DESC LIMIT 1 OFFSET :kept)"
)
_SELECT = "SELECT number, content FROM object_change"


class ChangeTable:
    """Reads and writes changes; each that begins, goes on or ends is an event. Raises StateError."""

    def __init__(self, state: StateFile) -> None:
        self._state = state

    def open(self) -> list[ObjectChange]:
        """Every change that has not ended, of all projects."""
        with self._state.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE is_open ORDER BY number").fetchall()
        return _changes(rows)

    def open_of(self, project_id: str) -> ObjectChange | None:
        """The project's change that has not ended."""
        with self._state.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE project_id = ? AND is_open", (project_id,)).fetchall()
        return next(iter(_changes(rows)), None)

    def of(self, project_id: str) -> list[ObjectChange]:
        """The project's newest changes, the newest first."""
        with self._state.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE project_id = ? ORDER BY number DESC LIMIT ?", (project_id, KEPT)
            ).fetchall()
        return _changes(rows)

    def begin(self, change: ObjectChange) -> ObjectChange:
        """Write a change down and give it its number; Refused while another of the project is open."""
        with self._state.transaction() as connection:
            open_one = connection.execute(
                "SELECT number FROM object_change WHERE project_id = ? AND is_open", (change.project_id,)
            ).fetchone()
            if open_one is None:
                number = connection.execute(
                    "INSERT INTO object_change (project_id, is_open, content) VALUES (?, ?, ?)",
                    (change.project_id, change.ended_s is None, msgspec.json.encode(change)),
                ).lastrowid
                made = msgspec.structs.replace(change, number=number or 0)
                _tell(connection, made, change.who)
                connection.execute(_FORGET_OLD, {"project": change.project_id, "kept": KEPT})
                return made
        raise Refused(
            "another object change is open",
            where=f"project {change.project_id}",
            cure="Let it end, or cancel it: obsync project objects NAME --cancel",
        )

    def forget(self, change: ObjectChange) -> None:
        """Take back a change that came to nothing."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM object_change WHERE number = ?", (change.number,))

    def move(
        self, change: ObjectChange, to: ChangeState, text: str = "", *, ends: bool = False, who: str = ""
    ) -> bool:
        """An open change is as far as that, or ends with it; False where it has ended already, and stays as it is."""
        moved = msgspec.structs.replace(change, state=to, text=text, ended_s=time.time() if ends else None)
        with self._state.transaction() as connection:
            changed = connection.execute(
                "UPDATE object_change SET is_open = ?, content = ? WHERE number = ? AND is_open",
                (not ends, msgspec.json.encode(moved), change.number),
            ).rowcount
            if changed and (to is not change.state or ends):
                _tell(connection, moved, who)
        return bool(changed)

    def reopen(self, change: ObjectChange) -> None:
        """Take the end of a change back that could not be carried out."""
        with self._state.transaction() as connection:
            connection.execute(
                "UPDATE object_change SET is_open = 1, content = ? WHERE number = ?",
                (msgspec.json.encode(change), change.number),
            )


def _tell(connection: sqlite3.Connection, change: ObjectChange, who: str) -> None:
    why = f": {change.text}" if change.text else ""
    write_event(
        connection,
        change.project_id,
        EventKind.OBJECTS,
        f"{change.kind} {', '.join(change.rules)}: {change.state}{why}",
        level=Level.ERROR if change.state is ChangeState.FAILED else Level.INFO,
        who=who,
    )


def _changes(rows: Sequence[tuple[int, bytes]]) -> list[ObjectChange]:
    try:
        return [
            msgspec.structs.replace(msgspec.json.decode(content, type=ObjectChange), number=number)
            for number, content in rows
        ]
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise StateError(
            f"an object change cannot be read: {error}", where="state.db", cure="Keep the file for a report."
        ) from error

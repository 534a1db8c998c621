"""The stored tiers of all projects, in the table `metric` of `state.db`: a row for each project, tier and chunk.

A chunk fills about one page of the file, so a commit costs one page for each project that runs.
"""

from collections.abc import Iterable

import msgspec

from obsync_tui.engine.history.chunks import Tier
from obsync_tui.engine.state.database import StateFile


class StoredChunk(msgspec.Struct, frozen=True):
    """A row to be written."""

    project_id: str
    tier: Tier
    number: int
    content: bytes


class MetricTable:
    """Reads and writes chunks. Every method raises StateError."""

    def __init__(self, state: StateFile) -> None:
        self._state = state

    def load(self, project_id: str, tier: Tier, first: int, last: int) -> dict[int, bytes]:
        """The chunks with numbers from `first` to `last`, by number."""
        with self._state.reading() as connection:
            return dict(
                connection.execute(
                    "SELECT number, content FROM metric WHERE project_id = ? AND step_s = ?"
                    " AND number BETWEEN ? AND ? ORDER BY number",
                    (project_id, tier.step_s, first, last),
                )
            )

    def oldest(self, project_id: str, tier: Tier) -> tuple[int, bytes] | None:
        """The project's first chunk, if any."""
        with self._state.reading() as connection:
            row = connection.execute(
                "SELECT number, content FROM metric WHERE project_id = ? AND step_s = ? ORDER BY number LIMIT 1",
                (project_id, tier.step_s),
            ).fetchone()
        return (row[0], row[1]) if row else None

    def newest(self, tier: Tier) -> list[tuple[str, int]]:
        """The number of every project's last chunk."""
        with self._state.reading() as connection:
            return connection.execute(
                "SELECT project_id, max(number) FROM metric WHERE step_s = ? GROUP BY project_id",
                (tier.step_s,),
            ).fetchall()

    def write(self, chunks: Iterable[StoredChunk]) -> None:
        """Put the chunks in one commit; of each project and tier those farthest from the one written go."""
        with self._state.transaction() as connection:
            for chunk in chunks:
                key = (chunk.project_id, chunk.tier.step_s)
                # An UPDATE of the same size leaves the index alone, unlike INSERT OR REPLACE.
                done = connection.execute(
                    "UPDATE metric SET content = ? WHERE project_id = ? AND step_s = ? AND number = ?",
                    (chunk.content, *key, chunk.number),
                )
                if done.rowcount:
                    continue
                connection.execute(
                    "INSERT INTO metric (project_id, step_s, number, content) VALUES (?, ?, ?, ?)",
                    (*key, chunk.number, chunk.content),
                )
                connection.execute(
                    "DELETE FROM metric WHERE rowid IN (SELECT rowid FROM metric WHERE project_id = ?1"
                    " AND step_s = ?2 ORDER BY abs(number - ?3), number DESC LIMIT -1 OFFSET ?4)",
                    (*key, chunk.number, chunk.tier.chunks),
                )

    def delete(self, project_id: str) -> None:
        """Remove the project's chunks."""
        with self._state.transaction() as connection:
            connection.execute("DELETE FROM metric WHERE project_id = ?", (project_id,))

"""`state.db`: checkpoint records, last status, events and metrics of every project, in one SQLite file (WAL).

Several processes may use the file at once (a running project and `obsync project status`). Every failure of SQLite or
the disk is a StateError that says what to do.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType

import msgspec

from obsync_tui.config.paths import private_directory, sync_directory
from obsync_tui.engine.errors import ConfigError, StateError
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.event import Event
from obsync_tui.model.history import Level
from obsync_tui.model.metrics import Status

EVENTS_KEPT = 1000
EVENT_TEXT_LENGTH = 4000
EVENT_WHO_LENGTH = 200
BUSY_TIMEOUT_S = 10.0
WIPE_TIMEOUT_S = 0.5

# What leads from one version of the file to the next; the file's `user_version` counts those that ran.
MIGRATIONS = (
    """
    CREATE TABLE record (
        project_id TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (project_id, key)
    ) WITHOUT ROWID;
    CREATE TABLE status (project_id TEXT NOT NULL PRIMARY KEY, at_s REAL NOT NULL, status BLOB NOT NULL);
    CREATE TABLE event (
        number INTEGER PRIMARY KEY, project_id TEXT NOT NULL, at_s REAL NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX event_of_project ON event (project_id, number);
    """,
    """
    CREATE TABLE project (
        id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, since_s REAL NOT NULL, created_s REAL NOT NULL,
        created_by TEXT NOT NULL, started_s REAL, digest TEXT NOT NULL DEFAULT '', running TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;
    CREATE TABLE draft (
        id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, at_s REAL NOT NULL
    ) WITHOUT ROWID
    """,
    # AUTOINCREMENT: a number that was read is never given again, not even when the newest events are deleted.
    """
    ALTER TABLE event RENAME TO event_1;
    DROP INDEX event_of_project;
    CREATE TABLE event (
        number INTEGER PRIMARY KEY AUTOINCREMENT, project_id TEXT NOT NULL, at_s REAL NOT NULL, kind TEXT NOT NULL,
        text TEXT NOT NULL, level TEXT NOT NULL DEFAULT 'INFO', who TEXT NOT NULL DEFAULT ''
    );
    INSERT INTO event (number, project_id, at_s, kind, text) SELECT * FROM event_1 ORDER BY number;
    DROP TABLE event_1;
    CREATE INDEX event_of_project ON event (project_id, number);
    CREATE TABLE metric (
        project_id TEXT NOT NULL, step_s INTEGER NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL
    );
    CREATE UNIQUE INDEX metric_of_project ON metric (project_id, step_s, number);
    """,
    """
    CREATE TABLE object_change (
        number INTEGER PRIMARY KEY AUTOINCREMENT, project_id TEXT NOT NULL, is_open INTEGER NOT NULL,
        content BLOB NOT NULL
    );
    CREATE INDEX object_change_of_project ON object_change (project_id, number);
    CREATE UNIQUE INDEX object_change_open ON object_change (project_id) WHERE is_open
    """,
)

CURES = {
    sqlite3.SQLITE_FULL: "Free disk space; the project goes on from its checkpoint.",
    sqlite3.SQLITE_READONLY: "Make the file and its directory writable for this user.",
    sqlite3.SQLITE_CANTOPEN: "Check that the directory exists and that this user owns it.",
    sqlite3.SQLITE_CORRUPT: "Move the file away: projects that deliver exactly once keep their checkpoint in Kafka.",
    sqlite3.SQLITE_NOTADB: "Move the file away: projects that deliver exactly once keep their checkpoint in Kafka.",
    sqlite3.SQLITE_BUSY: "Another process holds the file; stop what it is, then try again.",
    sqlite3.SQLITE_IOERR: "Check the disk (room, quota, mount, kernel log).",
}


class StateFile:
    """The state of all projects; safe to use from several threads, to be closed at the end.

    Every method raises StateError; opening also when a later obsync wrote the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = threading.Lock()
        with self._failures():
            _private(path.parent)
            # Made here, since SQLite would make it readable for all; -wal and -shm take its mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._failures():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> "StateFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing else may be called afterwards."""
        with self._mutex, self._failures():
            self._connection.close()

    def records(self, project_id: str) -> list[Record]:
        """The project's checkpoint records, by key."""
        with self._mutex, self._failures():
            rows = self._connection.execute(
                "SELECT key, value FROM record WHERE project_id = ? ORDER BY key", (project_id,)
            ).fetchall()
        return [Record(key, value) for key, value in rows]

    def records_like(self, prefix: str) -> list[tuple[str, Record]]:
        """The records of all projects whose keys start so, each with its project's id."""
        with self._mutex, self._failures():
            rows = self._connection.execute(
                "SELECT project_id, key, value FROM record WHERE substr(key, 1, ?) = ? ORDER BY project_id, key",
                (len(prefix), prefix),
            ).fetchall()
        return [(project_id, Record(key, value)) for project_id, key, value in rows]

    def save(self, project_id: str, records: Sequence[Record]) -> None:
        """Put the records, all or none, durably; a value of None removes its key."""
        with self.transaction() as connection:
            for record in records:
                if record.value is None:
                    connection.execute(
                        "DELETE FROM record WHERE project_id = ? AND key = ?", (project_id, record.key)
                    )
                else:
                    connection.execute(
                        "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
                        (project_id, record.key, record.value),
                    )

    def status(self, project_id: str) -> Status | None:
        """The status that was saved last, if any; its `at_s` says when it was true."""
        with self._mutex, self._failures():
            row = self._connection.execute(
                "SELECT status FROM status WHERE project_id = ?", (project_id,)
            ).fetchone()
        if row is None:
            return None
        try:
            return msgspec.json.decode(row[0], type=Status)
        except msgspec.DecodeError as error:
            raise StateError(
                f"the status of {project_id} cannot be read: {error}",
                where=str(self._path),
                cure="Run the project; it writes its status anew.",
            ) from error

    def save_status(self, *statuses: Status) -> None:
        """Replace the projects' statuses, in one commit."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO status VALUES (?, ?, ?)",
                [(status.project_id, status.at_s, msgspec.json.encode(status)) for status in statuses],
            )

    def clear_status(self, project_id: str) -> None:
        """Forget the project's status."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM status WHERE project_id = ?", (project_id,))

    def add_event(
        self,
        project_id: str,
        kind: str,
        text: str,
        at_s: float | None = None,
        *,
        level: Level = Level.INFO,
        who: str = "",
    ) -> None:
        """Write an event, now unless told; the newest thousand of each project are kept.

        The project's id is empty for what concerns the engine as a whole. `who` asked for it ("uid name tty"), empty
        for what happened by itself.
        """
        with self.transaction() as connection:
            write_event(connection, project_id, kind, text, at_s, level=level, who=who)

    def events(self, project_id: str, limit: int = EVENTS_KEPT) -> list[Event]:
        """The project's newest events, oldest first."""
        return self.event_page(project_id, limit=limit)

    def event_page(
        self,
        project_id: str | None,
        *,
        limit: int,
        before: int | None = None,
        after: int | None = None,
        level: Level = Level.DEBUG,
        search: str = "",
    ) -> list[Event]:
        """Events of at least the level that hold the text, oldest first; of all projects and the engine for None.

        They are the newest with numbers below `before`; or, with `after`, the oldest with numbers above it.
        """
        levels = [one.value for one in Level if one.rank >= level.rank]
        conditions = [f"level IN ({', '.join('?' * len(levels))})"]
        values: list[str | int] = [*levels]
        for condition, value in (
            ("project_id = ?", project_id),
            ("number < ?", before),
            ("number > ?", after),
            ("instr(lower(text), lower(?)) > 0", search or None),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        order = "DESC" if after is None else "ASC"
        with self.reading() as connection:
            rows: list[tuple[float, str, str, str, int, str, str]] = connection.execute(
                "SELECT at_s, project_id, kind, text, number, level, who FROM event"
                f" WHERE {' AND '.join(conditions)} ORDER BY number {order} LIMIT ?",
                (*values, limit),
            ).fetchall()
        found = [Event(*row[:5], Level(row[5]), row[6]) for row in rows]
        return found[::-1] if after is None else found

    def delete(self, project_id: str, but: str = "\0") -> None:
        """Remove everything of the project but records whose keys start so: what it left behind elsewhere."""
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM record WHERE project_id = ? AND substr(key, 1, ?) <> ?",
                (project_id, len(but), but),
            )
            for table in ("status", "event", "metric", "object_change"):
                connection.execute(f"DELETE FROM {table} WHERE project_id = ?", (project_id,))
            connection.execute("DELETE FROM project WHERE id = ?", (project_id,))

    def _prepare(self) -> None:
        connection = self._connection
        self._refuse_newer(self._version())
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        version = self._version()
        if version == len(MIGRATIONS):
            return
        if version:
            self._keep_copy(version)
        with self.transaction():
            done = self._version()  # again: another process may have been faster
            self._refuse_newer(done)
            for migration in MIGRATIONS[done:]:
                for statement in migration.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _keep_copy(self, version: int) -> None:
        """Keep the file as the older obsync left it, beside this one."""
        copy = self._path.with_name(f"{self._path.name}.version-{version}")
        if copy.exists():
            return
        partial = copy.with_name(f".{copy.name}.{os.getpid()}")
        try:
            os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with closing(sqlite3.connect(partial, isolation_level=None)) as target:
                self._connection.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
                still: int = target.execute("PRAGMA user_version").fetchone()[0]
            if still == version:  # else another process was faster, and kept its copy
                os.rename(partial, copy)
                sync_directory(copy.parent)
        finally:
            for left in (partial, partial.with_name(f"{partial.name}-journal")):
                left.unlink(missing_ok=True)

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    def _refuse_newer(self, version: int) -> None:
        if version > len(MIGRATIONS):
            raise StateError(
                f"a newer obsync wrote this file (version {version}, this one knows {len(MIGRATIONS)})",
                where=str(self._path),
                cure="Install that obsync again, or set OBSYNC_HOME to another directory.",
            )

    def wipe(self) -> None:
        """Let nothing of what was deleted or replaced stay in the files; a reader elsewhere can put it off."""
        with self._mutex, self._failures():
            self._connection.execute(f"PRAGMA busy_timeout = {WIPE_TIMEOUT_S * 1000:.0f}")
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for statements that only read; what SQLite raises in here becomes StateError."""
        with self._mutex, self._failures():
            yield self._connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction that is durable at the end, or undone where anything is raised."""
        with self._mutex, self._failures():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            cure = CURES.get(code, "Move the file away if this comes back, and keep it for a report.")
            raise StateError(
                f"the state cannot be used: {error}", where=str(self._path), cure=cure
            ) from error
        except OSError as error:
            raise StateError(
                f"the state cannot be used: {error.strerror}",
                where=str(self._path),
                cure="Check that the disk has room and that this user owns the path.",
            ) from error


def write_event(
    connection: sqlite3.Connection,
    project_id: str,
    kind: str,
    text: str,
    at_s: float | None = None,
    *,
    level: Level = Level.INFO,
    who: str = "",
) -> None:
    """Write an event within a transaction; see `StateFile.add_event`."""
    when = time.time() if at_s is None else at_s
    connection.execute(
        "INSERT INTO event (project_id, at_s, kind, text, level, who) VALUES (?, ?, ?, ?, ?, ?)",
        (project_id, when, kind, text[:EVENT_TEXT_LENGTH], level, who[:EVENT_WHO_LENGTH]),
    )
    connection.execute(
        "DELETE FROM event WHERE project_id = :project AND number <= (SELECT number FROM event"
        " WHERE project_id = :project ORDER BY number DESC LIMIT 1 OFFSET :kept)",
        {"project": project_id, "kept": EVENTS_KEPT},
    )


def _private(directory: Path) -> None:
    try:
        private_directory(directory)
    except ConfigError as error:
        raise StateError(error.what, where=error.where, cure=error.cure) from error

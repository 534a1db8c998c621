"""Logs of projects' components and of the engine: `<logs>/<project id>/<component>.log`, `<logs>/engine/engine.log`.

A thread writes, so that no disk ever holds up or fails whoever has something to say. What cannot be written is counted,
and told in the log itself once it can be written to again.
"""

import re
import shutil
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

import msgspec

from obsync_tui.engine.errors import ConfigError, StateError
from obsync_tui.engine.history.logfile import LogFile, line_of
from obsync_tui.engine.history.logreading import Wanted, following, newest
from obsync_tui.model.history import Component, Level, LogPage

FILE_BYTES = 4 << 20
FILES = 4
WAITING_LINES = 10_000
WAITING_BYTES = 8 << 20
_WRITTEN_BYTES = 64 << 10
_AGAIN_S = 5.0
_HELD_S = 5.0
_DIRECTORY = re.compile(r"[A-Za-z0-9_-]{1,64}")

Key = tuple[str, Component]


class _Dropped(msgspec.Struct):
    """Lines that a log lacks, and the first reason."""

    lines: int
    why: str


class ComponentLogs:
    """The logs below a directory; safe for threads, to be closed at the end.

    A project's id is empty for the engine. Each log has at most `files` files of `file_bytes`.
    """

    def __init__(self, directory: Path, file_bytes: int = FILE_BYTES, files: int = FILES) -> None:
        self._directory = directory
        self._file_bytes = file_bytes
        self._files = files
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Key, bytes]] = deque()
        self._waiting_bytes = 0
        self._dropped: dict[Key, _Dropped] = {}
        self._dropped_lines = 0
        self._busy = self._closed = False
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="logs", daemon=True)
        self._thread.start()

    @property
    def dropped_lines(self) -> int:
        """How many lines could not be written so far."""
        return self._dropped_lines

    def size_bytes(self) -> int:
        """What all logs take on the disk; looks at each file."""
        return sum(_size_bytes(path) for path in self._directory.glob("*/*"))

    def write(self, project_id: str, component: Component, level: Level, text: str) -> None:
        """Add a line, now; returns at once and never fails."""
        line = line_of(time(), level, text)
        key = (project_id, component)
        with self._changed:
            if len(self._waiting) >= WAITING_LINES or self._waiting_bytes + len(line) > WAITING_BYTES:
                self._drop(key, 1, "lines came faster than the disk takes them")
                return
            self._waiting.append((key, line))
            self._waiting_bytes += len(line)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was said before is written or dropped; False when it took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout_s)

    def close(self, timeout_s: float = _HELD_S) -> None:
        """Write what waits; a disk that does not answer is given up after the time-out."""
        self.flush(timeout_s)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def newest(
        self,
        project_id: str,
        component: Component,
        *,
        limit: int,
        before: str = "",
        level: Level = Level.DEBUG,
        search: str = "",
    ) -> LogPage:
        """The last lines before a cursor. Raises ConfigError for a wrong cursor, StateError when a file is not read."""
        with _reading(self.file(project_id, component)) as log:
            return newest(log, before, limit, Wanted(level, search))

    def following(
        self,
        project_id: str,
        component: Component,
        *,
        limit: int,
        after: str = "",
        level: Level = Level.DEBUG,
        search: str = "",
    ) -> LogPage:
        """The first lines after a cursor. Raises as `newest` does."""
        with _reading(self.file(project_id, component)) as log:
            return following(log, after, limit, Wanted(level, search))

    def file(self, project_id: str, component: Component) -> LogFile:
        """Where a log is; ConfigError for an id that could lead elsewhere."""
        return LogFile(self._of(project_id) / f"{component}.log", self._file_bytes, self._files)

    def delete(self, project_id: str) -> None:
        """Remove a project's logs. Raises StateError."""
        directory = self._of(project_id)
        if not self._writing.acquire(timeout=_HELD_S):
            raise StateError("the disk does not answer", where=str(directory), cure="Try again.")
        try:
            with self._changed:
                kept = [one for one in self._waiting if one[0][0] != project_id]
                self._waiting = deque(kept)
                self._waiting_bytes = sum(len(line) for _, line in kept)
                for key in [key for key in self._dropped if key[0] == project_id]:
                    del self._dropped[key]
            if directory.exists():
                shutil.rmtree(directory)
        except OSError as error:
            raise _unusable(directory, "removed", error) from error
        finally:
            self._writing.release()

    def _of(self, project_id: str) -> Path:
        if project_id and (project_id == "engine" or not _DIRECTORY.fullmatch(project_id)):
            raise ConfigError("this is no project's id", where=project_id[:80], cure="Name a project.")
        return self._directory / (project_id or "engine")

    def _drop(self, key: Key, lines: int, why: str) -> None:
        self._dropped_lines += lines
        dropped = self._dropped.setdefault(key, _Dropped(0, why))
        dropped.lines += lines

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                again_s = _AGAIN_S if self._dropped else None
                self._changed.wait_for(lambda: self._waiting or self._closed, again_s)
                if self._closed and not self._waiting:
                    return
            with self._writing:
                for key, lines in self._take().items():
                    self._write(key, lines)

    def _take(self) -> dict[Key, list[bytes]]:
        """The lines that wait, by log; logs that lack lines come along."""
        with self._changed:
            self._busy = True
            waiting, self._waiting = self._waiting, deque()
            self._waiting_bytes = 0
            taken: dict[Key, list[bytes]] = {key: [] for key in self._dropped}
        for key, line in waiting:
            taken.setdefault(key, []).append(line)
        return taken

    def _write(self, key: Key, lines: list[bytes]) -> None:
        lacking = self._dropped.get(key)
        told = lacking.lines if lacking else 0
        if lacking:
            text = f"{told} lines are missing here: {lacking.why}"
            lines = [line_of(time(), Level.WARNING, text), *lines]
        begin = 0
        for end in _ends(lines, min(_WRITTEN_BYTES, self._file_bytes // 2)):
            try:
                self.file(*key).append(b"".join(lines[begin:end]))
            except (OSError, ConfigError) as error:
                why = error.strerror or str(error) if isinstance(error, OSError) else error.what
                with self._changed:
                    self._drop(key, len(lines) - begin - (1 if told else 0), why)
                return
            if told:
                with self._changed:
                    self._told(key, told)
                told = 0
            begin = end

    def _told(self, key: Key, lines: int) -> None:
        dropped = self._dropped[key]
        dropped.lines -= lines
        if not dropped.lines:
            del self._dropped[key]


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # removed since the directory was read


def _ends(lines: list[bytes], most_bytes: int) -> Iterator[int]:
    """Where to cut the lines, so that each part is written at once and fits every file."""
    size_bytes = 0
    for number, line in enumerate(lines):
        if size_bytes and size_bytes + len(line) > most_bytes:
            yield number
            size_bytes = 0
        size_bytes += len(line)
    if lines:
        yield len(lines)


@contextmanager
def _reading(log: LogFile) -> Iterator[LogFile]:
    try:
        yield log
    except OSError as error:
        raise _unusable(log.path, "read", error) from error


def _unusable(path: Path, verb: str, error: OSError) -> StateError:
    return StateError(
        f"the log cannot be {verb}: {error.strerror}",
        where=str(path),
        cure="Check that this user owns the path, and the disk.",
    )

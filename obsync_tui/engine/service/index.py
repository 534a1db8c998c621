"""The projects' files as they stand, read again only when they change: a thousand cost a thousand stats."""

import hashlib
import os
import threading
import time
from pathlib import Path

import msgspec

from obsync_tui.config.files import ConfigFiles
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import Project, is_name, new_project_id

# How old the picture may be; what is written through the engine shows at once.
MAX_AGE_S = 1.0
# Most of the time that looks may take: beside busy projects a look at a thousand files takes longer.
MOST_TIME = 0.05
_SUFFIX = ".toml"


class Entry(msgspec.Struct, frozen=True):
    """A project's file: the project, or the error that makes the file unusable; the digest is that of its text."""

    name: str
    project: Project | None
    digest: str
    text: str
    error: str = ""


class _Seen(msgspec.Struct, frozen=True):
    mtime_ns: int
    size_bytes: int
    inode: int
    entry: Entry


class ProjectIndex:
    """Every project by name; safe to use from several threads.

    The engine's is `kept`: it calls `keep` each second, and nobody who asks waits for a look at all the files.
    """

    def __init__(self, files: ConfigFiles, *, kept: bool = False) -> None:
        self._files = files
        self._kept = kept
        self._looking = threading.Lock()
        self._mutex = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._entries: dict[str, Entry] = {}
        self._read_s = float("-inf")
        self._took_s = 0.0

    def entries(self) -> dict[str, Entry]:
        """All entries by name, at most a second old, or as `keep` saw them last; not to be changed."""
        if not self._kept and time.monotonic() - self._read_s >= MAX_AGE_S:
            self.look()
        return self._entries

    def entry(self, name: str) -> Entry:
        """One entry as of now; ConfigError when there is no such file."""
        if self._kept:
            self._look_at(name)
        else:
            self.look()
        found = self._entries.get(name)
        if found is None:
            self._files.project(name)  # raises, naming those that there are
            raise ConfigError(
                f"there is no project {name!r}", where=str(self._files.paths.projects), missing=True
            )
        return found

    def project(self, name: str) -> Project:
        """The project of a file; ConfigError when there is none or the file is wrong."""
        found = self.entry(name)
        return found.project or self._files.project(name)

    def keep(self) -> None:
        """Look unless that was a moment ago; a look that takes long is taken less often."""
        if time.monotonic() - self._read_s >= max(MAX_AGE_S, self._took_s / MOST_TIME):
            self.look()

    def look(self) -> None:
        """Read every file that changed."""
        with self._looking:
            began_s, before = time.monotonic(), self._seen
            seen: dict[str, _Seen] = {}
            for name in self._names():
                if found := self._file(name, before.get(name)):
                    seen[name] = found
            with self._mutex:
                # Who asked for one project meanwhile saw its file later than this.
                for name in before.keys() | self._seen.keys():
                    if before.get(name) is not (later := self._seen.get(name)):
                        _put(seen, name, later)
                self._take(seen)
            self._read_s = time.monotonic()
            self._took_s = self._read_s - began_s

    def _look_at(self, name: str) -> None:
        known = self._seen.get(name)
        found = self._file(name, known) if is_name(name) else None
        if found is not known:
            with self._mutex:
                seen = dict(self._seen)
                _put(seen, name, found)
                self._take(seen)

    def _take(self, seen: dict[str, _Seen]) -> None:
        if seen != self._seen:
            self._entries = _without_twins({name: seen[name].entry for name in sorted(seen)})
        self._seen = seen

    def _names(self) -> list[str]:
        try:
            with os.scandir(self._files.paths.projects) as found:
                names = [one.name for one in found]
        except FileNotFoundError:
            return []
        return [name[: -len(_SUFFIX)] for name in names if name.endswith(_SUFFIX) and name[0] != "."]

    def _file(self, name: str, known: _Seen | None) -> _Seen | None:
        """A file as of now; None when there is none."""
        path = self._files.paths.projects / f"{name}{_SUFFIX}"
        try:
            found = os.stat(path)
        except OSError:
            return None
        if known and (known.mtime_ns, known.size_bytes, known.inode) == (
            found.st_mtime_ns,
            found.st_size,
            found.st_ino,
        ):
            return known
        return _Seen(found.st_mtime_ns, found.st_size, found.st_ino, self._read(path))

    def _read(self, path: Path) -> Entry:
        try:
            text, project = self._files.read_project(path.stem)
        except ConfigError as error:
            return Entry(path.stem, None, "", "", str(error))
        return Entry(path.stem, project, digest(text), text)


def _put(seen: dict[str, _Seen], name: str, found: _Seen | None) -> None:
    if found is None:
        seen.pop(name, None)
    else:
        seen[name] = found


def digest(text: str) -> str:
    """The digest of a file's text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _without_twins(entries: dict[str, Entry]) -> dict[str, Entry]:
    """Entries of one id are errors, each: two projects would share one checkpoint."""
    owners: dict[str, list[str]] = {}
    for entry in entries.values():
        if entry.project:
            owners.setdefault(entry.project.id, []).append(entry.name)
    for project_id, names in owners.items():
        for name in names if len(names) > 1 else ():
            others = ", ".join(f"{other}.toml" for other in names if other != name)
            error = (
                f"{name}.toml: has the id of {others} ({project_id}). A copy is another project: give it id = "
                f'"{new_project_id()}".'
            )
            entries[name] = msgspec.structs.replace(entries[name], project=None, error=error)
    return entries

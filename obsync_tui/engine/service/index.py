"""The projects' files as they stand, read again only when they change: a thousand cost a thousand stats."""

import hashlib
import threading
import time
from pathlib import Path

import msgspec

from obsync_tui.config.files import ConfigFiles
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import Project, new_project_id

# How old the picture may be; what is written through the engine shows at once.
MAX_AGE_S = 1.0


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
    """Every project by name; safe to use from several threads."""

    def __init__(self, files: ConfigFiles) -> None:
        self._files = files
        self._mutex = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._entries: dict[str, Entry] = {}
        self._read_s = float("-inf")

    def entries(self) -> dict[str, Entry]:
        """All entries by name, at most a second old."""
        with self._mutex:
            if time.monotonic() - self._read_s >= MAX_AGE_S:
                self._refresh()
            return self._entries

    def entry(self, name: str) -> Entry:
        """One entry as of now; ConfigError when there is no such file."""
        self.invalidate()
        found = self.entries().get(name)
        if found is None:
            self._files.project(name)  # raises, naming those that there are
            raise ConfigError(f"there is no project {name!r}", where=str(self._files.paths.projects))
        return found

    def project(self, name: str) -> Project:
        """The project of a file; ConfigError when there is none or the file is wrong."""
        found = self.entry(name)
        return found.project or self._files.project(name)

    def invalidate(self) -> None:
        """Look again at the next question."""
        with self._mutex:
            self._read_s = float("-inf")

    def _refresh(self) -> None:
        seen: dict[str, _Seen] = {}
        for path in sorted(self._files.paths.projects.glob("*.toml")):
            if path.name.startswith("."):
                continue
            try:
                found = path.stat()
            except OSError:
                continue  # removed since the directory was read
            known = self._seen.get(path.stem)
            if known and (known.mtime_ns, known.size_bytes, known.inode) == (
                found.st_mtime_ns,
                found.st_size,
                found.st_ino,
            ):
                seen[path.stem] = known
            else:
                seen[path.stem] = _Seen(found.st_mtime_ns, found.st_size, found.st_ino, self._read(path))
        self._seen = seen
        self._entries = _without_twins({name: one.entry for name, one in seen.items()})
        self._read_s = time.monotonic()

    def _read(self, path: Path) -> Entry:
        try:
            text, project = self._files.read_project(path.stem)
        except ConfigError as error:
            return Entry(path.stem, None, "", "", str(error))
        return Entry(path.stem, project, digest(text), text)


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

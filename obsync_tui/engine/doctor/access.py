"""Checks of who may read and change obsync's files."""

import shlex

from obsync_tui.engine.doctor.facts import Entry
from obsync_tui.model.finding import About, Finding

_ABOUT = About("permissions")
_ROOT = 0
_STICKY = 0o1000
_OTHERS_WRITE = 0o002
_GROUP_OR_OTHERS_WRITE = 0o022
_PRIVATE = 0o077
_OTHERS_BUT_PASSING = 0o066


def check_entries(entries: tuple[Entry, ...], uid: int) -> list[Finding]:
    """What is wrong with each of the entries; one finding that all is well when nothing is."""
    found = [finding for entry in entries if (finding := check_entry(entry, uid)) is not None]
    own = sum(entry.role != "directory above" for entry in entries)
    return found or [_ABOUT.ok("files", f"{own} files and directories are this user's, and private")]


def check_entry(entry: Entry, uid: int) -> Finding | None:
    """What is wrong with the entry; secrets and commands stand in these files, so others may not change them."""
    if entry.role == "directory above":
        return _above(entry)
    if entry.role == "socket directory":
        return _socket_directory(entry, uid)
    if entry.kind == "dangling link":
        return _failure(
            entry, "is a link that leads nowhere", f"Put back what it led to, or: rm {_quoted(entry)}"
        )
    if entry.uid != uid:
        who = "root" if uid == _ROOT else f"user id {uid}"
        return _failure(
            entry,
            f"belongs to user id {entry.uid}, obsync runs as {who}",
            f"Run: chown {uid} {_quoted(entry)}; or run obsync as its owner.",
        )
    if entry.kind == "link" and entry.role == "socket":
        return _failure(entry, "is a link: somebody could lead it elsewhere", f"Run: rm {_quoted(entry)}")
    return _mode(entry) or _link(entry)


def _above(entry: Entry) -> Finding | None:
    if entry.mode & _OTHERS_WRITE and not entry.mode & _STICKY:
        return _failure(
            entry,
            f"every user may rename what is in it (mode {entry.mode:04o}), obsync's directories too",
            f"Run: chmod o-w {_quoted(entry)}; or set OBSYNC_HOME elsewhere.",
        )
    return None


def _socket_directory(entry: Entry, uid: int) -> Finding | None:
    """What keeps the engine from binding there; it may be a directory that the whole machine needs, such as /run."""
    if entry.kind != "directory":
        what = "is a link or no directory"
    elif entry.uid != uid:
        what = f"belongs to user id {entry.uid}"
    elif entry.mode & _OTHERS_BUT_PASSING:
        what = f"others may list or change it (mode {entry.mode:04o})"
    else:
        return None
    own = f"if this is one, run: chmod 700 {_quoted(entry)}"
    return _failure(entry, what, f"Name a directory of its own by OBSYNC_SOCKET; {own}")


def _mode(entry: Entry) -> Finding | None:
    mode = f"(mode {entry.mode:04o})"
    if entry.role in ("key", "secrets") and entry.mode & _PRIVATE:
        return _failure(entry, f"others may read secrets in it {mode}", f"Run: chmod 600 {_quoted(entry)}")
    if entry.role == "socket":
        # Who may connect to an open socket is decided by the peer's user id.
        return None
    if entry.mode & _GROUP_OR_OTHERS_WRITE:
        given = "700" if entry.role == "directory" else "600"
        return _failure(entry, f"others may change it {mode}", f"Run: chmod {given} {_quoted(entry)}")
    if entry.role == "state" and entry.mode & _PRIVATE:
        return _ABOUT.warning(
            "state", f"others may read it {mode}", f"Run: chmod 600 {_quoted(entry)}", entry.path
        )
    if entry.role == "directory" and entry.mode & _PRIVATE:
        cure = f"Run: chmod 700 {_quoted(entry)}"
        return _ABOUT.warning("directory", f"others may look into it {mode}", cure, entry.path)
    return None


def _link(entry: Entry) -> Finding | None:
    if entry.kind == "link" and entry.role == "configuration":
        return _ABOUT.warning(
            "configuration",
            "is a link: what obsync writes replaces the link, not the file that it leads to",
            "Edit the file by hand only, or put the file itself there.",
            entry.path,
        )
    return None


def _failure(entry: Entry, what: str, cure: str) -> Finding:
    return _ABOUT.failure(entry.role, what, cure, entry.path)


def _quoted(entry: Entry) -> str:
    return shlex.quote(entry.path)

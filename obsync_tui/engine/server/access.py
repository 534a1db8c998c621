"""Who may do what: decided by the kernel's word about the peer, before anything else is looked at."""

import os
import pwd
from pathlib import Path

from obsync_tui.api.endpoint import Peer
from obsync_tui.api.operation import Access
from obsync_tui.config.settings import Settings, is_listed
from obsync_tui.engine.errors import AccessDenied
from obsync_tui.engine.service.service import Caller

_NO_LOGIN = 4294967295


def caller(peer: Peer, settings: Settings, *, read_only: bool, named: bool) -> Caller:
    """Who calls, by name where it may be written down; AccessDenied for strangers."""
    if peer.uid in (0, os.getuid()) or is_listed(peer.uid, peer.gid, settings.access.admin):
        access = Access.VIEWER if read_only else Access.ADMIN
    elif is_listed(peer.uid, peer.gid, settings.access.viewer):
        access = Access.VIEWER
    else:
        raise AccessDenied(
            f"user {peer.uid} may not use this engine",
            where="access",
            cure="Its owner can list the user under [access] in config.toml.",
        )
    return Caller(access, who(peer) if named else "")


def check(needed: Access, asking: Caller) -> None:
    """AccessDenied when only an admin may."""
    if needed is Access.ADMIN and asking.access is not Access.ADMIN:
        raise AccessDenied(
            "only reading is allowed here",
            where="access",
            cure="This session is read-only, or the user a viewer; see [access] in config.toml.",
        )


def who(peer: Peer) -> str:
    """The peer for the event log: uid, name, the uid that logged in when it is another, and terminal."""
    login = _number(Path(f"/proc/{peer.pid}/loginuid"))
    parts = [str(peer.uid), _name(peer.uid)]
    if login is not None and login not in (peer.uid, _NO_LOGIN):
        parts.append(f"as {_name(login)}")
    parts.append(_terminal(peer.pid))
    return " ".join(part for part in parts if part)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _terminal(pid: int) -> str:
    """The controlling terminal by its device number (proc(5), field 7 of stat)."""
    try:
        device = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[4])
    except (OSError, ValueError, IndexError):
        return ""
    if not device:
        return ""
    number = (device & 0xFF) | ((device >> 12) & 0xFFF00)
    return f"pts/{number}" if 136 <= (device >> 8) & 0xFFF <= 143 else f"tty{number}"

"""Where the engine of a home listens, and whether what listens there is ours.

`OBSYNC_SOCKET`; else `run/engine.sock` of the home; else, when that path is too long for a socket or on a network file
system, `/tmp/obsync-UID/<hash of the home>.sock`.
"""

import hashlib
import os
import shlex
import socket
import stat
import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec

from obsync_tui.api.errors import NotOurEngine
from obsync_tui.config.mounts import NETWORK_FILE_SYSTEMS, mount_of, read_mounts
from obsync_tui.config.paths import Paths
from obsync_tui.model.errors import ConfigError

# sun_path holds 108 bytes with its end; some room is left for a temporary name beside it.
MAX_PATH_BYTES = 100
_OTHERS_BUT_PASSING = 0o066
_CREDENTIALS = struct.Struct("iII")


class Endpoint(msgspec.Struct, frozen=True):
    """The socket's path and the uid that must hold it."""

    path: Path
    uid: int


class Peer(msgspec.Struct, frozen=True):
    """Who is at the other end of a unix socket."""

    pid: int
    uid: int
    gid: int


def endpoint(paths: Paths, environment: Mapping[str, str]) -> Endpoint:
    """The endpoint of a home; `OBSYNC_ENGINE_UID` names another user's engine (a viewer's call)."""
    uid = _uid(environment)
    if given := environment.get("OBSYNC_SOCKET"):
        if not os.path.isabs(given) or len(os.fsencode(given)) > MAX_PATH_BYTES:
            raise ConfigError(
                f"OBSYNC_SOCKET is not a full path of at most {MAX_PATH_BYTES} bytes",
                where=given,
                cure="Name a shorter full path.",
            )
        return Endpoint(Path(given), uid)
    usual = paths.run / "engine.sock"
    mount = mount_of(os.path.realpath(paths.run), read_mounts())
    is_local = mount is None or mount.filesystem not in NETWORK_FILE_SYSTEMS
    if is_local and len(os.fsencode(usual)) <= MAX_PATH_BYTES:
        return Endpoint(usual, uid)
    digest = hashlib.sha256(os.fsencode(paths.state)).hexdigest()[:16]
    return Endpoint(Path(f"/tmp/obsync-{uid}/{digest}.sock"), uid)


def _uid(environment: Mapping[str, str]) -> int:
    given = environment.get("OBSYNC_ENGINE_UID", "")
    if given and not (given.isascii() and given.isdecimal()):
        raise ConfigError("OBSYNC_ENGINE_UID is no number", where=given, cure="Give the engine's uid: id -u.")
    return int(given) if given else os.getuid()


def peer(connected: socket.socket) -> Peer:
    """Who holds the other end, by the kernel's word (SO_PEERCRED)."""
    packed = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(packed))


def check_peer(connected: socket.socket, at: Endpoint) -> None:
    """NotOurEngine when another user holds the socket: no byte may go there, it could be a password."""
    found = peer(connected).uid
    if found != at.uid and found != 0:
        raise NotOurEngine(
            f"user {found} holds the socket, not user {at.uid}",
            where=str(at.path),
            cure="Find out who that is; nothing was sent. OBSYNC_SOCKET names another place.",
        )


def check_directory(path: Path) -> None:
    """NotOurEngine when the socket's directory is a link, another user's, or one that others may list or write to."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NotOurEngine(
            "the socket's directory is not a directory of this user",
            where=str(path),
            cure="Remove it, or name another place by OBSYNC_SOCKET.",
        )
    if found.st_mode & _OTHERS_BUT_PASSING:
        # Not taken away from them here: it can be a directory that the whole machine needs, such as /run or /tmp.
        raise NotOurEngine(
            f"others may list or change the socket's directory (mode {stat.S_IMODE(found.st_mode):04o})",
            where=str(path),
            cure="Name a directory of its own by OBSYNC_SOCKET; if this is one, run: chmod 700 "
            f"{shlex.quote(str(path))}",
        )

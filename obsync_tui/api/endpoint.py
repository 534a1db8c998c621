"""Where the engine of a home listens, and whether what listens there is ours.

`OBSYNC_SOCKET`; else `run/engine.sock` of the home; else, when that path is too long for a socket or on a network file
system, `/tmp/obsync-UID/<hash of the home>.sock`.
"""

import hashlib
import os
import socket
import stat
import struct
from collections.abc import Mapping
from pathlib import Path

import msgspec

from obsync_tui.api.errors import NotOurEngine
from obsync_tui.config.paths import Paths

# sun_path holds 108 bytes with its end; some room is left for a temporary name beside it.
MAX_PATH_BYTES = 100
NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "9p", "ceph", "lustre", "gpfs", "beegfs")
    + (
        "glusterfs",
        "pvfs2",
        "davfs",
        "vboxsf",
        "prl_fs",
        "drvfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.ceph",
    )
    + ("fuse.ceph-fuse", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.davfs2")
)
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
    uid = int(environment.get("OBSYNC_ENGINE_UID") or os.getuid())
    if given := environment.get("OBSYNC_SOCKET"):
        return Endpoint(Path(given), uid)
    usual = paths.run / "engine.sock"
    if len(os.fsencode(usual)) <= MAX_PATH_BYTES and file_system(paths.run) not in NETWORK_FILE_SYSTEMS:
        return Endpoint(usual, uid)
    digest = hashlib.sha256(os.fsencode(paths.state)).hexdigest()[:16]
    return Endpoint(Path(f"/tmp/obsync-{uid}/{digest}.sock"), uid)


def file_system(path: Path) -> str:
    """The type of the file system that holds the path, or would; empty where the kernel does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in lines:
        fields, _, rest = line.partition(" - ")
        mount = fields.split()[4].encode().decode("unicode_escape")
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, rest.split()[0]
    return kind


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
    """NotOurEngine when the socket's directory is a link or another user's."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NotOurEngine(
            "the socket's directory is not a directory of this user",
            where=str(path),
            cure="Remove it, or name another place by OBSYNC_SOCKET.",
        )

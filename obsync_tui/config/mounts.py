"""What is mounted where, by the kernel's list (proc(5), mountinfo); empty on systems that have none."""

import os
import re
from pathlib import Path

import msgspec

# SQLite's write-ahead log, file locks and unix sockets do not hold on these.
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
_OCTAL = re.compile(r"\\([0-7]{3})")
_ROOT = Path("/")


class Mount(msgspec.Struct, frozen=True):
    """A line of the list; `root` is the part of the file system that is mounted."""

    root: str
    mount_point: str
    filesystem: str
    options: tuple[str, ...]
    super_options: tuple[str, ...]


def read_mounts(root: Path = _ROOT) -> tuple[Mount, ...]:
    """What is mounted, in the order it was; `root` stands for `/` in tests."""
    try:
        text = os.fsdecode((root / "proc/self/mountinfo").read_bytes())
    except OSError:
        return ()
    mounts = []
    for line in text.splitlines():
        own, dash, of_all = line.partition(" - ")
        fields, rest = own.split(" "), of_all.split(" ")
        if dash and len(fields) >= 6 and len(rest) >= 3:
            options, super_options = tuple(fields[5].split(",")), tuple(rest[2].split(","))
            mounts.append(Mount(_plain(fields[3]), _plain(fields[4]), rest[0], options, super_options))
    return tuple(mounts)


def mount_of(path: str, mounts: tuple[Mount, ...]) -> Mount | None:
    """What the real path is on: the longest mount point above it, the last of those mounted over each other."""
    found = None
    for mount in mounts:
        point = mount.mount_point.rstrip("/")
        if path == point or path.startswith(f"{point}/"):
            if found is None or len(mount.mount_point) >= len(found.mount_point):
                found = mount
    return found


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)

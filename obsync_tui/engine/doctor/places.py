"""Checks of the file systems that configuration, state and socket are on."""

from obsync_tui.config.mounts import NETWORK_FILE_SYSTEMS
from obsync_tui.engine.doctor.facts import Place, Usage
from obsync_tui.engine.precheck.local import NEEDED_BYTES, WANTED_BYTES
from obsync_tui.model.finding import About, Finding

_ABOUT = About("files")
_MIB = 1 << 20
_MEMORY = frozenset(("tmpfs", "ramfs"))
_LAYERS = frozenset(("overlay", "aufs"))
# The socket itself takes no room.
_SOCKET_BYTES = _MIB
_NEEDED_INODES, _WANTED_INODES = 64, 1024
# What obsync itself bounds; more is somebody else's, or a fault.
_USAGE_BYTES, _USAGE_PER_PROJECT_BYTES = 1024 * _MIB, 96 * _MIB
_MOVE = "Set OBSYNC_HOME to a directory on a local disk, and move the files there with the engine stopped."


def check_filesystem(place: Place) -> Finding:
    """Files are on a local disk that keeps them."""
    check = f"{place.role} file system"
    what = f"{place.filesystem or 'unknown'} at {place.mount_point or '?'}"
    if place.error:
        return _ABOUT.failure(
            check,
            place.error,
            "Let this user pass to it, or bring the file system back, or set OBSYNC_HOME.",
            place.path,
        )
    if place.filesystem in NETWORK_FILE_SYSTEMS:
        if place.role == "state":
            said = (
                f"{what} is shared over a network: SQLite's write-ahead log and file locks do not hold there"
            )
            return _ABOUT.failure(check, said, _MOVE, place.path)
        if place.role == "run":
            cure = "Set OBSYNC_SOCKET to a path on a local disk, such as /run/user/UID/obsync.sock."
            said = f"{what} is shared over a network: a unix socket does not work there"
            return _ABOUT.failure(check, said, cure, place.path)
        return _ABOUT.ok(check, f"{what} (shared over a network, which does for configuration)", place.path)
    if place.role != "run" and place.filesystem in _MEMORY:
        return _ABOUT.warning(check, f"{what}: it is lost when the machine restarts", _MOVE, place.path)
    if place.role != "run" and place.filesystem in _LAYERS:
        cure = "Mount a volume there, or set OBSYNC_HOME to a directory on one."
        return _ABOUT.warning(check, f"{what}: it is lost with the container", cure, place.path)
    return _ABOUT.ok(check, what, place.path)


def check_writable(place: Place) -> Finding:
    """The directory, or the one it will be made in, can be written to."""
    check = f"{place.role} directory"
    if place.read_only:
        cure = f"Mount it for writing: mount -o remount,rw {place.mount_point}; or set OBSYNC_HOME."
        return _ABOUT.failure(check, f"{place.mount_point} is mounted read-only", cure, place.path)
    if not place.writable:
        cure = (
            "Make it writable for this user (chown, chmod u+rwx), or set OBSYNC_HOME to a directory that is."
        )
        return _ABOUT.failure(check, "cannot be written to by this user", cure, place.path)
    return _ABOUT.ok(check, "can be written to" if place.exists else "can be made", place.path)


def check_room(place: Place) -> Finding:
    """The disk has room, and room for more files."""
    check = f"{place.role} room"
    what = f"{place.free_bytes // _MIB:,} MiB free"
    cure = f"Free some room at {place.mount_point}, or set OBSYNC_HOME to a directory on another disk."
    needed, wanted = (_SOCKET_BYTES, 0) if place.role == "run" else (NEEDED_BYTES, WANTED_BYTES)
    if place.free_bytes < needed:
        said = f"{what}, at least {needed // _MIB} are needed"
        return _ABOUT.failure(check, said, cure, place.path)
    inodes = place.free_inodes
    if inodes is not None and inodes < _NEEDED_INODES:
        cure = f"Remove files at {place.mount_point}: df -i shows what is used."
        return _ABOUT.failure(check, f"{what}, but only {inodes} files more (inodes)", cure, place.path)
    if place.free_bytes < wanted or (inodes is not None and inodes < _WANTED_INODES):
        more = "" if inodes is None else f", {inodes:,} files more"
        return _ABOUT.warning(check, what + more, cure, place.path)
    return _ABOUT.ok(check, what, place.path)


def check_usage(usage: Usage, projects: int) -> Finding:
    """Obsync's own files are within what it bounds them to."""
    at_least = "" if usage.whole else "at least "
    what = f"{at_least}{usage.size_bytes / _MIB:,.1f} MiB in {usage.files:,} files"
    if usage.size_bytes > _USAGE_BYTES + _USAGE_PER_PROJECT_BYTES * projects or not usage.whole:
        return _ABOUT.warning(
            "usage",
            f"{what}: more than state and logs of {projects} projects take",
            "See what it is (du -ah PATH | sort -h | tail), and remove what is not obsync's or of projects that are "
            "gone.",
            usage.path,
        )
    return _ABOUT.ok("usage", what, usage.path)

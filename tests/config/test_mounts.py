"""What is mounted where."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.api.endpoint import endpoint
from obsync_tui.config.mounts import Mount, mount_of, read_mounts
from obsync_tui.config.paths import Paths

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:5 / /home rw shared:2 master:1 - nfs4 filer:/home rw,vers=4.2
31 22 0:6 / /mnt/with\\040blank ro - tmpfs tmpfs rw
32 22 0:7 / /home/local rw - xfs /dev/sdb ro
35 22 0:10 / /mnt/März ro - smb3 //filer/a rw
33 22 0:8 / /mnt/over rw - ext4 /dev/sdc rw
34 33 0:9 / /mnt/over rw - overlay overlay rw
broken line
"""


def listed(root: Path) -> tuple[Mount, ...]:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text(MOUNTS)
    return read_mounts(root)


@pytest.mark.parametrize(
    ("path", "filesystem", "mount_point", "read_only"),
    [
        ("/var/lib", "ext4", "/", False),
        ("/home/dba/.config", "nfs4", "/home", False),
        ("/homestead", "ext4", "/", False),
        ("/home/local", "xfs", "/home/local", True),
        ("/mnt/with blank/x", "tmpfs", "/mnt/with blank", True),
        ("/mnt/März/x", "smb3", "/mnt/März", True),
        ("/mnt/over/x", "overlay", "/mnt/over", False),
    ],
)
def test_mounts(tmp_path: Path, path: str, filesystem: str, mount_point: str, read_only: bool) -> None:
    mounts = listed(tmp_path)
    mount = mount_of(path, mounts)
    assert mount is not None
    assert (mount.filesystem, mount.mount_point, "ro" in (*mount.options, *mount.super_options)) == (
        filesystem,
        mount_point,
        read_only,
    )


def test_nothing_is_told(tmp_path: Path) -> None:
    assert (read_mounts(tmp_path), mount_of("/", ())) == ((), None)


def test_this_machine() -> None:
    mount = mount_of("/proc/self", read_mounts())
    assert mount is not None and (mount.filesystem, mount.mount_point) == ("proc", "/proc")


@pytest.mark.parametrize(("filesystem", "usual"), [("ext4", True), ("nfs4", False), ("fuse.sshfs", False)])
def test_the_socket_is_not_on_a_network(
    monkeypatch: pytest.MonkeyPatch, filesystem: str, usual: bool
) -> None:
    mounts = (Mount("/", "/", filesystem, ("rw",), ("rw",)),)
    monkeypatch.setattr("obsync_tui.api.endpoint.read_mounts", lambda: mounts)
    paths = Paths.of({"OBSYNC_HOME": "/srv/obsync"})
    found = endpoint(paths, {}).path
    assert (found == paths.run / "engine.sock") is usual
    assert usual or found.is_relative_to("/tmp")

"""Checks of this machine: the state directory and its disk."""

import shutil
import tempfile
from pathlib import Path

from obsync_tui.engine.precheck.model import CheckResult, Subject

_MIB = 1 << 20
NEEDED_BYTES = 64 * _MIB
WANTED_BYTES = 512 * _MIB


def check_state_dir(subject: Subject, state_dir: Path) -> CheckResult:
    """The directory for state can be made and written to."""
    item = "state directory"
    cure = f"Make {state_dir} writable for this user, or set OBSYNC_HOME to a directory that is."
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state_dir) as file:
            file.write(b"obsync")
    except OSError as error:
        return subject.failed(item, f"{state_dir} cannot be written to: {error.strerror}", cure)
    return subject.passed(item, f"{state_dir} can be written to")


def check_disk(subject: Subject, state_dir: Path, free_bytes: int | None = None) -> CheckResult:
    """State needs little room, but it must not run out of it; `free_bytes` stands for the disk's own figure."""
    free = shutil.disk_usage(_existing(state_dir)).free if free_bytes is None else free_bytes
    text = f"{free // _MIB:,} MiB free for {state_dir}"
    cure = "Free some room, or set OBSYNC_HOME to a directory on another disk."
    if free < NEEDED_BYTES:
        return subject.failed("disk", f"{text}, at least {NEEDED_BYTES // _MIB} are needed", cure)
    if free < WANTED_BYTES:
        return subject.warned("disk", text, cure)
    return subject.passed("disk", text)


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.absolute().parents) if one.exists())

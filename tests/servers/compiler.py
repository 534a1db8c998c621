"""python3 tests/servers/compiler.py: have what builds the kernel, before there is a virtual environment.

It is no failure when there is none: obsync then runs its row plans in Python.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

if __package__:
    from tests.servers.downloads import MissingPrerequisite, Prerequisite, require
else:  # A script's own folder is on the path; the package needs libraries that are not installed yet.
    from downloads import MissingPrerequisite, Prerequisite, require


def compiles() -> bool:
    """Whether cc finds the C library's headers, which Debian's gcc only recommends."""
    if shutil.which("cc") is None:
        return False
    command = ["cc", "-E", "-o", "/dev/null", "-"]
    return not subprocess.run(command, input=b"#include <string.h>", stderr=subprocess.DEVNULL).returncode


NEEDED = (
    Prerequisite("gcc", "gcc", lambda: shutil.which("cc") is not None),
    Prerequisite("the C library's headers", "libc6-dev", compiles),
    Prerequisite(
        "Python.h", "python3-dev", lambda: (Path(sysconfig.get_path("include")) / "Python.h").is_file()
    ),
)

if __name__ == "__main__":
    try:
        require(*NEEDED)
    except MissingPrerequisite as error:
        print(f"obsync will run its row plans in Python. {error}")

"""Builds the kernel, the extension module of `obsync_tui/engine/native`, with the compiler that Python was built with.

Without a compiler or Python's headers the package is complete all the same: row plans then run in Python. The module
uses CPython's stable interface, so one build serves every Python from 3.11 on.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("obsync_tui/engine/native")
MODULE = "_kernel.abi3.so"
FLAGS = ("-std=c99", "-O2", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra")
LINK = ("-bundle", "-undefined", "dynamic_lookup") if sys.platform == "darwin" else ("-shared",)


class NotBuilt(RuntimeError):
    """The kernel cannot be built here; the text says why."""


def compiler() -> list[str]:
    """The compiler's command: CC, else the one that Python was built with, else cc or gcc."""
    for command in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc"):
        words = shlex.split(command or "")
        if words and shutil.which(words[0]):
            return words
    raise NotBuilt("there is no C compiler")


def headers() -> Path:
    """The directory of Python.h."""
    directory = Path(sysconfig.get_path("include"))
    if not (directory / "Python.h").is_file():
        raise NotBuilt(f"Python's headers are not in {directory}")
    return directory


def build(root: Path, target: Path) -> None:
    """Compile the sources below `root` into `target`, which is replaced when the new one is whole."""
    sources = sorted(str(path) for path in (root / SOURCES).glob("*.c"))
    command = [*compiler(), *FLAGS, *LINK, f"-I{headers()}", *sources]
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        made = Path(directory) / MODULE
        result = subprocess.run(
            [*command, "-o", str(made)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if result.returncode:
            raise NotBuilt(f"the compiler failed:\n{result.stdout[-3000:]}")
        made.replace(target)


class KernelHook(BuildHookInterface[Any]):
    """An editable install gets the module beside its sources, a wheel inside."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and name the wheel after what is in it; say so when it cannot be."""
        if self.target_name != "wheel" or os.name != "posix":
            return
        root = Path(self.root)
        editable = version == "editable"
        place = root / SOURCES if editable else Path(tempfile.mkdtemp(prefix="obsync-kernel-"))
        self._made = None if editable else place
        try:
            build(root, place / MODULE)
        except NotBuilt as error:
            self.app.display_warning(f"obsync runs its row plans in Python: {error}")
            (place / MODULE).unlink(missing_ok=True)
            return
        if not editable:
            build_data["force_include"][str(place / MODULE)] = f"{SOURCES}/{MODULE}"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built outside the tree."""
        made: Path | None = getattr(self, "_made", None)
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)

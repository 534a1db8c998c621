"""Which of the two back-ends runs row plans and splits packets: the kernel in C, or Python.

`OBSYNC_ROWPLAN` set to `native` or `python` decides; otherwise the kernel runs where it was built.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from obsync_tui.engine.errors import ConfigError

VARIABLE = "OBSYNC_ROWPLAN"


class Backend(StrEnum):
    """What runs row plans."""

    NATIVE = "native"
    PYTHON = "python"


def built() -> bool:
    """Whether this installation has the kernel."""
    try:
        from obsync_tui.engine.native import _kernel  # noqa: F401
    except ImportError:
        return False
    return True


def backend(environment: Mapping[str, str] = os.environ) -> Backend:
    """The back-end in force; ConfigError for a name that is not known, or a kernel that is not there."""
    name = environment.get(VARIABLE, "")
    if name not in ("", *Backend):
        raise ConfigError(
            f"{VARIABLE} is {name!r}, which is not a back-end",
            where="environment",
            cure=f"Set it to {' or '.join(Backend)}, or leave it out.",
        )
    if name == Backend.PYTHON or (not name and not built()):
        return Backend.PYTHON
    if not built():
        raise ConfigError(
            f"{VARIABLE} asks for the native row plans, which were not built for this installation",
            where="environment",
            cure="Install a C compiler and Python's headers (Debian: apt-get install gcc python3-dev), then install "
            f"obsync again; or leave {VARIABLE} out.",
        )
    return Backend.NATIVE


class Packets(Protocol):
    """What the kernel does with packets; both functions do less than Python would, never anything else.

    `payloads` gives the whole payloads at the start of the data, up to one that goes on in the next packet, and where
    they end. `joining` appends to `bodies` the row events from `packets[at]` on that go on with a row group, passing
    over repetitions of its TABLE_MAP, and gives the first other packet's index and the bytes appended.
    """

    def payloads(self, data: bytes, /) -> tuple[list[bytes], int]: ...

    def joining(
        self,
        packets: list[bytes],
        at: int,
        checksum: bool,
        table_map: bytes,
        kind: int,
        head: bytes,
        bodies: list[bytes],
        /,
    ) -> tuple[int, int]: ...


def packets() -> Packets | None:
    """The kernel's functions, None when Python is the back-end in force."""
    if backend() is Backend.PYTHON:
        return None
    from obsync_tui.engine.native import _kernel

    return _kernel

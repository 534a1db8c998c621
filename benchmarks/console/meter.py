"""A console in a pseudo terminal: what it writes is counted, what is typed is answered, and when."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_QUIET_S = 0.25
_WHOLE_FRAME_BYTES = 1500


class Terminal:
    """A child on a pty of `columns` x `rows`; use as a context manager. Who waits for the child sets `pid` to -1."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        columns: int = 80,
        rows: int = 24,
        **variables: str,
    ) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        plain = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TMUX", "COLORTERM")
        }
        self._environment = {
            **plain,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TEXTUAL_ANIMATIONS": "none",
            **variables,
        }
        self._size = struct.pack("HHHH", rows, columns, 0, 0)
        self.pid = self.descriptor = -1
        self.first_frame_s = 0.0

    def __enter__(self) -> Terminal:
        began = time.monotonic()
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(REPOSITORY)
            os.execvpe(self._command[0], self._command, self._environment)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, self._size)
        seen = 0
        while seen < _WHOLE_FRAME_BYTES:
            seen += len(self.read(10.0))
        self.first_frame_s = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)
        if self.pid > 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def read(self, timeout_s: float) -> bytes:
        """What the child writes next; empty when nothing comes in time. EOFError when it has ended."""
        if not select.select([self.descriptor], [], [], timeout_s)[0]:
            return b""
        try:
            found = os.read(self.descriptor, 65536)
        except OSError as error:
            raise EOFError("the console has ended") from error
        if not found:
            raise EOFError("the console has ended")
        return found

    def during(self, seconds: float) -> bytes:
        """All that is written in so many seconds."""
        end = time.monotonic() + seconds
        found = b""
        while (left := end - time.monotonic()) > 0:
            found += self.read(left)
        return found

    def settle(self) -> bytes:
        """All that is written until it is quiet."""
        found = b""
        while part := self.read(_QUIET_S):
            found += part
        return found

    def press(self, keys: bytes) -> tuple[float, bytes]:
        """Type, and return the seconds to the first answer and all of the answer."""
        began = time.monotonic()
        os.write(self.descriptor, keys)
        first = self.read(5.0)
        answered_s = time.monotonic() - began
        return answered_s, first + self.settle()

"""Signals that ask the demo to end: kept and looked at, never raised into what is being done.

An exception raised between a process's start and the moment when somebody knows of it would leave that process behind.
"""

import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Counts SIGINT, SIGTERM and SIGHUP between entry and exit; one that the parent ignores (nohup) stays ignored."""

    def __init__(self) -> None:
        self.count = 0
        self._before = {number: signal.getsignal(number) for number in SIGNALS}

    def check(self) -> None:
        """Raise KeyboardInterrupt when a signal has come."""
        if self.count:
            raise KeyboardInterrupt

    def heed(self) -> None:
        """What has come is being done: only a further signal counts."""
        self.count = 0

    def __enter__(self) -> "Interruption":
        for number, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._hear)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

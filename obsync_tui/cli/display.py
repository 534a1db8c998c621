"""A run's status on standard output, while a command follows it."""

import os
import sys
import time

from obsync_tui.cli.output import drop, note
from obsync_tui.cli.status_text import WIDTH, status_line
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.presenters.quantities import time_text

LINE_EVERY_S = 60.0


class Display:
    """Status on standard output: one line rewritten each second on a terminal, else a line a minute and per phase."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._phase: Phase | None = None
        self._shown_s = -LINE_EVERY_S
        self._warned: set[str] = set()

    def show(self, status: Status, last: bool = False) -> None:
        for warning in status.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                self.say(f"warning: {warning}")
        if self._terminal:
            self._write("\r" + status_line(status, self._width()) + "\x1b[K" + ("\n" if last else ""))
        elif last or status.phase is not self._phase or time.monotonic() - self._shown_s >= LINE_EVERY_S:
            self._shown_s = time.monotonic()
            self._write(f"{time_text(status.at_s)} {status_line(status)}\n")
        self._phase = status.phase

    def say(self, text: str) -> None:
        self.end()
        note(text)

    def end(self) -> None:
        """Leave the rewritten line, so that what follows stands on one of its own."""
        if self._terminal and self._phase is not None:
            self._write("\n")

    def _width(self) -> int:
        try:
            # The last column stays free: some terminals wrap when it is written.
            return min(WIDTH, os.get_terminal_size(sys.stdout.fileno()).columns - 1)
        except OSError:
            return WIDTH

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:  # the terminal is gone; the project does not depend on it
            drop(sys.stdout.fileno())
            self._terminal = False

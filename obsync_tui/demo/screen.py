"""What the demo prints: lines, and on a terminal one line at the bottom that is rewritten."""

import os
import sys

from obsync_tui.terminal.sanitizer import visible

WIDTH = 80


class Screen:
    """Lines scroll; the status stays below them on a terminal and is a line of its own now and then elsewhere.

    What is printed cannot act on the terminal. A terminal that is gone is no error: the demo still has to tidy up.
    """

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._status = ""

    @property
    def status_every_s(self) -> float:
        """How often a status is worth showing."""
        return 1.0 if self._terminal else 5.0

    def say(self, text: str = "") -> None:
        """Print a line, or several, above the status."""
        start = "\r\x1b[K" if self._status else ""
        self._write(start + visible(text, keep="\n") + "\n" + self._bar())

    def status(self, text: str) -> None:
        """Show another status; an empty one goes away."""
        if not self._terminal:
            if text:
                self.say(f"[{text[: WIDTH - 2]}]")
            return
        self._status = visible(text)
        self._write("\r\x1b[K" + self._bar())

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError:
            self._terminal = False
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)

    def _bar(self) -> str:
        return f"\x1b[7m{self._status[: WIDTH - 1]}\x1b[m" if self._status and self._terminal else ""

"""What the demo prints: lines, and on a terminal one line at the bottom that is rewritten."""

from __future__ import annotations

import sys


class Screen:
    """Lines scroll; the status stays below them on a terminal and is a line of its own now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._status = ""

    @property
    def status_every_s(self) -> float:
        """How often a status is worth showing."""
        return 1.0 if self._terminal else 5.0

    def say(self, text: str = "") -> None:
        """Print a line above the status."""
        if self._status:
            sys.stdout.write("\r\x1b[K")
        sys.stdout.write(text + "\n" + self._bar())
        sys.stdout.flush()

    def status(self, text: str) -> None:
        """Show another status; an empty one goes away."""
        if not self._terminal:
            if text:
                self.say(f"[{text}]")
            return
        sys.stdout.write("\r\x1b[K")
        self._status = text
        sys.stdout.write(self._bar())
        sys.stdout.flush()

    def _bar(self) -> str:
        return f"\x1b[7m{self._status[:79]}\x1b[m" if self._status else ""

"""The real console in a real pseudo terminal, its screen read by a terminal emulator."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence

import pyte

from benchmarks.console.meter import Terminal

PATIENCE_S = 30.0
# What pyte does not know, and prints or takes for a title: Kitty's keys, synchronized output, the pointer's shape.
_UNKNOWN = re.compile(rb"\x1b\[[<>][0-9]*u|\x1b\[\?[0-9]+\$p|\x1b\]22;[a-z]+\x07")


class Emulated(Terminal):
    """A terminal with an emulator behind it; remembers every byte that came."""

    def __init__(
        self,
        arguments: Sequence[str] = (),
        *,
        module: str = "tests.console.hostile",
        columns: int = 80,
        rows: int = 24,
        **variables: str,
    ) -> None:
        super().__init__(module, arguments, columns=columns, rows=rows, **variables)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""

    def read(self, timeout_s: float) -> bytes:
        found = super().read(timeout_s)
        self.raw += found
        self._stream.feed(_UNKNOWN.sub(b"", found))
        return found

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def sees(self, *texts: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until all of these are on the screen."""
        end = time.monotonic() + patience_s
        while not all(text in self.text for text in texts):
            assert time.monotonic() < end, f"{texts} in\n{self.text}"
            self.read(0.2)

    def loses(self, text: str) -> None:
        """Wait until this is not on the screen any more."""
        end = time.monotonic() + PATIENCE_S
        while text in self.text:
            assert time.monotonic() < end, f"{text!r} still in\n{self.text}"
            self.read(0.2)

    def next_field(self) -> None:
        """Enter in a form, and wait until the cursor, the only cell on a ground of its own, stands in another row."""

        def rows() -> set[int]:
            cells = self.screen.buffer.items()
            return {y for y, row in cells if any(cell.bg != "default" for cell in row.values())}

        before, end = rows(), time.monotonic() + PATIENCE_S
        assert len(before) == 1, before
        self.type("\r")
        while rows() == before or len(rows()) != 1:
            assert time.monotonic() < end, f"the cursor stays in row {before} of\n{self.text}"
            self.read(0.2)

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

"""Passes a command's answer from the engine to a client, and sees where it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from tests.servers.binlogservice.packets import EOF, ERROR, LARGEST, MORE_RESULTS, OK, Wire


@dataclass(frozen=True)
class Outcome:
    """How a command ended: the server's status flags, warnings, and whether there was no error."""

    succeeded: bool = False
    status: int = 0
    warnings: int = 0


class _Part(Enum):
    FIRST = auto()
    COLUMNS = auto()
    ROWS = auto()


class _Answer:
    """Follows an answer packet by packet."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self._part = _Part.FIRST
        self._columns = 0
        self._continued = False

    def see(self, size: int, buffer: bytearray, at: int) -> None:
        """Take one packet whose payload begins at `at`."""
        continued, self._continued = self._continued, size == LARGEST
        if continued:
            return
        first = buffer[at] if size else OK
        if first == ERROR:
            self.outcome = Outcome()
        elif self._part is _Part.FIRST:
            self._begin(first, size, buffer, at)
        elif first == EOF and size < 9:
            if self._part is _Part.COLUMNS:
                self._part = _Part.ROWS
            else:
                warnings = buffer[at + 1] | buffer[at + 2] << 8
                self._end(buffer[at + 3] | buffer[at + 4] << 8, warnings)

    def _begin(self, first: int, size: int, buffer: bytearray, at: int) -> None:
        if first == EOF and size < 9:
            self._end(buffer[at + 3] | buffer[at + 4] << 8, 0)
        elif first == OK:
            place = _after_number(buffer, _after_number(buffer, at + 1))
            status = buffer[place] | buffer[place + 1] << 8
            self._end(status, buffer[place + 2] | buffer[place + 3] << 8)
        else:
            self._part = _Part.COLUMNS

    def _end(self, status: int, warnings: int) -> None:
        self._part = _Part.FIRST
        if not status & MORE_RESULTS:
            self.outcome = Outcome(True, status, warnings)


def _after_number(buffer: bytearray, at: int) -> int:
    return at + {0xFC: 3, 0xFD: 4, 0xFE: 9}.get(buffer[at], 1)


def relay_answer(engine: Wire, send: Callable[[bytes], object]) -> Outcome:
    """Give all packets of the answer to `send`; returns how it ended."""
    answer = _Answer()
    buffer = engine.buffer
    at = 0
    while True:
        while len(buffer) - at >= 4:
            size = buffer[at] | buffer[at + 1] << 8 | buffer[at + 2] << 16
            if len(buffer) - at < 4 + size:
                break
            answer.see(size, buffer, at + 4)
            at += 4 + size
            if answer.outcome:
                send(bytes(buffer[:at]))
                del buffer[:at]
                return answer.outcome
        if at:
            send(bytes(buffer[:at]))
            del buffer[:at]
            at = 0
        engine.fill()

"""What the service does wrong on command, until it is healed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields

PURGED = (
    1236,
    "The requested gtid transaction no longer exists and may have been cleaned up",
)


@dataclass
class Faults:
    """`stalled`: dumps send nothing at all, not even heartbeats. `cut_in_event`, `bad_crc`: once, at the next row event.

    `refused`: dumps end and begin with error 1236. `unreachable`: ODP finds no service behind it (-10102).
    """

    stalled: bool = False
    cut_in_event: bool = False
    bad_crc: bool = False
    refused: bool = False
    unreachable: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def set(self, name: str) -> None:
        """Do wrong from now on."""
        if name not in {field.name for field in fields(self)}:
            raise ValueError(f"no fault is called {name}")
        setattr(self, name, True)

    def take(self, name: str) -> bool:
        """Whether a fault that happens once is due now."""
        if not getattr(self, name):
            return False
        with self._lock:
            due = bool(getattr(self, name))
            setattr(self, name, False)
            return due

    def heal(self) -> None:
        """Do everything right again."""
        for field in fields(self):
            setattr(self, field.name, False)

"""Holds the tenant's sessions while a statement or a purge must have the tables for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Busy(RuntimeError):
    """Other sessions kept transactions open for too long."""


class Gate:
    """Sessions pass for each statement that writes; one that has a transaction open passes even while it is held."""

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._inside: set[object] = set()
        self._holder: object | None = None

    def enter(self, session: object) -> None:
        """Wait until statements may run."""
        with self._state:
            self._state.wait_for(lambda: self._holder is None or session in self._inside)
            self._inside.add(session)

    def leave(self, session: object) -> None:
        """The session's statement and transaction have ended."""
        with self._state:
            self._inside.discard(session)
            self._state.notify_all()

    @contextmanager
    def held(self, holder: object, timeout_s: float) -> Iterator[None]:
        """Nobody else writes and no transaction is open within; raises Busy when that does not come about."""
        with self._state:
            if not self._state.wait_for(lambda: self._holder is None, timeout_s):
                raise Busy("another statement holds all sessions")
            self._holder = holder
            try:
                if not self._state.wait_for(lambda: not self._inside - {holder}, timeout_s):
                    raise Busy("transactions of other sessions are open")
            except Busy:
                self._release()
                raise
        try:
            yield
        finally:
            with self._state:
                self._release()

    def _release(self) -> None:
        self._holder = None
        self._state.notify_all()

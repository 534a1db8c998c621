"""A connection for short questions beside long reads, made anew when it broke."""

import threading
from collections.abc import Callable, Sequence

from pymysql.connections import Connection

from obsync_tui.engine.errors import SourceUnreachable
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.mysql.keysql import select_ranks
from obsync_tui.engine.mysql.reading import shut
from obsync_tui.model.table import Column

_RANKS_PER_QUERY = 200


class Control:
    """Runs one statement at a time; safe for threads, connects at first use."""

    def __init__(self, connect: Callable[[], Connection], where: str) -> None:
        self._connect = connect
        self._where = where
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._closed = False

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a statement, once more on another connection if the first broke."""
        with self._lock:
            if self._connection:
                try:
                    return query(self._connection, sql, where=self._where)
                except SourceUnreachable:
                    self._connection = None
            if self._closed:
                raise SourceUnreachable("the snapshot is closed", where=self._where)
            self._connection = self._connect()
            return query(self._connection, sql, where=self._where)

    def kill(self, thread_id: int) -> None:
        """End the query of one of our connections, if it still runs."""
        running = (
            f"SELECT ID FROM information_schema.PROCESSLIST WHERE ID = {thread_id} AND COMMAND = 'Query'"
        )
        if self.run(running):
            self.run(f"KILL QUERY {thread_id}")

    def interrupt(self) -> None:
        """End the statement that another thread runs; there will be no other."""
        self._closed = True
        connection = self._connection
        if connection:
            shut(connection)

    def close(self) -> None:
        """Let go of the connection."""
        self._closed = True
        with self._lock:
            if self._connection:
                self._connection._force_close()
                self._connection = None


class ServerRanker:
    """A KeyRanker that asks the server, for columns whose collation only it knows."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def rank(self, columns: tuple[Column, ...], boundaries: Sequence[Key], keys: Sequence[Key]) -> list[int]:
        """How many of the ascending boundaries lie below each key."""
        ranks: list[int] = []
        for start in range(0, len(keys), _RANKS_PER_QUERY):
            row = self._control.run(
                select_ranks(columns, boundaries, keys[start : start + _RANKS_PER_QUERY])
            )[0]
            ranks += [int(str(value)) for value in row]
        return ranks

    def close(self) -> None:
        """End the connection."""
        self._control.close()

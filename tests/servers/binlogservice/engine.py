"""The engine behind the service, as the converter asks it: every value as the bytes that the column holds."""

from __future__ import annotations

from collections.abc import Iterable

import pymysql

# The longest that a poll of a large log, or a statement that waits for a lock, may take.
_TIMEOUT_US = 3_600_000_000
_SESSION = (
    f"SET autocommit = 1, time_zone = '+00:00', sql_mode = '', ob_query_timeout = {_TIMEOUT_US}"
    f", ob_trx_timeout = {_TIMEOUT_US}",
    "SET character_set_results = NULL",
)

Row = tuple[bytes | None, ...]


class Engine:
    """One session, used by one thread at a time; rows come as bytes."""

    def __init__(self, port: int) -> None:
        self._connection = pymysql.connect(
            host="127.0.0.1", port=port, user="root", charset="utf8mb4", use_unicode=False, conv={}
        )
        for statement in _SESSION:
            self.run(statement)

    def run(self, statement: str) -> list[Row]:
        """The rows of a statement; raises pymysql.MySQLError."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def texts(self, statement: str) -> list[tuple[str, ...]]:
        """Rows of names and numbers; NULL is an empty text."""
        return [tuple((value or b"").decode() for value in row) for row in self.run(statement)]

    def scn(self) -> int:
        """Everything committed up to it can be read."""
        return int(self.texts("SELECT CURRENT_SCN()")[0][0])

    def close(self) -> None:
        """End the session."""
        self._connection.close()


def literal(text: str) -> str:
    """The text as SQL takes it where backslashes escape."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """Texts for IN (…)."""
    return ", ".join(literal(text) for text in texts)

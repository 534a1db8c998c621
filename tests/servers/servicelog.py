"""A database on Binlog Service for tests, and its log as readers see it that share nothing with the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import XidEvent
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from tests.servers import BinlogService
from tests.servers.rawdump import FORMAT, GTID, PREVIOUS_GTIDS, ROTATE, ROWS, RawDump, RawEvent


class Database:
    """A database of the test's own, and the log since it was made."""

    def __init__(self, server: BinlogService) -> None:
        self.server = server
        self.name = f"b{uuid4().hex[:8]}"
        server.execute(f"CREATE DATABASE {self.name}")
        self.start = server.drain()

    def run(self, *statements: str, transaction: bool = False) -> None:
        with closing(self.server.connect(database=self.name)) as connection, connection.cursor() as cursor:
            if transaction:
                cursor.execute("BEGIN")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("COMMIT")

    def last(self) -> str:
        """The newest GTID."""
        uuid, _, numbers = self.server.drain().partition(":")
        return f"{uuid}:{numbers.rpartition('-')[2]}"

    def events(self) -> list[RawEvent]:
        """What came since the start, but events of the file."""
        with RawDump(self.server.connect, self.start) as dump:
            found = dump.until(self.last())
        return [e for e in found if e.kind not in (ROTATE, FORMAT, PREVIOUS_GTIDS)]

    def mark(self) -> None:
        self.start = self.server.drain()


def kinds(events: list[RawEvent]) -> list[int]:
    return [event.kind for event in events]


def identities(events: list[RawEvent]) -> list[tuple[str, int, list[bytes]]]:
    """GTIDs, commit times, and rows without what differs between instances."""
    found: list[tuple[str, int, list[bytes]]] = []
    for event in events:
        if event.kind == GTID:
            found.append((event.gtid, event.commit_us, []))
        elif event.kind in ROWS:
            found[-1][2].append(event.body[6:])
    return found


def ask(server: BinlogService, sql: str) -> list[tuple[Any, ...]]:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def read_changes(server: BinlogService, start: str, end: str) -> Iterator[tuple[str, Any, Any]]:
    """Table, before and after of every change, as mysql-replication reads them."""
    numbers = end.partition(":")[2]
    stream = BinLogStreamReader(
        connection_settings={"host": "127.0.0.1", "port": server.port, "user": "root@sys", "password": ""},
        server_id=4712,
        auto_position=start,
        blocking=True,
        only_events=[WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent, XidEvent],
        slave_heartbeat=1,
        enable_logging=False,
    )
    transactions = int(numbers.rpartition("-")[2]) - int(start.rpartition("-")[2])
    try:
        while transactions:
            event = stream.fetchone()
            if isinstance(event, XidEvent):
                transactions -= 1
                continue
            for row in event.rows:
                before = row.get("before_values") or (
                    row["values"] if isinstance(event, DeleteRowsEvent) else None
                )
                after = row.get("after_values") or (
                    row["values"] if isinstance(event, WriteRowsEvent) else None
                )
                yield event.table, before and tuple(before.values()), after and tuple(after.values())
    finally:
        stream.close()

"""The converter: what the tenant commits, taken from the view logs, goes into the binlog.

One transaction of the binlog for each commit scn, in commit order. Within it, rows of one table are in the order of
the statements, tables in the order of their names: view logs tell no more. A table in partitions has one order for
each. Tables must only be written through the service: a commit that another way brings in comes with the next poll,
but may be lost around DDL and purges.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter

import pymysql

from tests.servers.binlogservice.binlog import Binlog, Transaction
from tests.servers.binlogservice.engine import Engine
from tests.servers.binlogservice.gate import Busy, Gate
from tests.servers.binlogservice.rowevents import Body, RowEvents
from tests.servers.binlogservice.tables import Table, read_tables
from tests.servers.binlogservice.viewlogs import (
    Change,
    changed_tables,
    create_log,
    drop_log,
    existing_logs,
    purge_log,
    read_changes,
)

_IDLE_S = 1.0
_SHORTEST_POLL_S = 0.01
_FEW_TABLES = 3
# Each poll scans what the logs hold.
_PURGE_ROWS = 30_000
_PURGE_WAIT_S = 0.2
_PURGE_PAUSE_S = 1.0


class Converter:
    """Follows the view logs of all tables; safe for threads."""

    def __init__(self, engine_port: int, binlog: Binlog, gate: Gate) -> None:
        self.refused: dict[str, str] = {}
        self.lag_s = 0.0
        self.frozen = False
        self.partial_json = False
        self._engine = Engine(engine_port)
        self._binlog = binlog
        self._gate = gate
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._tables: list[Table] = []
        self._encoders: dict[str, RowEvents] = {}
        self._held: dict[int, int] = {}
        self._next_purge_s = 0.0
        self._start()

    def _start(self) -> None:
        followed = existing_logs(self._engine)
        self._tables = [t for key, t in read_tables(self._engine).tables.items() if key in followed]
        if self._binlog.last_scn:
            self.drain()
        self.follow_all()

    def follow_all(self) -> None:
        """Look at the catalog anew and create the logs that are missing; nobody may write meanwhile."""
        with self._lock:
            found = read_tables(self._engine)
            followed = existing_logs(self._engine)
            self.refused = dict(found.refused)
            self._tables = []
            for key, table in found.tables.items():
                try:
                    if key not in followed:
                        create_log(self._engine, table)
                except pymysql.MySQLError as error:
                    self.refused[key] = f"no view log can be made: {error}"
                    continue
                self._tables.append(table)
            self._held = {}
            same = {f"{table.database}.{table.name}": table for table in self._tables}
            self._encoders = {k: e for k, e in self._encoders.items() if same.get(k) == e.table}
            # A range that begins before a log was created is refused.
            self._binlog.append((), self._engine.scn())

    def unfollow(self, words: set[str]) -> None:
        """Drop the logs of tables whose name, or whose database's, is among the words of a statement."""
        with self._lock:
            for table in self._tables:
                if table.name.lower() in words or table.database.lower() in words:
                    drop_log(self._engine, table)
                    self._encoders.pop(f"{table.database}.{table.name}", None)

    def objects(self) -> set[tuple[str, ...]]:
        """Names of databases and tables, to see what a statement did."""
        with self._lock:
            return set(
                self._engine.texts(
                    "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES"
                    " UNION ALL SELECT SCHEMA_NAME, '' FROM information_schema.SCHEMATA"
                )
            )

    def add_ddl(self, text: str, database: str) -> None:
        """Write a statement that was run just now, while all sessions are held."""
        with self._lock:
            scn = self._engine.scn()
            ddl = Transaction(scn // 1000, ddl=text.encode(), database=database.encode())
            self._binlog.append([ddl], scn)

    def forget_table_ids(self) -> None:
        """Give every table another id from now on."""
        with self._lock:
            self._encoders.clear()

    def wake(self) -> None:
        """Something was committed."""
        self._wake.set()

    def run(self) -> None:
        """Follow for ever."""
        while True:
            self._wake.wait(_IDLE_S)
            self._wake.clear()
            if self.lag_s:
                time.sleep(self.lag_s)
            began_s = time.monotonic()
            try:
                if not self.frozen:
                    self.drain()
                    self._purge_when_large()
            except pymysql.MySQLError as error:
                print(f"converter: {error}", file=sys.stderr, flush=True)
            time.sleep(max(_SHORTEST_POLL_S, time.monotonic() - began_s))

    def drain(self) -> None:
        """Take over everything that is committed now."""
        with self._lock:
            upto = self._engine.scn()
            if upto > self._binlog.last_scn:
                self._binlog.append(self._transactions(upto), upto)

    def _transactions(self, upto_scn: int) -> Iterator[Transaction]:
        changes: list[Change] = []
        for place in self._changed(upto_scn):
            found = read_changes(self._engine, self._tables[place], place, self._binlog.last_scn, upto_scn)
            self._held[place] = self._held.get(place, 0) + len(found)
            changes += found
        # In partitions numbers repeat: what makes room goes first.
        changes.sort(key=lambda c: (c.scn, c.place, c.sequence, c.after is not None))
        for scn, commit in groupby(changes, attrgetter("scn")):
            yield Transaction(scn // 1000, map(self._row, commit))

    def _row(self, change: Change) -> tuple[Body, Body]:
        return self._encoder(change.place).of(change, partial_json=self.partial_json)

    def _changed(self, upto_scn: int) -> list[int]:
        if len(self._tables) <= _FEW_TABLES:
            return list(range(len(self._tables)))
        return sorted(changed_tables(self._engine, self._tables, self._binlog.last_scn, upto_scn))

    def _encoder(self, place: int) -> RowEvents:
        table = self._tables[place]
        key = f"{table.database}.{table.name}"
        encoder = self._encoders.get(key)
        if encoder is None:
            encoder = self._encoders[key] = RowEvents(table, self._binlog.new_table_id())
        return encoder

    def _purge_when_large(self) -> None:
        if sum(self._held.values()) < _PURGE_ROWS or time.monotonic() < self._next_purge_s:
            return
        try:
            with self._gate.held(self, _PURGE_WAIT_S), self._lock:
                self.drain()
                for place in self._held:
                    purge_log(self._engine, self._tables[place])
                self._held = {}
        except Busy:
            pass
        self._next_purge_s = time.monotonic() + _PURGE_PAUSE_S

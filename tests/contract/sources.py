"""Sources that the Store contract runs on: each a database of its own, with the Store's view of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Protocol
from uuid import uuid4

import pymysql

from obsync_tui.engine.formats.default import DEFAULT
from obsync_tui.engine.formats.plan import Identity, RecordKind
from obsync_tui.engine.mysql.catalog import read_tables as read_mysql_tables
from obsync_tui.engine.oceanbase.catalog import read_tables as read_oceanbase_tables
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, Routing
from obsync_tui.engine.store.binlog.stream import BinlogStore
from obsync_tui.engine.store.mlog.catalog import current_scn
from obsync_tui.engine.store.mlog.ownership import claim, create, owned_of
from obsync_tui.engine.store.mlog.stream import ViewLogStore
from obsync_tui.engine.store.store import LogBatch, RowGroup, Store
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.datasource import LogChoice, MySQLSource, OceanBaseSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet, executed_scn, scn_executed
from obsync_tui.model.project import DmlKind, KeyForm, Objects, new_project_id
from obsync_tui.model.project import Store as StoreOptions
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableVersion
from tests.servers import BinlogService, MySQLServer, OceanBaseServer

_TABLES = (
    "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))",
    "CREATE TABLE skipped (id INT PRIMARY KEY)",
)
_KINDS = {
    DmlKind.INSERT: (RecordKind.INSERT,),
    DmlKind.DELETE: (RecordKind.DELETE,),
    DmlKind.UPDATE: (RecordKind.UPDATE, RecordKind.DELETE, RecordKind.INSERT),
}


class Source(Protocol):
    """What the contract's tests do to a source, and what they ask of it."""

    database: str

    def run(self, *statements: str, transaction: bool = False) -> None:
        """Run statements in the database."""

    def take(self) -> None:
        """Make the log hold tables that were created since."""

    def executed(self) -> str:
        """The newest position."""

    def at_end(self, executed: str, end: str) -> bool:
        """Whether a Store that gave this position has given everything up to the end, and no more than there is."""

    def behind(self, executed: str, end: str) -> bool:
        """Whether the position contains the end."""

    def alien(self) -> str:
        """A position that this source never had."""

    def purge(self) -> None:
        """Let the log forget what it holds."""

    def tables(self) -> tuple[TableVersion, ...]:
        """The tables in scope."""

    def store(self) -> Store:
        """A Store of it."""


class ServerSource:
    """A database with two tables, one of them out of scope."""

    def __init__(self, server: MySQLServer | OceanBaseServer | BinlogService) -> None:
        self.server = server
        self.database = f"s{uuid4().hex[:8]}"
        self.objects = Objects(include=(f"{self.database}.*",), exclude=(f"{self.database}.skip*",))
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self.database}")
        self.run(*_TABLES)

    def run(self, *statements: str, transaction: bool = False) -> None:
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"USE {self.database}")
            if transaction:
                cursor.execute("BEGIN")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("COMMIT")


class BinlogSource(ServerSource):
    """MySQL and its binlog."""

    server: MySQLServer

    def take(self) -> None:
        pass

    def executed(self) -> str:
        return str(self._row("SELECT @@global.gtid_executed")[0])

    def at_end(self, executed: str, end: str) -> bool:
        # Servers break the text of several uuids into lines.
        return GtidSet.parse(executed) == GtidSet.parse(end) == GtidSet.parse(self.executed())

    def behind(self, executed: str, end: str) -> bool:
        return GtidSet.parse(end).issubset(GtidSet.parse(executed))

    def alien(self) -> str:
        return f"{self.executed()},{uuid4()}:1-5"

    def purge(self) -> None:
        self.run("FLUSH BINARY LOGS")
        self.run(f"PURGE BINARY LOGS TO '{self._row('SHOW MASTER STATUS')[0]}'")

    def tables(self) -> tuple[TableVersion, ...]:
        with closing(self.server.connect()) as connection:
            return read_mysql_tables(connection, ObjectRules(self.objects))

    def store(self) -> Store:
        source = MySQLSource(name="s", host="127.0.0.1", user="root", port=self.server.port)
        return BinlogStore(new_project_id(), source, Secret(""), self.objects, StoreOptions())

    def _row(self, sql: str) -> tuple[object, ...]:
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            row: tuple[object, ...] | None = cursor.fetchone()
            assert row is not None
            return row


class ServiceSource(ServerSource):
    """OceanBase's engine behind the Binlog Service of the tests."""

    server: BinlogService

    def __init__(self, server: BinlogService) -> None:
        super().__init__(server)
        self.source = OceanBaseSource("ob1", "127.0.0.1", "root@sys#obcluster", server.port)

    def take(self) -> None:
        pass

    def executed(self) -> str:
        return self.server.drain()

    def at_end(self, executed: str, end: str) -> bool:
        return GtidSet.parse(executed) == GtidSet.parse(end) == GtidSet.parse(self.executed())

    def behind(self, executed: str, end: str) -> bool:
        return GtidSet.parse(end).issubset(GtidSet.parse(executed))

    def alien(self) -> str:
        return f"{self.executed()},{uuid4()}:1-5"

    def purge(self) -> None:
        self.server.purge()

    def tables(self) -> tuple[TableVersion, ...]:
        with connect(self.source, Secret(""), read_timeout_s=60) as connection:
            return read_oceanbase_tables(connection, ObjectRules(self.objects))

    def store(self) -> Store:
        return BinlogStore(new_project_id(), self.source, Secret(""), self.objects, StoreOptions())


class ViewLogSource(ServerSource):
    """OceanBase's engine and its view logs; `records` is what a checkpoint would hold of them."""

    server: OceanBaseServer

    def __init__(self, server: OceanBaseServer) -> None:
        super().__init__(server)
        self.project_id = new_project_id()
        self.records: dict[str, Record] = {}
        self.purge_rows = StoreOptions().purge_rows
        self.source = OceanBaseSource(
            "ob1", "127.0.0.1", "root@sys", server.port, log=LogChoice.VIEW_LOG, accept_view_log_costs=True
        )
        self.take()

    def connect(self) -> pymysql.Connection:
        return connect(self.source, Secret(""), read_timeout_s=60)

    def take(self) -> None:
        tables = self.tables()
        with self.connect() as connection:
            owned = owned_of(self.records.values())
            self.keep(claim(connection, self.project_id, tables, owned, lambda facts: "", "ob1"))
            owned = owned_of(self.records.values())
            self.keep(create(connection, tables, owned, frozenset(), "ob1"))

    def keep(self, records: Sequence[Record]) -> None:
        """Do to the records what a commit does."""
        for record in records:
            self.records[record.key] = record
            if record.value is None:
                del self.records[record.key]

    def executed(self) -> str:
        with self.connect() as connection:
            return scn_executed(current_scn(connection, "ob1"))

    def at_end(self, executed: str, end: str) -> bool:
        # The position moves while nothing is written.
        return executed_scn(end) <= executed_scn(executed) <= executed_scn(self.executed())

    def behind(self, executed: str, end: str) -> bool:
        return executed_scn(executed) >= executed_scn(end)

    def alien(self) -> str:
        return f"{uuid4()}:1-5"

    def purge(self) -> None:
        self.run(f"CALL DBMS_MVIEW.PURGE_LOG('{self.database}.t')")

    def tables(self) -> tuple[TableVersion, ...]:
        with self.connect() as connection:
            return read_oceanbase_tables(connection, ObjectRules(self.objects))

    def store(self) -> ViewLogStore:
        return ViewLogStore(
            self.source, Secret(""), self.records.values(), frozenset(), purge_rows=self.purge_rows
        )


def count_rows(group: RowGroup) -> int:
    """How many row changes a group holds, by walking them."""
    identity = Identity("MYSQL", "x")
    plans = tuple((kind, DEFAULT.row(group.table, kind, identity)) for kind in _KINDS[group.kind])
    routing = Routing(KeyForm.NONE, (), (), 1, fixed_partition=0)
    kind = _KINDS[group.kind][0]
    plan = compile_row_plan(PlanRequest(group.table, group.shape, kind, plans, routing, emit=False))
    return plan(group.bodies, group.start, 0, "", 0, 0, [[]], 0, lambda key: True)[0]


def rows_of(batches: list[LogBatch]) -> list[tuple[str, DmlKind, int]]:
    """Table, kind and number of rows of each group, in order."""
    groups = [item for batch in batches for item in batch.items if isinstance(item, RowGroup)]
    return [(group.table.name.table, group.kind, count_rows(group)) for group in groups]

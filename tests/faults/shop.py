"""A shop of two small tables, for what a person does to a stopped project."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import closing

from tests.faults.banks import bank_of
from tests.faults.conftest import Install
from tests.faults.installation import Installation
from tests.servers import BinlogService, KafkaBroker, MySQLServer, OceanBaseServer, consume_all

AnyServer = MySQLServer | OceanBaseServer | BinlogService


class Shop:
    """Two tables in a database of their own, and a project, which has delivered them unless said otherwise."""

    def __init__(
        self, server: AnyServer, kafka: KafkaBroker, install: Install, *, delivered: bool = True
    ) -> None:
        self.server, self.bank = server, bank_of(server)
        self.database = f"gap{uuid.uuid4().hex[:8]}"
        self._kafka = kafka
        self.run_sql(
            f"CREATE DATABASE {self.database}",
            f"CREATE TABLE {self.database}.item (id INT PRIMARY KEY, name VARCHAR(20))",
            f"CREATE TABLE {self.database}.other (id INT PRIMARY KEY, name VARCHAR(20))",
            f"INSERT INTO {self.database}.item VALUES (1, 'one'), (2, 'two')",
            f"INSERT INTO {self.database}.other VALUES (1, 'one')",
        )
        self.home: Installation = install(self.bank.source(), kafka.bootstrap)
        self.home.project(f"{self.database}.*")
        if delivered:
            self.deliver()

    def run_sql(self, *statements: str) -> None:
        with closing(self.bank.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def deliver(self) -> None:
        """Run until everything is delivered."""
        run = self.home.start()
        run.until_delivered(self.bank.executed())
        run.stop()

    def now(self) -> str:
        """The server's clock in epoch seconds, in a second of its own where the log has whole seconds."""
        coarse = isinstance(self.server, MySQLServer) and self.server.version == "5.7"
        time.sleep(1.1 if coarse else 0.01)
        with closing(self.bank.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT UNIX_TIMESTAMP(NOW(6))")
            row = cursor.fetchone()
            assert row is not None
        time.sleep(0.01)
        return str(row[0])

    def retime(self, at: str, *options: str, code: int = 0) -> str:
        return self.home.command("project", "retime", "orders", "--at", at, *options, code=code)

    def gap(self, *options: str, code: int = 0) -> str:
        return self.home.command("project", "gap", "orders", *options, code=code)

    def told(self, table: str) -> list[tuple[str, int, object]]:
        """Kind, id and name of each message of a table, by key and order."""
        records = consume_all(self._kafka.bootstrap, [f"{self.database}_{table}"])
        found = []
        for record in sorted(records, key=lambda r: (r.key or b"", r.offset)):
            message = json.loads(record.value or b"")
            image = message["postStruct"] or message["prevStruct"]
            found.append((message["recordType"], image["id"], image["name"]))
        return found

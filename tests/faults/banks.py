"""The servers that a workload can write to, and how each names a transaction.

MySQL takes the GTID that the writer gives. OceanBase names a transaction by its commit version, which the journal's own
rows tell; through Binlog Service messages carry GTIDs of the service's, one for each commit version.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

import pymysql

from obsync_tui.model.datasource import LogChoice, MySQLSource, OceanBaseSource, SqlSource
from obsync_tui.model.position import VIEW_LOG_UUID, scn_executed
from obsync_tui.model.secret import SecretReference
from tests.servers import BinlogService, MySQLServer, OceanBaseServer

Connection = pymysql.Connection


class Naming(Enum):
    """How messages name the journal's transactions: the same, one for one under other names, or, around the purge of
    view logs, several as the one at the purge.
    """

    SAME = "same"
    ONE_FOR_ONE = "one for one"
    MERGED = "merged"


class Bank(Protocol):
    """A server as the workload, the checker and a project see it.

    `journal_name` is the expression of a journal row's transaction.
    """

    journal_name: str
    naming: Naming

    def connect(self, database: str | None = None) -> Connection:
        """A connection in autocommit mode."""

    def announce(self, cursor: pymysql.cursors.Cursor, gtid: str) -> None:
        """Name the transaction that begins, where the server takes a name."""

    def executed(self) -> str:
        """The position of a project that has delivered everything that is committed now."""

    def now(self) -> str:
        """A set that holds the journal's name of every transaction that is committed now."""

    def source(self, user: str = "root", password: str = "") -> SqlSource:
        """The data source `shop`; the password is a secret's reference."""


class MySQLBank:
    """MySQL and its binlog."""

    journal_name = "gtid"
    naming = Naming.SAME

    def __init__(self, server: MySQLServer) -> None:
        self._server = server

    def connect(self, database: str | None = None) -> Connection:
        return self._server.connect(database=database)

    def announce(self, cursor: pymysql.cursors.Cursor, gtid: str) -> None:
        cursor.execute(f"SET gtid_next = '{gtid}'")

    def executed(self) -> str:
        with self.connect() as connection:
            return "".join(_value(connection, "SELECT @@global.gtid_executed").split()).lower()

    def now(self) -> str:
        return self.executed()

    def source(self, user: str = "root", password: str = "") -> SqlSource:
        return MySQLSource("shop", "127.0.0.1", user, self._server.port, SecretReference(password))


class OceanBaseBank:
    """OceanBase's engine and its view logs."""

    journal_name = f"CONCAT('{VIEW_LOG_UUID}:', ORA_ROWSCN)"
    naming = Naming.MERGED

    def __init__(self, server: OceanBaseServer | BinlogService) -> None:
        self._server = server

    def connect(self, database: str | None = None) -> Connection:
        return self._server.connect(database=database)

    def announce(self, cursor: pymysql.cursors.Cursor, gtid: str) -> None:
        pass

    def executed(self) -> str:
        return self.now()

    def now(self) -> str:
        with self.connect() as connection:
            return scn_executed(int(_value(connection, "SELECT CURRENT_SCN()")))

    def source(self, user: str = "root", password: str = "") -> SqlSource:
        return OceanBaseSource(
            "shop",
            "127.0.0.1",
            f"{user}@sys",
            self._server.port,
            SecretReference(password),
            log=LogChoice.VIEW_LOG,
            accept_view_log_costs=True,
        )


class ServiceBank(OceanBaseBank):
    """OceanBase's engine behind the Binlog Service of the tests."""

    naming = Naming.ONE_FOR_ONE

    def __init__(self, server: BinlogService) -> None:
        super().__init__(server)
        self._service = server

    def executed(self) -> str:
        return self._service.drain()

    def source(self, user: str = "root", password: str = "") -> SqlSource:
        return OceanBaseSource(
            "shop", "127.0.0.1", f"{user}@sys#obcluster", self._service.port, SecretReference(password)
        )


def bank_of(server: MySQLServer | OceanBaseServer | BinlogService) -> Bank:
    """The bank that a server is, in its usual way of being read."""
    if isinstance(server, MySQLServer):
        return MySQLBank(server)
    return ServiceBank(server) if isinstance(server, BinlogService) else OceanBaseBank(server)


def _value(connection: Connection, sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        assert row is not None
        return str(row[0])

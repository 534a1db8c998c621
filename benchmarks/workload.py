"""Tables and rows of the measurements, and how they get into MySQL.

Row ids are unique over all tables of a case, so that what was delivered can be counted by message key.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pymysql
from pymysql.constants import CLIENT
from pymysql.cursors import Cursor

from tests.servers.mysql import MySQLServer

DATABASE = "bench"
TABLE = "item"

_TEN = (
    ("a", "INT", "{i}"),
    ("b", "INT UNSIGNED", "{i2}"),
    ("price", "DECIMAL(10,2)", "{i4}.25"),
    ("d", "DOUBLE", "{i}.5"),
    ("s1", "VARCHAR(40)", "'hello world {i}'"),
    ("s2", "VARCHAR(100)", "'" + "y" * 60 + "'"),
    ("dt", "DATETIME", "'2024-05-03 10:{m:02d}:07'"),
    ("ts", "TIMESTAMP NULL", "'2024-05-03 10:03:{m:02d}'"),
    ("t", "TINYINT", "{m}"),
)


class Shape(msgspec.Struct, frozen=True):
    """A table's columns behind its id: (name, type, value's template)."""

    columns: tuple[tuple[str, str, str], ...]

    def create(self, table: str) -> str:
        """CREATE TABLE."""
        columns = ", ".join(f"{name} {kind}" for name, kind, _ in self.columns)
        return f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, {columns})"

    def row(self, number: int) -> str:
        """The values of one row; about 190 bytes with ten columns."""
        return self._template.format(i=number, i2=number * 2, i4=number % 9999, m=number % 60)

    @property
    def _template(self) -> str:
        return "({i}," + ",".join(value for _, _, value in self.columns) + ")"


TEN = Shape(_TEN)
FORTY = Shape(
    tuple((f"{name}_{copy}", kind, value) for copy in range(4) for name, kind, value in _TEN)
    + tuple((f"n_{copy}", "INT", "{i}") for copy in range(3))
)


class Load:
    """Writes rows through one connection; `number` is the last id given out."""

    def __init__(self, mysql: MySQLServer, shape: Shape = TEN) -> None:
        self.number = 0
        self._shape = shape
        self._connection: pymysql.Connection[Cursor] = pymysql.connect(
            host="127.0.0.1",
            port=mysql.port,
            user="root",
            client_flag=CLIENT.MULTI_STATEMENTS,
            autocommit=True,
        )

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def run(self, statements: str) -> None:
        """Run statements separated by semicolons."""
        with self._connection.cursor() as cursor:
            cursor.execute(statements)
            while cursor.nextset():
                pass

    def create(self, *tables: str) -> None:
        """Make empty tables in the database of the measurements."""
        self.run(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        for table in tables:
            self.run(self._shape.create(f"{DATABASE}.{table}"))

    def inserts(self, rows: int, per_insert: int = 500, table: str = TABLE) -> None:
        """Transactions of one INSERT each."""
        for count in _parts(rows, per_insert):
            self.run(self._insert(table, count))

    def single_rows(self, rows: int, tables: Sequence[str] = (TABLE,), per_transaction: int = 10) -> None:
        """One INSERT, so one event, a row; each transaction writes the next of the tables."""
        statements: list[str] = []
        for turn, count in enumerate(_parts(rows, per_transaction)):
            table = tables[turn % len(tables)]
            statements += ["BEGIN", *(self._insert(table, 1) for _ in range(count)), "COMMIT"]
            if len(statements) > 500:
                self.run(";".join(statements))
                statements = []
        if statements:
            self.run(";".join(statements))

    def one_transaction(self, rows: int, seed: str) -> None:
        """All rows in one transaction, copied from a seed table that this makes."""
        size = min(rows, 20_000)
        self.create(seed)
        self.inserts(size, table=seed)
        columns = ", ".join(name for name, _, _ in self._shape.columns)
        self.run("BEGIN")
        for offset in range(0, rows, size):
            self.run(
                f"INSERT INTO {DATABASE}.{TABLE} SELECT id + {offset}, {columns} FROM {DATABASE}.{seed} "
                f"WHERE id + {offset} <= {rows}"
            )
        self.run("COMMIT")

    def _insert(self, table: str, count: int) -> str:
        first = self.number + 1
        self.number += count
        rows = ",".join(self._shape.row(number) for number in range(first, first + count))
        return f"INSERT INTO {DATABASE}.{table} VALUES {rows}"


def _parts(total: int, size: int) -> list[int]:
    return [size] * (total // size) + ([total % size] if total % size else [])

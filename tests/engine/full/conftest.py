"""Both MySQL versions for tests that do not care which."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import pymysql
import pytest

from tests.servers import MySQLServer

_numbers = itertools.count(1)


@pytest.fixture(params=["mysql57", "mysql80"])
def mysql(request: pytest.FixtureRequest) -> MySQLServer:
    server: MySQLServer = request.getfixturevalue(request.param)
    return server


def _end_queries(mysql: MySQLServer) -> None:
    """End what still runs: a query that a killed reader left sending would keep the next test from its lock."""
    with mysql.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND ID <> CONNECTION_ID()"
        )
        for (thread_id,) in cursor.fetchall():
            with contextlib.suppress(pymysql.MySQLError):  # It ended by itself.
                cursor.execute(f"KILL {thread_id}")


@pytest.fixture
def database(mysql: MySQLServer) -> Iterator[str]:
    """A database of this test's own with a helper table `seq` of 1..1000 in another."""
    name = f"full_{next(_numbers)}"
    mysql.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4", "CREATE DATABASE IF NOT EXISTS numbers")
    with mysql.connect(database="numbers") as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES LIKE 'seq'")
        if not cursor.fetchall():
            cursor.execute("CREATE TABLE seq (n INT PRIMARY KEY)")
            cursor.executemany("INSERT INTO seq VALUES (%s)", [(n,) for n in range(1000)])
    yield name
    _end_queries(mysql)
    mysql.execute(f"DROP DATABASE {name}")

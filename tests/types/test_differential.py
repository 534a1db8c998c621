"""The same value from three sides: the snapshot's message, the stream's message, the server itself."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest
from pymysql.cursors import Cursor

from obsync_tui.model.table import quote_identifier
from tests.servers import MySQLServer
from tests.types.agreement import agree, answers, by_row
from tests.types.pipeline import Reader, Sent
from tests.types.tables import RandomTable, random_tables, session

DATABASE = "typ{e}s'列"
ROWS = 40
VALUES = 10_000


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found: MySQLServer = request.getfixturevalue(request.param)
    return found


def change_everything(tables: list[RandomTable], cursor: Cursor, rng: random.Random) -> None:
    for table in tables:
        for row in range(1, ROWS + 1):
            cursor.execute(table.update(rng, row))


def test_snapshot_stream_and_server_agree(server: MySQLServer) -> None:
    rng = random.Random(57 if server.version == "5.7" else 80)
    tables = random_tables(rng, DATABASE)
    reader = Reader(server, "typ{e}s?列.*")
    with server.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        cursor.execute(f"CREATE DATABASE {quote_identifier(DATABASE)}")
        for table in tables:
            cursor.execute(table.create())
        start = reader.start_point()
        for table in tables:
            # Events of many rows and of one.
            cursor.execute(table.insert(rng, range(1, ROWS // 2)))
            for row in range(ROWS // 2, ROWS + 1):
                cursor.execute(table.insert(rng, range(row, row + 1)))
        first, first_rows = answers(tables, cursor), by_row(reader.full(), after=True)
        change_everything(tables, cursor, rng)
        second, second_rows = answers(tables, cursor), by_row(reader.full(), after=True)
        for table in tables:
            cursor.execute(f"DELETE FROM {table.quoted}")
        stream = list(reader.changes(start))
        cursor.execute(f"DROP DATABASE {quote_identifier(DATABASE)}")
    kinds: dict[str, list[Sent]] = defaultdict(list)
    for message in stream:
        assert message.body.allMetaData.db == DATABASE
        kinds[message.body.recordType].append(message)
    assert set(kinds) == {"INSERT", "UPDATE", "DELETE"}
    values = agree(first_rows, first, tables, "ROW")
    values += agree(second_rows, second, tables, "second ROW")
    assert values >= VALUES
    assert agree(by_row(kinds["INSERT"], after=True), first, tables, "INSERT") * 2 == values
    assert agree(by_row(kinds["UPDATE"], after=False), first, tables, "UPDATE before") * 2 == values
    assert agree(by_row(kinds["UPDATE"], after=True), second, tables, "UPDATE after") * 2 == values
    assert agree(by_row(kinds["DELETE"], after=False), second, tables, "DELETE") * 2 == values
    nulls = sum(text == "null" for table in first.values() for row in table.values() for text in row.values())
    assert nulls > values // 40

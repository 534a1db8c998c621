"""Keys of every type under two cuts: what the snapshot gave and the stream's filter let through adds up to the table."""

from __future__ import annotations

import random

import pytest

from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.keys import Key, chunk_key
from obsync_tui.engine.full.ranges import Region, TableRecord
from obsync_tui.engine.full.reader import ChunkBatch, ChunkRequest, StartPoint
from obsync_tui.engine.mysql.snapshot import MySQLSnapshot
from obsync_tui.engine.store.store import TextShape
from obsync_tui.model.position import LogPosition
from obsync_tui.model.table import TableName, TableVersion
from tests.servers import MySQLServer
from tests.types.columns import Kind
from tests.types.pipeline import Reader, Sent, texts
from tests.types.tables import session
from tests.types.test_keys import key_kinds

State = dict[tuple[str, bytes | None], dict[str, str]]


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found: MySQLServer = request.getfixturevalue(request.param)
    return found


def change(server: MySQLServer, kinds: list[Kind], rng: random.Random, rounds: int) -> None:
    """New rows, new keys for old rows, new values and deletions; what would collide is left out by the server."""
    with server.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        for number, kind in enumerate(kinds):
            table = f"cuts.k{number}"
            assert kind.literal is not None
            for _ in range(rounds):
                cursor.execute(f"INSERT IGNORE INTO {table} VALUES ({kind.literal(rng)}, {rng.randrange(9)})")
                cursor.execute(f"UPDATE {table} SET v = v + 10 ORDER BY RAND({rng.randrange(99)}) LIMIT 2")
                new = kind.literal(rng)
                cursor.execute(
                    f"UPDATE IGNORE {table} SET k = {new} ORDER BY RAND({rng.randrange(99)}) LIMIT 1"
                )
                if rng.random() < 0.3:
                    cursor.execute(f"DELETE FROM {table} ORDER BY RAND({rng.randrange(99)}) LIMIT 1")


def apply(state: State, sent: Sent) -> None:
    """Do what a message says; one that does not fit the state fails."""
    key = (sent.body.allMetaData.table_name, sent.key)
    if sent.body.recordType in ("ROW", "INSERT"):
        assert key not in state, sent
        state[key] = texts(sent.body.postStruct)
        return
    assert state.pop(key) == texts(sent.body.prevStruct), sent
    if sent.body.recordType == "UPDATE":
        state[key] = texts(sent.body.postStruct)


def read(
    reader: Reader, snapshot: MySQLSnapshot, table: TableVersion, after: Key | None, upto: Key | None
) -> list[Sent]:
    """The rows of a range as messages."""
    connector, sent = reader.connector(LogPosition("")), []
    request = ChunkRequest(table, chunk_key(table), after, upto, 0)
    for piece in snapshot.readers[0].read(request, 1 << 20):
        rows = len(piece.bodies)
        batch = ChunkBatch(table, 1, 1, TextShape(2), piece.bodies, None, False, rows, piece.size_bytes)
        sent += Sent.all_of(connector.chunk(batch))
    return sent


def test_two_cuts_add_up_to_the_table(server: MySQLServer) -> None:
    rng = random.Random(4)
    reader = Reader(server, "cuts.*")
    kinds = list(key_kinds())
    with server.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        cursor.execute("CREATE DATABASE cuts")
        for number, kind in enumerate(kinds):
            # With a default of its own a TIMESTAMP does not follow the clock.
            default = " DEFAULT '2000-01-01 00:00:00'" if "TIMESTAMP" in kind.sql else ""
            cursor.execute(f"CREATE TABLE cuts.k{number} (k {kind.sql} NOT NULL{default} PRIMARY KEY, v INT)")
    state: State = {}
    records: dict[TableName, TableRecord] = {}
    change(server, kinds, rng, 12)
    first = reader.snapshots().open(1)
    tables = tuple(table for table in first.tables if chunk_key(table))
    for table in tables:
        whole = ChunkRequest(table, chunk_key(table), None, None, 0)
        upto = first.readers[0].split_point(whole, 4) or first.readers[0].split_point(whole, 1)
        assert upto is not None, table.name
        records[table.name] = TableRecord(table.name, whole.key, (Region(upto, 1), Region(None, 2)))
        for sent in read(reader, first, table, None, upto):
            apply(state, sent)
    first.close()
    change(server, kinds, rng, 6)
    second = reader.snapshots().open(2)
    for table in tables:
        for sent in read(reader, second, table, records[table.name].regions[0].upto, None):
            apply(state, sent)
    second.close()
    change(server, kinds, rng, 4)
    ranker = reader.snapshots().ranker()
    cuts = CutFilter({1: first.cut, 2: second.cut}, records, {t.name: t for t in tables}, ranker)
    connector = reader.connector(LogPosition(first.cut.executed), cuts, partitions=1)
    messages = 0
    for sent in reader.changes(StartPoint(first.cut, first.tables), connector):
        if TableName("cuts", sent.body.allMetaData.table_name) in records:
            messages += 1
            apply(state, sent)
    ranker.close()
    names = {name.table for name in records}
    expected: State = {}
    for sent in reader.full():
        if sent.body.allMetaData.table_name in names:
            apply(expected, sent)
    server.execute("DROP DATABASE cuts")
    assert state == expected
    assert len(records) > 60 and messages > 1000

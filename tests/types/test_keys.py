"""Keys of every type: full and incremental give one key text, and so one partition."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import msgspec
import pytest

from obsync_tui.model.project import KeyForm, Message
from tests.servers import MySQLServer
from tests.types.columns import CHARSETS, Kind, kinds
from tests.types.pipeline import PARTITIONS, Reader, Sent, texts
from tests.types.tables import session

ROWS = 25
# MySQL has no primary key on these, or only on a prefix of them.
WITHOUT_KEYS = (
    "TEXT",
    "BLOB",
    "JSON",
    "GEOMETRY",
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTI",
    "CHAR(0)",
    " AS (",
)


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found: MySQLServer = request.getfixturevalue(request.param)
    return found


def key_kinds() -> Iterator[Kind]:
    for kind in kinds():
        if kind.literal is not None and not any(word in kind.sql for word in WITHOUT_KEYS):
            yield kind


def create(server: MySQLServer, database: str) -> int:
    """Tables of two-column keys, one for each kind; how many."""
    count = 0
    with server.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        cursor.execute(f"CREATE DATABASE {database}")
        for count, kind in enumerate(key_kinds(), 1):
            cursor.execute(
                f'CREATE TABLE {database}.k{count} (v INT, `a"b` {kind.sql} NOT NULL, n INT NOT NULL,'
                f' PRIMARY KEY (`a"b`, n))'
            )
    return count


def fill(server: MySQLServer, database: str, rng: random.Random) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        for table, kind in enumerate(key_kinds(), 1):
            assert kind.literal is not None
            rows = ", ".join(f"(1, {kind.literal(rng)}, {n})" for n in range(ROWS))
            cursor.execute(f"INSERT INTO {database}.k{table} VALUES {rows}")


def rows_of(messages: list[Sent]) -> dict[tuple[str, str], Sent]:
    found = {(m.body.allMetaData.table_name, texts(m.body.postStruct)["n"]): m for m in messages}
    assert len(found) == len(messages)
    return found


def key_text(message: Sent) -> str:
    """The key columns' texts joined by U+0001, from the message's own values."""
    struct = message.body.postStruct
    assert struct is not None
    values = [bytes(struct[name]).decode() for name in ('a"b', "n")]
    return "\x01".join(msgspec.json.decode(v) if v.startswith('"') else v for v in values)


@pytest.mark.parametrize("form", list(KeyForm))
def test_keys_are_the_same_in_full_and_incremental(server: MySQLServer, form: KeyForm) -> None:
    database = f"keys_{form.name.lower()}"
    reader = Reader(server, f"{database}.*", Message(topic="types", key=form))
    tables = create(server, database)
    start = reader.start_point()
    fill(server, database, random.Random(7))
    full, stream = rows_of(reader.full()), rows_of(list(reader.changes(start)))
    server.execute(f"DROP DATABASE {database}")
    assert len(full) == len(stream) == tables * ROWS
    for where, row in full.items():
        insert, text = stream[where], key_text(row)
        assert row.body.postStruct == insert.body.postStruct, where
        assert row.key == insert.key, where
        assert row.partition == insert.partition == zlib.crc32(text.encode()) % PARTITIONS, where
        for message in (row, insert):
            assert message.body.allMetaData.record_primary_key == 'a"b\x01n'
            assert message.body.allMetaData.record_primary_value == text
        if form is KeyForm.NONE:
            assert row.key is None
        elif form is KeyForm.PRIMARY_KEY:
            assert row.key == text.encode()
        else:
            values = texts(row.body.postStruct)
            name = 'a"b'
            assert row.key == f"[{values[name]},{values['n']}]".encode()
    assert set(CHARSETS) <= {c.charset for t in start.tables for c in t.columns if c.charset}

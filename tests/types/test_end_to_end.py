"""The differential test once more through the command and Kafka, full and incremental."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.metrics import Phase
from obsync_tui.model.project import Message, Topics
from tests.faults.installation import Installation
from tests.servers import KafkaBroker, MySQLServer, consume_all
from tests.types.agreement import agree, answers, by_row
from tests.types.pipeline import Sent
from tests.types.tables import random_tables, session

DATABASE = "end_to_end"
ROWS = 10


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found: MySQLServer = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def installation(server: MySQLServer, kafka: KafkaBroker, tmp_path: Path) -> Iterator[Installation]:
    source = MySQLSource("shop", "127.0.0.1", "root", server.port)
    with closing(Installation(tmp_path, source, kafka.bootstrap, "")) as made:
        yield made


def executed(server: MySQLServer) -> str:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@global.gtid_executed")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def test_every_type_reaches_kafka(
    server: MySQLServer, kafka: KafkaBroker, installation: Installation
) -> None:
    rng = random.Random(server.version)
    topic = f"types_{server.version}"
    tables = random_tables(rng, DATABASE)
    installation.project(f"{DATABASE}.*", message=Message(topic=topic), topics=Topics(partitions=2))
    with server.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        cursor.execute(f"CREATE DATABASE {DATABASE}")
        for table in tables:
            cursor.execute(table.create())
            cursor.execute(table.insert(rng, range(1, ROWS + 1)))
        read = answers(tables, cursor)
        run = installation.start()
        run.until_phase(Phase.INCREMENTAL)
        for table in tables:
            cursor.execute(table.insert(rng, range(ROWS + 1, 2 * ROWS + 1)))
        inserted = answers(tables, cursor)
        for table in tables:
            for row in range(1, 2 * ROWS + 1):
                cursor.execute(table.update(rng, row))
        updated = answers(tables, cursor)
        for table in tables:
            cursor.execute(f"DELETE FROM {table.quoted}")
        run.until_delivered(executed(server))
        run.stop()
        cursor.execute(f"DROP DATABASE {DATABASE}")
    kinds: dict[str, list[Sent]] = defaultdict(list)
    for record in consume_all(kafka.bootstrap, [topic]):
        assert record.value is not None
        sent = Sent.of(record.value, record.key, record.partition)
        kinds[sent.body.recordType].append(sent)
    new = {name: {i: row for i, row in rows.items() if i > ROWS} for name, rows in inserted.items()}
    agree(by_row(kinds["ROW"], after=True), read, tables, "ROW")
    agree(by_row(kinds["INSERT"], after=True), new, tables, "INSERT")
    agree(by_row(kinds["UPDATE"], after=False), inserted, tables, "UPDATE before")
    agree(by_row(kinds["UPDATE"], after=True), updated, tables, "UPDATE after")
    agree(by_row(kinds["DELETE"], after=False), updated, tables, "DELETE")

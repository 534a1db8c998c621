"""Why a project is late, as the console tells it on the real engine: its source, its Connector, or its broker is slow."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.console.terminal import Emulated
from tests.engine.resident import ResidentEngine
from tests.servers import FaultProxy, KafkaBroker, MySQLServer, consume_all

PATIENCE_S = 90.0
# The Connector takes its time as long as the file is there.
SLOW_CONNECTOR = """
import os, time
from obsync_tui.engine.connector.connector import Connector
changes = Connector.changes
def slow(self, batch):
    while os.path.exists({flag!r}):
        time.sleep(0.1)
    return changes(self, batch)
Connector.changes = slow
"""


class Writer:
    """Inserts rows one by one into a table until it is stopped."""

    def __init__(self, server: MySQLServer, database: str) -> None:
        self.rows = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(server, database))
        self._thread.start()

    def _run(self, server: MySQLServer, database: str) -> None:
        with server.connect(database=database) as connection, connection.cursor() as cursor:
            while not self._stop.wait(0.01):
                cursor.execute("INSERT INTO item VALUES (%s, %s)", (self.rows, "n" * 400))
                self.rows += 1

    def stop(self) -> int:
        """End it; how many rows it wrote."""
        self._stop.set()
        self._thread.join()
        return self.rows


@pytest.fixture
def writing(mysql80: MySQLServer) -> Iterator[tuple[str, Writer]]:
    database = f"late{uuid.uuid4().hex[:8]}"
    mysql80.execute(
        f"CREATE DATABASE {database}", f"CREATE TABLE {database}.item (id INT PRIMARY KEY, name VARCHAR(400))"
    )
    writer = Writer(mysql80, database)
    yield database, writer
    writer.stop()


def late(it: Emulated, told: Callable[[], None]) -> None:
    """Wait for what makes it late, in the list and on the project's own page; then for its end."""
    it.type("1")
    it.sees("Projects (1)", "RUN incr")
    told()
    it.type("\r")
    it.sees("Events (")
    told()


def test_the_slow_part_is_named(
    tmp_path: Path, mysql80: MySQLServer, new_kafka: Callable[..., KafkaBroker], writing: tuple[str, Writer]
) -> None:
    database, writer = writing
    kafka, flag = new_kafka(), tmp_path / "slow"
    home = ResidentEngine(tmp_path / "home", before=SLOW_CONNECTOR.format(flag=str(flag)))
    with FaultProxy(mysql80.port) as link:
        try:
            home.sources(link.port, kafka.bootstrap)
            home.command(
                "project",
                "create",
                "orders",
                "--from",
                "shop",
                "--to",
                "events",
                "--objects",
                f"{database}.*",
            )
            home.start()
            home.command("project", "start", "orders")
            with Emulated(["--zone", "utc"], module="obsync_tui", OBSYNC_HOME=str(home.home)) as it:
                it.sees("Projects (1)", "RUN incr", patience_s=PATIENCE_S)
                link.slow(10_000)
                late(it, lambda: it.sees("source", patience_s=PATIENCE_S))
                it.sees("slowest: source", "lag ", patience_s=PATIENCE_S)
                link.heal()
                it.loses("slowest: source")
                flag.touch()
                late(it, lambda: it.sees("connector", patience_s=PATIENCE_S))
                it.type("c")
                it.sees("Components (", "Store        RUN", "connector is busy", patience_s=PATIENCE_S)
                flag.unlink()
                it.loses("connector is busy")
                kafka.pause()
                late(it, lambda: it.sees("sink", patience_s=PATIENCE_S))
                kafka.resume()
                it.loses("slowest: sink")
                rows = writer.stop()
                it.sees("latency 0.0s  out 0 rows/s  backlog 0", patience_s=PATIENCE_S)
        finally:
            kafka.resume()
            home.close()
    assert len({record.key for record in consume_all(kafka.bootstrap, [f"{database}_item"])}) == rows

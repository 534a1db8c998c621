"""The console on the real engine with real servers: steps 4 and 5 of OMS's overview by keyboard, and what interrupts them."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsync_tui.api.operations import PROJECT
from obsync_tui.api.requests import Named
from obsync_tui.model.lifecycle import ProjectState
from tests.console.terminal import Emulated
from tests.engine.resident import ResidentEngine, until
from tests.servers import KafkaBroker, MySQLServer, consume_all

PATIENCE_S = 90.0
ROWS = 3000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ResidentEngine]:
    made = ResidentEngine(tmp_path / "home")
    yield made
    made.close()


def console(home: ResidentEngine, **variables: str) -> Emulated:
    return Emulated(["--zone", "utc"], module="obsync_tui", OBSYNC_HOME=str(home.home), **variables)


def fill(server: MySQLServer, database: str, first: int, count: int) -> None:
    with server.connect(database=database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO item VALUES (%s, %s)", [(n, f"item {n}") for n in range(first, first + count)]
        )
        connection.commit()


def acts(it: Emulated, key: str, asked: str, seen: str) -> None:
    """Press a key, agree, and wait for the state that comes of it."""
    it.type(key)
    it.sees(asked)
    it.type("y")
    it.sees(seen, patience_s=PATIENCE_S)


def watch(it: Emulated, server: MySQLServer, database: str) -> None:
    """Start the project, follow it to the end of full synchronization, look at its components and objects."""
    it.sees("Projects (1)", "orders", "new", patience_s=PATIENCE_S)
    it.type("s")
    it.sees("RUN incr", patience_s=PATIENCE_S)
    it.type("\r")
    it.sees(
        "full         Finished", "100%", "incremental  ", "synchronized to", "Events (", patience_s=PATIENCE_S
    )
    fill(server, database, ROWS, 50)
    it.type("c")
    it.sees(
        "Components (", "Store        RUN", "Connector    RUN", "Full-Import  done", patience_s=PATIENCE_S
    )
    it.type("e")
    it.sees("Parameters of Store of orders", "Rows per second")
    it.type("5000")
    it.sees("05000")
    for _ in range(3):
        it.next_field()
    it.type("\r")
    it.sees("applied", patience_s=PATIENCE_S)
    it.type("j")
    acts(it, "x", "Pause Connector of orders?", "Connector    PAUSED")
    it.type("s")
    it.sees("Connector    RUN", patience_s=PATIENCE_S)
    it.type("\x1b")
    it.sees("Events (")
    it.type("o")
    it.sees(
        "Objects (1)", f"{database}_item {database}", " item ", "3.0k", "100%", "50", patience_s=PATIENCE_S
    )
    it.type("t")
    it.sees("Trace a row")
    it.type(f"{ROWS + 7}\r")
    it.sees(
        "1 change in the last", "INSERT", f"{database}_item partition", "committed", patience_s=PATIENCE_S
    )
    it.type("\x1b")
    it.sees("Objects (1)")
    it.type("S")
    it.sees("Messages", f"{database}_item partition", '"name":"item', patience_s=PATIENCE_S)
    it.type("1")
    it.sees("Projects (1)")


def interrupt(it: Emulated, home: ResidentEngine) -> None:
    """Kill the engine below the console, start another, then drop the SSH connection."""
    os.kill(home.answers().pid, signal.SIGKILL)
    it.sees("NO ENGINE", "orders")
    home.start()
    it.loses("NO ENGINE")
    it.sees("RUN incr", patience_s=PATIENCE_S)
    os.close(it.descriptor)
    it.descriptor = os.open("/dev/null", os.O_RDWR)
    os.waitpid(it.pid, 0)
    it.pid = -1


def release(it: Emulated) -> None:
    """Release the project by its typed name."""
    it.type("X")
    it.sees("Release orders", "never go on")
    it.type("order\r")
    it.sees("That is not the name")
    it.type("s\r")
    it.sees("released", patience_s=PATIENCE_S)


def test_a_project_is_watched_acted_on_and_outlives_its_terminal(
    home: ResidentEngine, mysql80: MySQLServer, kafka: KafkaBroker
) -> None:
    database = f"c{uuid.uuid4().hex[:8]}"
    mysql80.execute(
        f"CREATE DATABASE {database}", f"CREATE TABLE {database}.item (id INT PRIMARY KEY, name VARCHAR(40))"
    )
    fill(mysql80, database, 0, ROWS)
    home.sources(mysql80.port, kafka.bootstrap)
    home.command(
        "project", "create", "orders", "--from", "shop", "--to", "events", "--objects", f"{database}.*"
    )
    with console(home) as it:
        watch(it, mysql80, database)
        found = home.call(PROJECT, Named("orders"))
        assert found.project.store.rows_per_s == 5000 and not found.summary.file_changed
        acts(it, "x", "Pause orders?", "PAUSED")
        it.type("s")
        it.sees("RUN incr", patience_s=PATIENCE_S)
        interrupt(it, home)
    fill(mysql80, database, ROWS + 50, 50)
    topic = f"{database}_item"
    until(lambda: len(consume_all(kafka.bootstrap, [topic])) == ROWS + 100, "each row once in Kafka")
    with console(home) as it:
        it.sees("Projects (1)", "RUN incr", patience_s=PATIENCE_S)
        acts(it, "x", "Pause orders?", "PAUSED")
        release(it)
        assert home.call(PROJECT, Named("orders")).summary.state is ProjectState.RELEASED
        it.type("q")
        it.sees("The engine and its projects go on.")
    assert len(consume_all(kafka.bootstrap, [topic])) == ROWS + 100

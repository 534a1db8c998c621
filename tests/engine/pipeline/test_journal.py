"""What a run says in its logs and events and counts in its status, on real servers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from obsync_tui.engine.errors import Stopped
from obsync_tui.engine.history.journal import ProjectJournal
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.history.metrics import MetricHistory
from obsync_tui.engine.pipeline.run import ProjectRun
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.datasource import KafkaSource, MySQLSource
from obsync_tui.model.history import Component, Level, Metric
from obsync_tui.model.metrics import Phase, Status
from obsync_tui.model.project import Objects, Project, Store, new_project_id
from obsync_tui.model.secret import Secret, SecretReference
from tests.servers import KafkaBroker, MySQLServer

WAIT_S = 90.0


def no_password(reference: SecretReference) -> Secret:
    return Secret("")


class Rig:
    """A project's run on a thread, its logs, events and metrics."""

    def __init__(self, directory: Path, source: MySQLSource, bootstrap: str) -> None:
        self.state = StateFile(directory / "state.db")
        self.logs = ComponentLogs(directory / "logs")
        self.history = MetricHistory(self.state)
        store = Store(heartbeat_s=0.5, silence_s=3)
        self.project = Project(new_project_id(), "p", "s", "k", Objects(("journal_db.*",)), store=store)
        journal = ProjectJournal(self.project.id, self.state, self.logs)
        destination = KafkaSource("k", bootstrap)
        self.run = ProjectRun(self.project, source, destination, no_password, self.state, journal=journal)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        try:
            self.run.run()
        except BaseException as error:
            self.error = error

    def until(self, reached: Callable[[Status], bool]) -> Status:
        """Record the status ten times a second until it is as wanted."""
        deadline_s = time.monotonic() + WAIT_S
        while time.monotonic() < deadline_s:
            status = self.run.status()
            self.history.record(status)
            if reached(status):
                return status
            time.sleep(0.1)
        raise AssertionError(f"not within {WAIT_S} s: {self.run.status()}")

    def stop(self) -> None:
        self.run.stop()
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        assert isinstance(self.error, Stopped), self.error
        assert self.logs.flush(WAIT_S)

    def said(self, component: Component, level: Level = Level.DEBUG) -> list[str]:
        page = self.logs.newest(self.project.id, component, limit=1000, level=level)
        return [line.text for line in page.lines]

    def close(self) -> None:
        self.logs.close()
        self.state.close()


@pytest.fixture
def source(mysql57: MySQLServer) -> Iterator[MySQLSource]:
    mysql57.execute(
        "DROP DATABASE IF EXISTS journal_db", "CREATE DATABASE journal_db",
        "CREATE TABLE journal_db.t (id INT PRIMARY KEY, name VARCHAR(20))",
        "INSERT INTO journal_db.t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    )  # fmt: skip
    yield MySQLSource("s", "127.0.0.1", "root", mysql57.port)
    mysql57.execute("DROP DATABASE journal_db")


def test_a_run_tells_what_it_does(
    tmp_path: Path, source: MySQLSource, mysql57: MySQLServer, kafka: KafkaBroker
) -> None:
    rig = Rig(tmp_path, source, kafka.bootstrap)
    try:
        began_s = time.time()
        rig.until(lambda status: status.phase is Phase.INCREMENTAL and status.rows == 3)
        mysql57.execute("INSERT INTO journal_db.t VALUES (4, 'd'), (5, 'e')")
        busy = rig.until(lambda status: status.rows == 5 and status.rows_per_s > 0)
        assert (busy.read_rows, busy.messages) == (5, 5)
        assert busy.read_rows_per_s > 0 and busy.read_bytes_per_s > 0
        assert busy.commit_s is not None and 0 < busy.commit_s < WAIT_S
        assert busy.commit_total_s >= busy.commit_s
        assert 0 <= busy.log_fill <= 1 and 0 <= busy.message_fill <= 1
        mysql57.execute(
            "ALTER TABLE journal_db.t ADD COLUMN price INT", "INSERT INTO journal_db.t VALUES (6, 'f', 1)"
        )
        rig.until(lambda status: status.rows == 6)
        rig.stop()
        assert rig.said(Component.FULL_IMPORT) == [
            "full synchronization of 1 tables begins", "full synchronization is done: 3 rows of 1 tables",
        ]  # fmt: skip
        (store,) = rig.said(Component.STORE)
        with closing(mysql57.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@server_uuid")
            ((uuid,),) = cursor.fetchall()
        assert store.startswith("the log is read after ") and (f"{uuid}:" in store or len(store) > 400)
        connector = rig.said(Component.CONNECTOR)
        assert connector[0] == "the destination is open; there is no checkpoint yet"
        assert any("journal_db.t: ALTER TABLE" in text for text in connector)
        project = rig.said(Component.PROJECT)
        assert project[0].startswith("started in process ") and project[-1] == "stopped at its checkpoint"
        events = [event.text for event in rig.state.events(rig.project.id)]
        assert "full synchronization is done: 3 rows of 1 tables" in events
        assert not [text for text in events if text.startswith(("started", "stopped", "the destination"))]
        series = rig.history.series(
            rig.project.id, (Metric.ROWS_PER_S, Metric.COMMIT_S), began_s, time.time(), 1000
        )
        assert max(value for value in series.values[0] if value is not None) > 0
        assert max(value for value in series.values[1] if value is not None) > 0
    finally:
        rig.close()


def test_what_is_tried_again_stands_in_the_log_of_its_component(tmp_path: Path, kafka: KafkaBroker) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        source = MySQLSource("s", "127.0.0.1", "root", nobody.getsockname()[1])
        rig = Rig(tmp_path, source, kafka.bootstrap)
        try:
            rig.until(lambda status: status.failure is not None and status.phase is Phase.RETRYING)
            rig.stop()
            tried = rig.said(Component.STORE, Level.WARNING)
            assert tried and all(text.startswith("trying again: ") for text in tried)
            event = rig.state.events(rig.project.id)[0]
            assert (event.kind, event.level, event.text) == ("run", Level.WARNING, tried[0])
            assert rig.said(Component.CONNECTOR, Level.WARNING) == []
        finally:
            rig.close()

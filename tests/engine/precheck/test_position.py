"""The check compares the position that this machine knows with the source's log."""

from contextlib import closing
from pathlib import Path
from uuid import uuid4

from obsync_tui.engine.pipeline.checkpoint import LOCAL_PROGRESS_KEY, position_record
from obsync_tui.engine.precheck.model import CheckResult, Outcome, Subject
from obsync_tui.engine.precheck.position import check_known_position
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.binlog.server import read_source_log
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import new_project_id
from tests.servers import MySQLServer


def _checked(server: MySQLServer, path: Path, executed: str | None) -> CheckResult:
    project_id = new_project_id()
    if executed is not None:
        value = position_record(LogPosition(executed)).value
        with StateFile(path) as state:
            state.save(project_id, (Record(LOCAL_PROGRESS_KEY, value),))
    with closing(server.connect()) as connection:
        return check_known_position(
            Subject("shop"), lambda: read_source_log(connection, "shop"), path, project_id
        )


def _executed(server: MySQLServer, variable: str = "gtid_executed") -> str:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT @@global.{variable}")
        row = cursor.fetchone()
        assert row is not None
        return str(row[0])


def test_before_the_first_run_there_is_nothing_to_lose(mysql57: MySQLServer, tmp_path: Path) -> None:
    assert _checked(mysql57, tmp_path / "state.db", None).outcome is Outcome.PASS


def test_a_position_that_the_log_follows_passes(mysql57: MySQLServer, tmp_path: Path) -> None:
    mysql57.execute(f"CREATE DATABASE p{uuid4().hex[:8]}")
    result = _checked(mysql57, tmp_path / "state.db", _executed(mysql57))
    assert (result.outcome, result.item) == (Outcome.PASS, "position")


def test_another_history_fails_with_the_cure(mysql57: MySQLServer, tmp_path: Path) -> None:
    result = _checked(mysql57, tmp_path / "state.db", f"{uuid4()}:1-7")
    assert result.outcome is Outcome.FAIL and "never had" in result.text and "project reset" in result.cure


def test_a_purged_position_fails_with_the_cure(tmp_path: Path) -> None:
    with MySQLServer("5.7") as server:
        server.execute("CREATE DATABASE a", "FLUSH BINARY LOGS", "CREATE DATABASE b", "FLUSH BINARY LOGS")
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW MASTER STATUS")
            row = cursor.fetchone()
            assert row is not None
            cursor.execute(f"PURGE BINARY LOGS TO '{row[0]}'")
        assert _executed(server, "gtid_purged")
        uuid = _executed(server).split(":")[0]
        result = _checked(server, tmp_path / "state.db", f"{uuid}:1")
        assert result.outcome is Outcome.FAIL and "purged" in result.text

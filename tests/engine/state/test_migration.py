"""A `state.db` of an earlier version becomes this one's, and is kept beside it; events are numbered."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from obsync_tui.engine.errors import StateError
from obsync_tui.engine.state import database
from obsync_tui.engine.state.database import MIGRATIONS, StateFile
from obsync_tui.engine.state.projects import ProjectTable
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.event import Event, EventKind
from obsync_tui.model.history import Level
from obsync_tui.model.lifecycle import ProjectState

A, B = "np_aaaaaaaaaaaa", "np_bbbbbbbbbbbb"
STATUS = b'{"project_id":"np_aaaaaaaaaaaa","project":"orders","phase":"full","at_s":1.5,"pid":7,"started_s":1.0,"rows":3}'


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A file of version 1 with something in every table."""
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(MIGRATIONS[0])
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO record VALUES (?, 'position', x'00ff')", (A,))
    connection.execute("INSERT INTO status VALUES (?, 1.5, ?)", (A, STATUS))
    connection.executemany(
        "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
        [(3, A, 1.0, "run", "three"), (9, B, 2.0, "topic", "nine"), (11, A, 3.0, "gap", "eleven")],
    )
    connection.commit()
    connection.close()
    return path


def test_everything_is_still_there(first: Path) -> None:
    with StateFile(first) as state:
        assert state.records(A) == [Record("position", b"\x00\xff")]
        status = state.status(A)
        assert status is not None
        assert (status.rows, status.read_rows, status.commit_s) == (3, 0, None)
        assert state.event_page(None, limit=10) == [
            Event(1.0, A, "run", "three", 3),
            Event(2.0, B, "topic", "nine", 9),
            Event(3.0, A, "gap", "eleven", 11),
        ]
        state.add_event(A, "run", "next", 4.0)
        assert state.events(A)[-1].number == 12


def test_the_file_of_before_is_kept(first: Path) -> None:
    StateFile(first).close()
    copy = first.with_name("state.db.version-1")
    assert sorted(os.listdir(first.parent)) == ["state.db", "state.db.version-1"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT text FROM event ORDER BY number").fetchall() == [
        ("three",),
        ("nine",),
        ("eleven",),
    ]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    before = copy.read_bytes()
    StateFile(first).close()
    assert copy.read_bytes() == before


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, "CREATE TABLE x (y); SELECT * FROM nowhere"))
    with pytest.raises(StateError, match="nowhere"):
        StateFile(first)
    connection = sqlite3.connect(first)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM event").fetchone() == (3,)
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name IN ('x', 'metric')").fetchall()
    connection.close()


def test_no_room_for_the_copy_is_said_and_changes_nothing(first: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from obsync_tui.engine.state.database import StateFile\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))\n"
        "StateFile(Path(sys.argv[1]))"
    )
    ended = subprocess.run([sys.executable, "-c", code, first], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "the state cannot be used" in ended.stderr
    assert not first.with_name("state.db.version-1").exists()
    with StateFile(first) as state:
        assert len(state.events(A)) == 2


def test_many_processes_migrate_at_once(first: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from obsync_tui.engine.state.database import StateFile\n"
        "with StateFile(Path(sys.argv[1])) as s: s.add_event('np_aaaaaaaaaaaa', 'run', 'x')"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, first]) for _ in range(6)]
    assert [process.wait() for process in running] == [0] * 6
    with StateFile(first) as state:
        assert [event.number for event in state.events(A)] == [3, 11, 12, 13, 14, 15, 16, 17]
    assert sorted(os.listdir(first.parent)) == ["state.db", "state.db.version-1"]
    connection = sqlite3.connect(first.with_name("state.db.version-1"))
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_events_tell_who_and_how_much_they_matter(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        state.add_event(A, "action", "pause", 1.0, who="1000 dba pts/3")
        state.add_event("", "engine", "started", 2.0)
        state.add_event(A, "failed", "no broker", 3.0, level=Level.ERROR)
        assert state.event_page(None, limit=9) == [
            Event(1.0, A, "action", "pause", 1, Level.INFO, "1000 dba pts/3"),
            Event(2.0, "", "engine", "started", 2),
            Event(3.0, A, "failed", "no broker", 3, Level.ERROR),
        ]
        assert [event.number for event in state.event_page("", limit=9)] == [2]
        assert [event.number for event in state.event_page(None, limit=9, level=Level.WARNING)] == [3]
        assert [event.number for event in state.event_page(A, limit=9, search="BROKER")] == [3]
        assert state.event_page(A, limit=9, search="%") == []


def test_events_are_paged_both_ways(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        for number in range(1, 31):
            state.add_event((A, B)[number % 2], "run", str(number), float(number))

        def page(project: str | None, before: int | None = None, after: int | None = None) -> list[int]:
            return [event.number for event in state.event_page(project, limit=4, before=before, after=after)]

        assert page(None) == [27, 28, 29, 30]
        assert page(None, before=27) == [23, 24, 25, 26]
        assert page(A, before=7) == [2, 4, 6]
        assert page(A, before=2) == []
        assert page(None, after=0) == [1, 2, 3, 4]
        assert page(B, after=25) == [27, 29]
        assert page(B, after=29) == []


def test_a_number_is_never_given_twice(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        for _ in range(3):
            state.add_event(A, "run", "x")
        state.delete(A)
        state.add_event(B, "run", "x")
        assert state.events(B)[0].number == 4


def test_every_state_of_a_project_has_a_kind_of_event() -> None:
    assert {state.lower() for state in ProjectState} < set(EventKind)


def test_a_move_tells_who_asked_for_it(tmp_path: Path) -> None:
    with StateFile(tmp_path / "state.db") as state:
        table = ProjectTable(state)
        table.made(A, "1000 dba pts/3")
        table.move(A, frozenset((ProjectState.NOT_STARTED,)), ProjectState.RUNNING, "1000 dba pts/3")
        table.move(A, frozenset((ProjectState.RUNNING,)), ProjectState.FAILED, "", "no broker")
        assert [(event.kind, event.text, event.level, event.who) for event in state.events(A)] == [
            ("created", "", Level.INFO, "1000 dba pts/3"),
            ("running", "", Level.INFO, "1000 dba pts/3"),
            ("failed", "no broker", Level.ERROR, ""),
        ]

"""The state file: real SQLite files, several processes, full and read-only disks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from obsync_tui.engine.errors import StateError
from obsync_tui.engine.state import database
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.metrics import Failure, FullStatus, Phase, Status
from obsync_tui.model.project import Step

A, B = "np_aaaaaaaaaaaa", "np_bbbbbbbbbbbb"
STATUS = Status(
    A, "orders", Phase.FULL, 12.5, 7, 1.0, Step.FULL, rows=3, full=FullStatus(2, 1, 3, left_s=4.0),
    warnings=("a", "b"), failure=Failure("X", "what", "where", "cure", True, 9.0),
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def test_records_are_kept_per_project(path: Path) -> None:
    with StateFile(path) as state:
        state.save(A, [Record("position", b"1"), Record("range:2", b"\x00\xff"), Record("gone", b"x")])
        state.save(B, [Record("position", b"other")])
        state.save(A, [Record("position", b"2"), Record("gone", None), Record("never", None)])
    with StateFile(path) as state:
        assert state.records(A) == [Record("position", b"2"), Record("range:2", b"\x00\xff")]
        state.delete(A)
        assert state.records(A) == []
        assert state.records(B) == [Record("position", b"other")]


def test_status_reads_back(path: Path) -> None:
    with StateFile(path) as writer, StateFile(path) as reader:
        assert reader.status(A) is None
        writer.save_status(STATUS)
        assert reader.status(A) == STATUS
        writer.delete(A)
        assert reader.status(A) is None


def test_events_are_bounded_per_project(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "EVENTS_KEPT", 5)
    with StateFile(path) as state:
        state.add_event(B, "started", "first of all", 1.0)
        for number in range(12):
            state.add_event(A, "moved", f"{number} " + "x" * 5000, float(number))
        events = state.events(A)
        assert [event.at_s for event in events] == [7, 8, 9, 10, 11]
        assert {len(event.text) for event in events} == {4000}
        assert [event.text for event in state.events(B)] == ["first of all"]
        assert [event.at_s for event in state.events(A, 2)] == [10, 11]


def test_nobody_else_may_read(path: Path) -> None:
    with StateFile(path) as state:
        state.save(A, [Record("k", b"v")])
        modes = {name: stat.S_IMODE((path.parent / name).stat().st_mode) for name in os.listdir(path.parent)}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_newer_file_is_refused_by_name_and_left_alone(path: Path) -> None:
    StateFile(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(
        StateError, match=r"state.db: a newer obsync wrote this file .version 99, this one knows 4."
    ):
        StateFile(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_said_to_be_one(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateError, match=r"state.db: the state cannot be used: .* Move the file away"):
        StateFile(path)


def test_a_directory_in_the_way(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StateError, match=r"state.db: the state cannot be used: Is a directory"):
        StateFile(path)


def test_a_directory_that_cannot_be_made(path: Path) -> None:
    path.parent.write_text("in the way")
    with pytest.raises(StateError, match="state: cannot be prepared: File exists"):
        StateFile(path)


def test_a_full_disk_loses_nothing(path: Path) -> None:
    with StateFile(path) as state:
        state.save(A, [Record("k", b"old"), Record("other", b"old")])
        pages = state._connection.execute("PRAGMA page_count").fetchone()[0]
        state._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StateError, match=r"full. Free disk space"):
            state.save(A, [Record("k", b"new"), Record("large", b"x" * 1_000_000)])
        assert state.records(A) == [Record("k", b"old"), Record("other", b"old")]
        state._connection.execute("PRAGMA max_page_count = 100000")
        state.save(A, [Record("k", b"new")])
        assert state.records(A)[0] == Record("k", b"new")


LIMITED = """
import resource, sys
from pathlib import Path
from obsync_tui.engine.errors import StateError
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.checkpoint import Record
with StateFile(Path(sys.argv[1])) as state:
    state.save("a", [Record("k", b"old")])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        state.save("a", [Record("k", b"x" * 1_000_000)])
    except StateError as error:
        print(error)
    print(state.records("a"))
"""


def test_a_write_that_the_system_refuses_loses_nothing(path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True)
    assert "the state cannot be used: " in run.stdout
    assert "[Record(key='k', value=b'old')]" in run.stdout


def test_a_read_only_connection_is_said_to_be_one(path: Path) -> None:
    with StateFile(path) as state:
        state._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StateError, match=r"readonly database. Make the file and its directory writable"):
            state.save(A, [Record("k", b"v")])


def test_many_processes_open_a_new_file_at_once(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from obsync_tui.engine.state.database import StateFile\n"
        "from obsync_tui.model.checkpoint import Record\n"
        "with StateFile(Path(sys.argv[1])) as s: s.save('a', [Record(sys.argv[2], b'v')])"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, path, str(number)]) for number in range(6)]
    assert [process.wait() for process in running] == [0] * 6
    with StateFile(path) as state:
        assert len(state.records("a")) == 6


def test_threads_share_one_file(path: Path) -> None:
    with StateFile(path) as state:

        def work(number: int) -> None:
            for turn in range(20):
                state.save(A, [Record(f"{number}", b"%d" % turn)])
                state.add_event(A, "turn", f"{number}/{turn}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert state.records(A) == [Record(f"{number}", b"19") for number in range(4)]
        assert len(state.events(A)) == 80

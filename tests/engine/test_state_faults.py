"""An engine whose state file is newer, in somebody else's hands, damaged, or on a full disk."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.endpoint import endpoint
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.requests import ListProjects, Nothing, PutDraft, PutSource
from tests.engine.conftest import NewEngine
from tests.engine.resident import ResidentEngine

FAILED, NOT_STARTED = 15, 18


def test_a_newer_obsync_wrote_it(new_engine: NewEngine) -> None:
    home = new_engine()
    home.start()
    home.stop()
    with contextlib.closing(sqlite3.connect(home.paths.state_file)) as state:
        state.execute("PRAGMA user_version = 99")
    before = home.paths.state_file.read_bytes()
    line = home.fails(FAILED, "a newer obsync wrote this file (version 99", str(home.paths.state_file))
    assert "Install that obsync again" in line
    assert home.paths.state_file.read_bytes() == before
    started = home.command("engine", "start", code=18).stderr
    assert "the engine did not start" in started and "a newer obsync wrote this file" in started
    assert "a newer obsync wrote this file" in home.command("engine", "logs").stdout


def test_another_process_holds_it(new_engine: NewEngine) -> None:
    home = new_engine(before="import obsync_tui.engine.state.database as d; d.BUSY_TIMEOUT_S = 0.2")
    home.start()
    with contextlib.closing(sqlite3.connect(home.paths.state_file, isolation_level=None)) as state:
        state.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RemoteError, match="database is locked") as refused:
            home.call(op.PUT_DRAFT, PutDraft("a", "source", "t", "{}"))
        assert (refused.value.code, refused.value.status) == ("StateError", 507)
        assert "Another process holds the file" in refused.value.cure
        assert home.call(op.PROJECTS, ListProjects()) == (), "what needs no writing goes on"
        state.execute("ROLLBACK")
        assert home.call(op.PUT_DRAFT, PutDraft("a", "source", "t", "{}")).id == "a"
        home.stop()
        state.execute("PRAGMA locking_mode = EXCLUSIVE")
        state.execute("BEGIN EXCLUSIVE")
        home.fails(FAILED, "database is locked", "Another process holds the file")
    home.start()
    assert [draft.id for draft in home.call(op.DRAFTS, Nothing())] == ["a"]


def test_it_is_no_database(new_engine: NewEngine) -> None:
    home = new_engine()
    home.paths.state.mkdir(mode=0o700)
    home.paths.state_file.write_bytes(b"this was a database once" * 1000)
    home.fails(FAILED, "file is not a database", "Move the file away")


def mounted(at: Path, options: str) -> Iterator[Path]:
    at.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", at], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield at
    subprocess.run(["umount", "-l", at], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    yield from mounted(tmp_path / "small", "size=2m")


@pytest.fixture
def no_files(tmp_path: Path) -> Iterator[Path]:
    """A file system on which no file can be made."""
    yield from mounted(tmp_path / "none", "nr_inodes=1,mode=700")


def fill(directory: Path) -> Path:
    ballast = directory / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(os.urandom(4096)):
            pass
    return ballast


def test_a_full_disk(small_disk: Path) -> None:
    home, fresh = ResidentEngine(small_disk / "h"), small_disk / "fresh"
    fresh.mkdir(mode=0o700)
    try:
        home.output = small_disk.parent / "output.log"
        home.sources()
        home.start()
        ballast = fill(small_disk)
        with pytest.raises(RemoteError, match="disk is full") as refused:
            for number in range(40):
                home.call(op.PUT_DRAFT, PutDraft(f"d{number}", "source", "t", "x" * 50_000))
        assert (refused.value.code, refused.value.status) == ("StateError", 507)
        assert "Free disk space" in refused.value.cure
        assert [one.name for one in home.call(op.SOURCES, Nothing())] == ["events", "shop"]
        with pytest.raises(RemoteError, match="No space left"):
            source = home.call(op.SOURCES, Nothing())[1].source
            assert source is not None
            home.call(op.PUT_SOURCE, PutSource(source, replace=True))  # fmt: skip
        assert home.call(op.SOURCES, Nothing())[1].source == source, "the file that there was is whole"
        home.kill()
        home.start()
        assert len(home.call(op.SOURCES, Nothing())) == 2, "it comes up on the full disk, for reading"
        other = ResidentEngine(fresh)
        other.output = home.output.with_name("other.log")
        other.fails(FAILED, "No space left", "Check that the disk has room")
        ballast.unlink()
        home.call(op.PUT_DRAFT, PutDraft("after", "source", "t", "{}"))
        assert "after" in {draft.id for draft in home.call(op.DRAFTS, Nothing())}
        home.stop()
    finally:
        home.close()


def test_a_socket_on_a_full_disk(no_files: Path, tmp_path: Path) -> None:
    home = ResidentEngine(tmp_path / "h", {"OBSYNC_SOCKET": str(no_files / "engine.sock")})
    try:
        home.fails(
            FAILED, f"{no_files}/engine.sock: no socket can be made: No space left", "name another place"
        )
        said = home.command("engine", "start", code=NOT_STARTED).stderr
        assert "no socket can be made: No space left on device" in said and "obsync engine run" in said
        home.environment.pop("OBSYNC_SOCKET")
        home.at = endpoint(home.paths, home.environment)
        home.start()
        home.stop()
    finally:
        home.close()

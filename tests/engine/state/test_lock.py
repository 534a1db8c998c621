"""The lock between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from obsync_tui.engine.errors import ProjectOwned
from obsync_tui.engine.state.lock import ProjectLock

HOLDER = """
import sys, time
from pathlib import Path
from obsync_tui.engine.state.lock import ProjectLock
with ProjectLock(Path(sys.argv[1]), "np_aaaaaaaaaaaa"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            for _ in range(2):
                with pytest.raises(
                    ProjectOwned, match=f"process {holder.pid} on this machine.*kill {holder.pid}"
                ):
                    ProjectLock(tmp_path, "np_aaaaaaaaaaaa").__enter__()
            with ProjectLock(tmp_path, "np_bbbbbbbbbbbb"):
                pass
        finally:
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
    with ProjectLock(tmp_path, "np_aaaaaaaaaaaa"):
        assert (tmp_path / "locks" / "np_aaaaaaaaaaaa.lock").read_text() == str(os.getpid())


def test_one_process_does_not_hold_it_twice(tmp_path: Path) -> None:
    with ProjectLock(tmp_path, "np_aaaaaaaaaaaa"), pytest.raises(ProjectOwned):
        ProjectLock(tmp_path, "np_aaaaaaaaaaaa").__enter__()
    with ProjectLock(tmp_path, "np_aaaaaaaaaaaa"):
        pass


def test_a_file_that_was_removed_meanwhile_is_not_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opened the file before it was removed with its project must not hold what nobody else can meet."""
    path = tmp_path / "locks" / "np_aaaaaaaaaaaa.lock"
    opened = os.open

    def removed_once(*arguments: object) -> int:
        found = opened(*arguments)  # type: ignore[arg-type]
        monkeypatch.setattr(os, "open", opened)
        path.unlink()
        return found

    with ProjectLock(tmp_path, "np_aaaaaaaaaaaa") as lock:
        lock.remove()
        assert not path.exists()
    path.touch()
    monkeypatch.setattr(os, "open", removed_once)
    with ProjectLock(tmp_path, "np_aaaaaaaaaaaa"):
        assert path.read_text() == str(os.getpid())
        with pytest.raises(ProjectOwned):
            ProjectLock(tmp_path, "np_aaaaaaaaaaaa").__enter__()

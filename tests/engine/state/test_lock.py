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

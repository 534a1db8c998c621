"""The console inside tmux: keys typed there, its screen read, copies passed through."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE_S = 30.0


class Tmux:
    """A tmux server of the test's own with one window of 80x24."""

    def __init__(self, directory: Path, command: str) -> None:
        self._tmux = ["tmux", "-S", str(directory / "tmux.sock"), "-f", "/dev/null"]
        environment = {
            **os.environ,
            "OBSYNC_HOME": str(directory),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        subprocess.run(
            [*self._tmux, "-u", "new-session", "-d", "-x", "80", "-y", "24", command],
            env=environment,
            check=True,
        )

    def run(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=False).stdout

    def sees(self, *texts: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not all(text in (shown := self.run("capture-pane", "-p")) for text in texts):
            assert time.monotonic() < end, f"{texts} in\n{shown}"
            time.sleep(0.05)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux here")
    made = Tmux(tmp_path, f"{sys.executable} -m tests.console.hostile; sleep 60")
    yield made
    made.run("kill-server")


def test_a_journey_inside_tmux(tmux: Tmux, tmp_path: Path) -> None:
    tmux.sees("Projects (8)", "[bold]x[/n")
    tmux.run("send-keys", "j")
    tmux.sees("▸ [bold]x")
    tmux.run("send-keys", "y")
    tmux.sees("copied: OSC 52, also in")
    assert (tmp_path / "clipboard.txt").read_text() == "[bold]x[/nonsense][/][@click=app.quit]"
    tmux.run("send-keys", "k", "Enter")
    tmux.sees("Events (7)")
    tmux.run("resize-window", "-x", "100", "-y", "30")
    tmux.sees("Events (7)", "latency, 5 min")
    tmux.run("send-keys", "Escape")
    tmux.sees("Projects (8)")
    tmux.run("send-keys", "q")
    end = time.monotonic() + PATIENCE_S
    while "Projects" in tmux.run("capture-pane", "-p"):
        assert time.monotonic() < end
        time.sleep(0.05)

"""The `obsync` command as a process, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Obsync = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "OBSYNC_HOME": str(home), "PYTHONPATH": os.getcwd()}


@pytest.fixture
def obsync(environment: dict[str, str]) -> Obsync:
    """obsync(*arguments, given="", code=0): runs the command without a terminal and asserts its exit code."""

    def run(*arguments: str, given: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "obsync_tui", *arguments],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        if code:
            assert "Traceback" not in done.stderr
            assert "obsync: " in done.stderr
        return done

    return run


@pytest.fixture
def shop(obsync: Obsync) -> Obsync:
    """The command in a home with sources `shop` and `events` and a project `orders`."""
    obsync("source", "add", "shop", "--kind", "mysql", "--host", "127.0.0.1", "--user", "u", "--password", "env:SHOP_PASSWORD")  # fmt: skip
    obsync("source", "add", "events", "--kind", "kafka", "--endpoint", "127.0.0.1:1")
    obsync("project", "create", "orders", "--from", "shop", "--to", "events", "--objects", "shop.*")
    return obsync

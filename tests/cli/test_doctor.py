"""`obsync doctor` and `obsync engine unit` as commands."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from obsync_tui.cli import exit_codes, main
from tests.cli.conftest import Obsync


def test_a_fresh_home(environment: dict[str, str], home: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "obsync_tui", "doctor"], env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    lines = done.stdout.splitlines()
    subjects = [line for line in lines if not line.startswith(" ")]
    assert subjects[:-1] == ["installation", "terminal", "locale", "logout", "limits", "clock", "files", "permissions", "state", "locks", "configuration"]  # fmt: skip
    assert subjects[-1].split()[1:6:2] == ["ok,", "warnings,", "failures,"]
    assert f"  ok       state.db: not there yet ({home}/state/state.db)" in lines
    assert not home.exists()


def test_failures_have_cures_and_a_code(shop: Obsync, home: Path) -> None:
    (home / "config" / "projects" / "odd.toml").write_text("id = \x1b[2J")
    (home / "config" / "sources" / "shop.toml").chmod(0o666)
    done = subprocess.run([sys.executable, "-m", "obsync_tui", "doctor", "--json"], env=os.environ | {"OBSYNC_HOME": str(home), "PYTHONPATH": os.getcwd()}, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == exit_codes.CHECK_FAILED
    found = json.loads(done.stdout)
    failed = {(one["subject"], one["check"]): one for one in found if one["level"] == "failure"}
    assert {("permissions", "configuration"), ("configuration", "project"), ("data source shop", "secret"), ("data source events", "connection")} <= set(failed)  # fmt: skip
    assert all(one["what"] and one["cure"] for one in failed.values())
    assert "chmod 600" in failed["permissions", "configuration"]["cure"]
    assert "SHOP_PASSWORD" in failed["data source shop", "secret"]["cure"]


def test_black_holes_within_the_time(obsync: Obsync, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        port = listening.getsockname()[1]
        for number in range(3):
            obsync("source", "add", f"m{number}", "--kind", "mysql", "--host", "127.0.0.1", "--port", str(port), "--user", "u", "--password", "cmd:sleep 60" if number else "env:HOME")  # fmt: skip
        obsync("source", "add", "k", "--kind", "kafka", "--endpoint", f"127.0.0.1:{port}")
        started_s = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "obsync_tui", "doctor"], env=environment, capture_output=True, text=True, check=False)  # fmt: skip
        took_s = time.monotonic() - started_s
    assert done.returncode == exit_codes.CHECK_FAILED, done.stdout + done.stderr
    assert took_s < 15
    # On a busy machine the run's own limit can be the first.
    assert len(re.findall("did not end within 10 s|no answer within 11 s", done.stdout)) == 2
    assert {"data source k", "data source m0", "data source m1", "data source m2"} <= set(
        done.stdout.splitlines()
    )


def test_the_unit_is_printed_whole(shop: Obsync, home: Path) -> None:
    done = shop("engine", "unit")
    assert f"Environment=OBSYNC_HOME={home}\n" in done.stdout
    assert f"ExecStart={sys.executable} -P -m obsync_tui engine run\n" in done.stdout
    comments = [line for line in done.stdout.splitlines() if line.startswith("#")]
    assert comments[0].startswith("# The obsync engine") and any(
        "loginctl enable-linger" in line for line in comments
    )
    assert any("SHOP_PASSWORD=…" in line for line in comments)
    assert str(home / "config" / "environment") in done.stdout
    system = shop("engine", "unit", "--system", "--user", "nobody")
    assert "User=nobody\n" in system.stdout and f"install -d -m 0700 -o nobody {home}/config" in system.stdout
    assert "--user" in shop("engine", "unit", "--user", "nobody", code=3).stderr


def engine_line(environment: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, "-m", "obsync_tui", "doctor"], env=environment, capture_output=True, text=True, check=False)  # fmt: skip
    return next(line for line in done.stdout.splitlines() if " engine: " in line)


def restart_as_unit(group: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What `obsync engine restart` says when the engine is in that control group."""
    monkeypatch.setattr("obsync_tui.engine.doctor.machine.control_group", lambda process: group)
    assert main(["engine", "restart"]) == 3
    return capsys.readouterr().err


def test_an_engine_that_is_ready_stopped_and_gone(
    environment: dict[str, str],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OBSYNC_HOME", str(home))
    assert engine_line(environment).startswith("  ok       engine: not running")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        command = [sys.executable, "-P", "-m", "obsync_tui", "engine", "run"]
        engine = subprocess.Popen(command, env=environment | {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        try:
            assert manager.recv(4096).decode().split("\n")[0] == "READY=1"
            assert f"process {engine.pid} ({home}/run/engine.sock)" in engine_line(environment)
            for group, command in (
                (
                    "/user.slice/user-7.slice/user@7.service/app.slice/obsync.service",
                    "Run: systemctl --user restart obsync",
                ),
                ("/system.slice/obsync.service", "Run: sudo systemctl restart obsync"),
            ):
                assert command in restart_as_unit(group, monkeypatch, capsys)
            engine.send_signal(signal.SIGSTOP)
            line = engine_line(environment)
            assert line.startswith(
                f"  failure  engine: process {engine.pid} holds this home, but is stopped by a signal"
            )
            engine.send_signal(signal.SIGCONT)
            engine.terminate()
            assert engine.wait(60) == 0
        finally:
            engine.kill()
            engine.wait()
    assert engine_line(environment).startswith("  ok       engine: not running")

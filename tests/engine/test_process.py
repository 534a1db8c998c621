"""The engine's process: who may start it, what it survives, and what it leaves on the disk."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.endpoint import MAX_PATH_BYTES, Endpoint, endpoint
from obsync_tui.api.errors import EngineAway
from obsync_tui.api.requests import ListProjects, Nothing, PutDraft
from obsync_tui.cli import exit_codes
from obsync_tui.config.paths import Paths
from obsync_tui.engine.errors import ProjectOwned
from obsync_tui.model.errors import ConfigError
from tests.engine.conftest import NewEngine
from tests.engine.resident import PATIENCE_S, ResidentEngine, until

ROOT = Path(__file__).resolve().parents[2]


def modes(directory: Path) -> dict[str, str]:
    """The mode of everything below a directory, and of itself, by its path."""
    return {
        str(path.relative_to(directory)): f"{stat.S_IMODE(path.lstat().st_mode):04o}"
        for path in (directory, *directory.rglob("*"))
        if not path.is_symlink()
    }


def test_commands_start_and_stop_it(new_engine: NewEngine) -> None:
    home = new_engine()
    assert "no engine runs" in home.command("engine", "status", code=18).stderr
    assert home.command("engine", "stop").stdout == "no engine runs\n"
    said = home.command("engine", "start").stdout
    first = home.answers()
    assert said == f"running: obsync {first.version}, process {first.pid}\n"
    assert (first.home, first.access, first.protocol) == (str(home.paths.state), "admin", 1)
    assert os.getsid(first.pid) == first.pid, "it has a session of its own"
    assert home.command("engine", "start").stdout == said, "an engine that runs is as good"
    shown = home.command("engine", "status").stdout
    assert f"process {first.pid}" in shown and str(home.at.path) in shown
    home.command("engine", "restart")
    second = home.answers()
    assert second.pid != first.pid and home.pids() == [second.pid]
    logs = home.command("engine", "logs").stdout
    assert f"process {first.pid}" in logs and "stopped" in logs and f"process {second.pid}" in logs
    assert home.command("engine", "stop").stdout == "stopped\n"
    assert home.pids() == [] and not home.at.path.exists()


def test_a_second_one_is_refused_by_name(engine: ResidentEngine) -> None:
    assert engine.process is not None
    second = engine.command("engine", "run", code=exit_codes.CODES[ProjectOwned])  # fmt: skip
    assert f"process {engine.process.pid}" in second.stderr and "works in this home" in second.stderr
    assert engine.answers().pid == engine.process.pid
    assert engine.at.path.exists(), "the one that was refused left the socket alone"


def test_what_it_writes_is_for_its_user_alone(new_engine: NewEngine) -> None:
    home = new_engine(before="import os; os.umask(0)")
    home.sources()
    home.start()
    home.command("source", "add", "sealed", "--kind", "mysql", "--host", "h", "--user", "u", "--password", "-", given="pw\n")  # fmt: skip
    home.command("project", "create", "orders", "--from", "shop", "--to", "events", "--objects", "shop.*")
    home.call(op.PUT_DRAFT, PutDraft("d", "source", "t", "{}"))
    home.command("project", "start", "orders")
    home.command("project", "pause", "orders")
    found = modes(home.home)
    for wanted in ("run/engine.sock", "state/secret.key", "state/state.db", "state/logs/engine/engine.log"):
        assert wanted in found
    del found["output.log"]  # the test's own
    wrong = {
        path: mode
        for path, mode in found.items()
        if mode != ("0700" if (home.home / path).is_dir() else "0600")
    }
    assert not wrong


def test_killed_it_starts_again_over_its_stale_socket(engine: ResidentEngine) -> None:
    engine.kill()
    assert engine.at.path.is_socket()
    with EngineClient(engine.at) as client, pytest.raises(EngineAway, match="no engine answers"):
        client.call(op.HELLO, Nothing())
    assert "no engine runs" in engine.command("engine", "status", code=18).stderr
    assert engine.start().pid != 0


def test_a_removed_or_replaced_socket_is_bound_again(engine: ResidentEngine) -> None:
    assert engine.process is not None
    held = engine.client()
    assert held.call(op.HELLO, Nothing()).pid == engine.process.pid
    engine.at.path.unlink()
    engine.look()
    assert engine.answers(engine.process.pid)
    assert held.call(op.HELLO, Nothing()).pid == engine.process.pid, "a connection that was open goes on"
    # Something else at the path: it stays, and the engine too, until the path is free.
    engine.at.path.unlink()
    engine.at.path.write_text("not a socket")
    engine.look()
    until(lambda: "this is no socket" in engine.said, "the engine says so")
    assert engine.at.path.read_text() == "not a socket"
    engine.at.path.unlink()
    engine.look()
    assert engine.answers(engine.process.pid)
    # The whole directory, as a cleaner of /tmp takes it; and a link in its place.
    shutil.rmtree(engine.at.path.parent)
    elsewhere = engine.home / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    engine.at.path.parent.symlink_to(elsewhere)
    engine.look()
    until(lambda: "not a directory of this user" in engine.said, "the engine says so")
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755 and not list(elsewhere.iterdir())
    engine.at.path.parent.unlink()
    engine.look()
    assert engine.answers(engine.process.pid)
    assert modes(engine.home)["run"] == "0700" and modes(engine.home)["run/engine.sock"] == "0600"
    engine.stop()
    assert not engine.at.path.exists()


def test_a_path_that_is_too_long_for_a_socket(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 25)
    engine = ResidentEngine(home)
    try:
        assert len(os.fsencode(engine.paths.run / "engine.sock")) > MAX_PATH_BYTES
        assert engine.at.path.parent == Path(f"/tmp/obsync-{os.getuid()}")
        engine.start()
        assert engine.call(op.ENGINE, Nothing()).socket == str(engine.at.path)
        assert stat.S_IMODE(engine.at.path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(engine.at.path.stat().st_mode) == 0o600
        assert "running since" in engine.command("engine", "status").stdout
        engine.stop()
        assert not engine.at.path.exists()
    finally:
        engine.close()


def test_a_directory_that_is_not_ours_is_refused(new_engine: NewEngine, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(target)
    new_engine({"OBSYNC_SOCKET": str(tmp_path / "link" / "a.sock")}).fails(18, "not a directory of this user")
    assert stat.S_IMODE(target.stat().st_mode) == 0o755, "nothing is changed through a link"
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "other").touch()
    new_engine({"OBSYNC_SOCKET": str(shared / "a.sock")}).fails(18, "others may list or change", "0755")
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755, "a directory that others use keeps its rights"
    if os.getuid() == 0:
        stolen = tmp_path / "stolen"
        stolen.mkdir(mode=0o700)
        os.chown(stolen, 65534, 65534)
        new_engine({"OBSYNC_SOCKET": str(stolen / "a.sock")}).fails(18, "not a directory of this user")


def test_it_lives_on_without_its_terminal(new_engine: NewEngine) -> None:
    home = new_engine()
    pid, master = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "obsync_tui", "engine", "start"]
        os.execve(sys.executable, command, home.environment)
    said = b""
    while b"running:" not in said:
        said += os.read(master, 1000)
    os.close(master)
    os.waitpid(pid, 0)
    hello = home.answers()
    assert f"process {hello.pid}".encode() in said
    os.kill(hello.pid, signal.SIGHUP)
    assert home.answers().pid == hello.pid
    with open(f"/proc/{hello.pid}/stat") as file:
        assert file.read().rpartition(")")[2].split()[4] == "0", "no controlling terminal"


def test_closed_standard_streams(new_engine: NewEngine) -> None:
    home = new_engine()
    home.process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {sys.executable} -m obsync_tui engine run <&- >&- 2>&-"],
        env=home.environment,
        cwd="/",
        start_new_session=True,
    )
    hello = home.answers(home.process.pid)
    for number in range(3):
        assert os.readlink(f"/proc/{hello.pid}/fd/{number}") == "/dev/null", "no file of ours has that number"
    home.stop()


def test_a_home_has_one_writer(new_engine: NewEngine) -> None:
    home = new_engine()
    home.sources()
    home.project("orders")
    run = subprocess.Popen(
        [sys.executable, "-m", "obsync_tui", "project", "run", "orders"],
        env=home.environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        lock = home.paths.state / "locks"
        until(lambda: list(lock.glob("np_*.lock")), "the run holds its project")
        home.fails(14, f"process {run.pid} (obsync project run orders)", "works in this home")
        run.send_signal(signal.SIGTERM)
        assert run.wait(PATIENCE_S) == 0
    finally:
        run.kill()
        run.communicate()
    home.start()
    attached = subprocess.Popen(
        [sys.executable, "-m", "obsync_tui", "project", "run", "orders"],
        env=home.environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert attached.stdout is not None
        assert "the engine runs orders" in attached.stdout.readline()
        attached.send_signal(signal.SIGINT)
        said, _ = attached.communicate(timeout=PATIENCE_S)
        assert attached.returncode == 0 and "detached: the engine goes on with orders" in said
    finally:
        attached.kill()
        attached.communicate()
    assert [one.running for one in home.call(op.PROJECTS, ListProjects())] == [True]  # fmt: skip


def test_where_it_listens_by_the_environment(tmp_path: Path) -> None:
    paths = Paths.of({"OBSYNC_HOME": str(tmp_path)})
    assert endpoint(paths, {}) == Endpoint(tmp_path / "run" / "engine.sock", os.getuid())
    named = {"OBSYNC_SOCKET": "/run/x/a.sock", "OBSYNC_ENGINE_UID": "7"}
    assert endpoint(paths, named) == Endpoint(Path("/run/x/a.sock"), 7)
    for wrong in ({"OBSYNC_SOCKET": "a.sock"}, {"OBSYNC_SOCKET": f"/{'a' * MAX_PATH_BYTES}"}):
        with pytest.raises(ConfigError, match="OBSYNC_SOCKET is not a full path"):
            endpoint(paths, wrong)
    with pytest.raises(ConfigError, match="OBSYNC_ENGINE_UID is no number"):
        endpoint(paths, {"OBSYNC_ENGINE_UID": "me"})

"""Facts as they are read: made-up trees for what this machine does not have, real files for the rest."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from obsync_tui.api.endpoint import Endpoint
from obsync_tui.config.mounts import read_mounts
from obsync_tui.config.paths import Paths, private_directory
from obsync_tui.engine.doctor import files, machine, reading, session
from obsync_tui.engine.doctor.deadline import within
from obsync_tui.engine.doctor.keeping import check_state
from obsync_tui.engine.state.database import MIGRATIONS, StateFile
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.finding import Level

ID = "np_aaaaaaaaaaaa"
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:5 / /home rw shared:2 master:1 - nfs4 filer:/home rw,vers=4.2
31 22 0:6 / /mnt/with\\040blank ro - tmpfs tmpfs rw
32 22 0:7 / /home/local rw - xfs /dev/sdb ro
33 22 0:8 / /mnt/over rw - ext4 /dev/sdc rw
34 33 0:9 / /mnt/over rw - overlay overlay rw
40 22 0:20 / /sys/fs/cgroup rw - tmpfs tmpfs rw
41 40 0:21 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw
42 40 0:22 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
43 40 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
broken line
"""
CGROUP = "0::/user.slice/user-7.slice/session-3.scope\n3:memory:/docker/abc/deep\n2:pids:/a\n1:name=systemd:/user.slice/x.scope\n"


def tree(root: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.of({"OBSYNC_HOME": str(tmp_path / "home")})
    for path in (paths.sources, paths.projects, paths.state / "locks", paths.run):
        private_directory(path)
    return paths


def test_control_groups_of_both_kinds(tmp_path: Path) -> None:
    unified, slices = "sys/fs/cgroup/unified", "user.slice/user-7.slice"
    root = tree(
        tmp_path,
        {
            "proc/self/mountinfo": MOUNTS,
            "proc/self/cgroup": CGROUP,
            "proc/meminfo": "MemTotal: 9 kB\nMemAvailable:   2048 kB\n",
            f"{unified}/{slices}/session-3.scope/memory.max": "max\n",
            f"{unified}/{slices}/memory.max": "700\n",
            f"{unified}/user.slice/memory.max": "900\n",
            "sys/fs/cgroup/memory/deep/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "800\n",
            f"{unified}/{slices}/pids.max": "1000\n",
            f"{unified}/{slices}/pids.current": "10\n",
            "sys/fs/cgroup/pids/a/pids.max": "100\n",
            "sys/fs/cgroup/pids/a/pids.current": "90\n",
        },
    )
    memory, limits = machine.read_memory(root), machine.read_limits(root)
    assert (memory.limit_bytes, memory.available_bytes) == (700, 2048 * 1024)
    assert (limits.group_tasks_limit, limits.group_tasks) == (100, 90)
    assert machine.control_group(root=root) == "/user.slice/user-7.slice/session-3.scope"
    (root / unified / slices / "memory.max").write_text("max")
    assert machine.read_memory(root).limit_bytes == 800


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    memory, limits = machine.read_memory(tmp_path), machine.read_limits(tmp_path)
    assert (memory.limit_bytes, memory.available_bytes, limits.group_tasks_limit) == (None, None, None)
    assert machine.control_group(root=tmp_path) == ""
    assert machine.read_holders(tmp_path) is None
    assert session.read_login({}, tmp_path).systemd is False


DEFAULT = "[Login]\n#KillUserProcesses=no\n#KillExcludeUsers=root\n"


@pytest.mark.parametrize(
    ("files", "answer", "kills"),
    [
        ({"etc/systemd/logind.conf": DEFAULT}, "", False),
        ({"usr/lib/systemd/logind.conf": DEFAULT.replace("no", "yes")}, "", True),
        ({"etc/systemd/logind.conf": DEFAULT + "KillUserProcesses=yes\n"}, "", True),
        ({"etc/systemd/logind.conf": DEFAULT, "etc/systemd/logind.conf.d/9.conf": "KillUserProcesses=yes"}, "", True),
        ({"etc/systemd/logind.conf.d/9.conf": "KillUserProcesses=no", "usr/lib/systemd/logind.conf.d/9.conf": "KillUserProcesses=yes"}, "", False),
        ({"etc/systemd/logind.conf.d/1.conf": "KillUserProcesses=no", "usr/lib/systemd/logind.conf.d/2.conf": "KillUserProcesses = yes"}, "", True),
        ({"etc/systemd/logind.conf": DEFAULT}, "b true\n", True),
        ({"etc/systemd/logind.conf": "KillExcludeUsers=x dba y"}, "b true\n", False),
        ({"etc/systemd/logind.conf": "KillOnlyUsers=x"}, "b true\n", False),
        ({"etc/systemd/logind.conf": "KillOnlyUsers=x dba"}, "b true\n", True),
        ({}, "", None),
    ],
)  # fmt: skip
def test_what_logind_kills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], answer: str, kills: bool | None
) -> None:
    root = tree(tmp_path, {"run/systemd/system/x": "", "proc/self/cgroup": CGROUP, **files})
    monkeypatch.setattr(
        session.pwd, "getpwuid", lambda _: session.pwd.struct_passwd(("dba", "", 7, 7, "", "/", ""))
    )
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "x")}
    asked: list[str] = []

    def command(words: object) -> str:
        asked.append(str(words))
        return answer

    login = session.read_login(environment, root, command)
    assert (login.kills, login.linger, login.user_unit, login.scope) == (
        kills,
        False,
        False,
        "session-3.scope",
    )
    assert "KillUserProcesses" in asked[0]
    tree(tmp_path, {"var/lib/systemd/linger/dba": "", "x/systemd/user/obsync.service": ""})
    login = session.read_login(environment, root, command)
    assert (login.linger, login.user_unit, login.user) == (True, True, "dba")


@pytest.mark.parametrize(
    ("variables", "variable", "there", "charset"),
    [
        ({"LANG": "C.UTF-8"}, "LANG", True, "UTF-8"),
        ({"LANG": "xx_XX.UTF-8", "LC_ALL": "C.UTF-8"}, "LANG", False, "UTF-8"),
        ({"LC_ALL": "C"}, "LC_ALL", True, "ANSI_X3.4-1968"),
    ],
)
def test_locale(variables: dict[str, str], variable: str, there: bool, charset: str) -> None:
    code = (
        "import os; from obsync_tui.engine.doctor.session import read_locale\n"
        "one = read_locale(os.environ); print(one.variable, one.there, one.charset)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [variable, str(there), charset]


@pytest.mark.parametrize(
    ("zone", "known"),
    [("", True), ("UTC0", True), ("CET-1CEST,M3.5.0,M10.5.0/3", True), ("<+03>-3", True), ("Mars/Olympus", False), ("../etc/passwd", False), (":/nowhere", False)],
)  # fmt: skip
def test_time_zones(zone: str, known: bool) -> None:
    assert reading.is_zone(zone) is known


def test_entries_say_whose_they_are(paths: Paths, tmp_path: Path) -> None:
    paths.key_file.write_text("k")
    paths.key_file.chmod(0o640)
    (paths.state / "state.db.version-1").write_text("")
    (paths.projects / "a.toml").symlink_to(tmp_path / "nowhere")
    (paths.sources / "b.toml").symlink_to(paths.key_file)
    found = {Path(one.path).name: one for one in files.read_entries(paths, paths.run / "engine.sock")}
    assert (found["secret.key"].role, found["secret.key"].mode, found["secret.key"].uid) == (
        "key",
        0o640,
        os.getuid(),
    )
    assert (found["a.toml"].kind, found["b.toml"].kind, found["b.toml"].mode) == (
        "dangling link",
        "link",
        0o640,
    )
    assert (found["run"].role, found["projects"].role, found["home"].role) == (
        "socket directory",
        "directory",
        "directory above",
    )
    assert found["state.db.version-1"].role == "state"
    assert "engine.sock" not in found and "environment" not in found


def test_a_place_that_is_not_there_yet(tmp_path: Path) -> None:
    place = files.read_place("state", tmp_path / "a" / "b", read_mounts())
    assert (place.exists, place.writable, place.error) == (False, True, "")
    assert place.free_bytes > 0 and place.filesystem and place.mount_point
    (tmp_path / "file").write_text("")
    assert files.read_place("state", tmp_path / "file" / "b", ()).writable is False


def test_usage_counts_and_finds_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, {"a": "12345", "b/c": "123"})
    os.utime(tmp_path / "b/c", (0, 4_000_000_000))
    usage, newest_s, newest = files.read_usage(tmp_path)
    assert (usage.size_bytes, usage.files, usage.whole) == (8, 2, True)
    assert (newest_s, newest) == (4_000_000_000, str(tmp_path / "b/c"))
    monkeypatch.setattr(files, "MOST_FILES", 1)
    assert files.read_usage(tmp_path)[0].whole is False
    assert files.read_usage(tmp_path / "nowhere")[1:] == (None, "")


def test_state_that_is_whole_and_left_as_it_was(paths: Paths) -> None:
    assert files.read_state(paths.state_file).version is None
    assert not paths.state_file.exists()
    with StateFile(paths.state_file) as state:
        state.save(ID, [Record("position", b"x")])
        during = files.read_state(paths.state_file)
        state.save(ID, [Record("position", b"y")])
    after = files.read_state(paths.state_file)
    for found in (during, after):
        assert (found.version, found.known_version, found.faults, found.whole) == (len(MIGRATIONS), len(MIGRATIONS), (), True)  # fmt: skip
        assert check_state(found).level is Level.OK
    assert (during.log_bytes > 0, after.log_bytes) == (True, 0)
    assert sorted(path.name for path in paths.state.iterdir()) == ["locks", "state.db"]


def test_state_that_is_damaged_newer_locked_or_of_others(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = paths.state_file
    with StateFile(path) as state:
        state.save(ID, [Record(f"key {number}", b"x" * 200) for number in range(2000)])
    whole = path.read_bytes()
    pages = len(whole) // 4096
    path.write_bytes(whole[: (pages // 2) * 4096] + b"\xff" * 4096 + whole[(pages // 2 + 1) * 4096 :])
    damaged = files.read_state(path)
    assert damaged.faults or "malformed" in damaged.error
    assert check_state(damaged).level is Level.FAILURE
    path.write_bytes(b"not a database at all" * 500)
    assert "not a database" in files.read_state(path).error
    path.write_bytes(whole)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    assert "newer obsync" in check_state(files.read_state(path)).what
    monkeypatch.setattr(files, "_BUSY_S", 0.01)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.executescript("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
    assert "locked" in files.read_state(path).error
    holder.close()
    monkeypatch.setattr(files.os, "geteuid", lambda: os.getuid() + 1)
    assert "not looked into" in files.read_state(path).error


def test_a_long_check_is_ended(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    with StateFile(paths.state_file) as state:
        state.save(ID, [Record(f"k{number}", b"x" * 100) for number in range(5000)])
    monkeypatch.setattr(files, "CHECK_S", -1.0)
    monkeypatch.setattr(files, "_STEPS", 10)
    assert (files.read_state(paths.state_file).whole, files.read_state(paths.state_file).faults) == (
        False,
        (),
    )


def test_locks_are_looked_at_and_not_taken(paths: Paths) -> None:
    home = paths.state / "locks" / "home.lock"
    assert files.read_home_lock(paths.state) is None
    (paths.state / "locks" / "np_bbbbbbbbbbbb.lock").write_text("999999")
    with ProjectLock(paths.state, ID), open(home, "w+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write(str(os.getpid()))
        held.flush()
        mine, orphan = files.read_locks(paths.state)
        engine = files.read_home_lock(paths.state)
    assert (mine.project_id, mine.pid, mine.held, bool(mine.process)) == (ID, os.getpid(), True, True)
    assert (orphan.pid, orphan.held, orphan.process) == (999999, False, "")
    assert engine is not None and (engine.held, engine.pid) == (True, os.getpid())
    assert [one.held for one in files.read_locks(paths.state)] == [False, False]


def test_a_process_that_a_signal_stopped() -> None:
    sleeping = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        sleeping.send_signal(signal.SIGSTOP)
        end_s = time.monotonic() + 30
        while machine.process_state(sleeping.pid) != "T" and time.monotonic() < end_s:
            time.sleep(0.01)
        assert machine.process_state(sleeping.pid) == "T"
    finally:
        sleeping.kill()
        sleeping.wait()
    assert machine.process_state(sleeping.pid) == ""


def test_work_that_does_not_come_back_is_left_behind() -> None:
    started_s = time.monotonic()
    assert within(0.3, [lambda: 1, lambda: time.sleep(60) or 2, lambda: 3]) == [1, None, 3]
    assert within(30, []) == []
    assert time.monotonic() - started_s < 20
    assert within(30, [lambda n=n: n for n in range(100)], at_once=3) == list(range(100))
    with pytest.raises(ZeroDivisionError):
        within(30, [lambda: 1 // 0])


def test_a_file_system_that_hangs_is_a_finding(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LIMIT_S", 0.3)
    monkeypatch.setattr(files.os, "statvfs", lambda _: time.sleep(60))
    monkeypatch.setattr(files, "read_usage", lambda _: time.sleep(60))
    monkeypatch.setattr(session, "read_login", lambda _: time.sleep(60))
    facts = reading.read_facts(paths, paths.run / "engine.sock", dict(os.environ))
    assert ["does not answer" in one.error for one in facts.places] == [True, True, True]
    assert [one.error.startswith(str(paths.config)) for one in facts.sources] == [True]
    assert facts.state.version is None
    assert (facts.login.kills, facts.login.linger) == (None, None)


def test_this_machine(paths: Paths) -> None:
    with StateFile(paths.state_file):
        pass
    facts = reading.read_facts(paths, paths.run / "engine.sock", dict(os.environ))
    assert facts.uid == os.geteuid()
    assert facts.interpreter.version == sys.version_info[:3] and facts.interpreter.backend
    assert [one.role for one in facts.places] == ["config", "state", "run"]
    assert all(one.exists and one.writable and one.filesystem for one in facts.places)
    assert facts.limits.open_files and facts.memory.available_bytes
    assert abs(facts.clock.wall_s - time.time()) < 60 and abs(facts.clock.step_s) < 1
    # SQLite's own files may be there just then.
    assert facts.clock.newest_file.startswith(str(paths.state_file))
    assert 1 <= facts.usage[0].files <= 3


AS_ANOTHER = """
import os, sys
from pathlib import Path
import obsync_tui.engine.doctor.endpoints
from obsync_tui.api.endpoint import Endpoint
from obsync_tui.config.paths import Paths
from obsync_tui.engine.doctor.examination import examine_machine
from obsync_tui.engine.doctor.reading import read_engine, read_facts
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
paths = Paths.of({"OBSYNC_HOME": sys.argv[1]})
socket = paths.run / "engine.sock"
facts = read_facts(paths, socket, os.environ)
for one in examine_machine(facts, read_engine(Endpoint(socket, os.getuid()))):
    if one.level == "failure":
        print(f"{one.subject}: {one.check}: {one.what}: {one.cure}")
"""


def test_a_home_that_this_user_cannot_enter(paths: Paths) -> None:
    home = paths.config.parent
    with StateFile(paths.state_file):
        home.chmod(0o700 if os.getuid() == 0 else 0)
        command = [sys.executable, "-c", AS_ANOTHER, str(home)]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": os.getcwd()}, capture_output=True, text=True, check=False)  # fmt: skip
        home.chmod(0o700)
    assert done.returncode == 0, done.stderr
    failed = {check: said for _, check, said in (line.split(": ", 2) for line in done.stdout.splitlines())}
    for check in (
        "engine",
        "config file system",
        "state file system",
        "run file system",
        "state.db",
        "data source",
    ):
        assert "Permission denied" in failed[check], done.stdout
    assert all(":" in said and not said.endswith(": ") for said in failed.values())


def test_nobody_answers_and_somebody_wrong(paths: Paths) -> None:
    at = Endpoint(paths.run / "engine.sock", os.getuid())
    assert (reading.read_engine(at).version, reading.read_engine(at).problem) == ("", "")
    at.path.symlink_to("/nowhere")
    assert reading.read_engine(at).version == ""

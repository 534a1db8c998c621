"""The units: as systemd's own checker reads them where it is there, and line by line everywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from obsync_tui.config.paths import Paths
from obsync_tui.engine.errors import ConfigError
from obsync_tui.engine.unit import quoted, system_unit, unit_text, user_unit

HOME = {"OBSYNC_HOME": "/srv/obsync"}
PYTHON = "/opt/obsync/bin/python"


def settings(text: str) -> dict[str, list[str]]:
    """The settings of a unit by section and name; fails at a line that is none."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals and key.isalnum() and key[0].isupper(), line
            found[f"{section}.{key}"].append(value)
    return found


def made(environment: dict[str, str], *, user: str = "", own: bool = False, executable: str = PYTHON) -> str:
    paths = Paths.of(environment)
    if user:
        return unit_text(system_unit(executable, paths, environment, user=user, own=own))
    return unit_text(user_unit(executable, paths, environment))


def test_what_both_units_say() -> None:
    for text in (made(HOME), made(HOME, user="dba", own=True), made({}, user="obsync")):
        found = settings(text)
        assert found["Service.Type"] == ["notify"]
        assert found["Service.ExecStart"] == [f"{PYTHON} -P -m obsync_tui engine run"]
        assert (found["Service.Restart"], found["Service.KillMode"]) == (["on-failure"], ["mixed"])
        assert found["Service.UMask"] == ["0077"]
        assert int(found["Service.TimeoutStopSec"][0]) >= 30
        assert found["Service.RestartPreventExitStatus"] == ["2 3 14"]
        assert "@" not in text.replace("SystemCallFilter=@system-service", "")


def test_a_unit_of_the_users_own() -> None:
    found = settings(made({**HOME, "OBSYNC_ROWPLAN": "python", "XDG_DATA_HOME": "/d", "OTHER": "x"}))
    assert found["Service.Environment"] == [
        "OBSYNC_HOME=/srv/obsync",
        "XDG_DATA_HOME=/d",
        "OBSYNC_ROWPLAN=python",
    ]
    assert found["Service.EnvironmentFile"] == ["-/srv/obsync/config/environment"]
    assert found["Install.WantedBy"] == ["default.target"]
    assert "Service.User" not in found
    assert "Service.Environment" not in settings(made({}))


def test_a_system_unit_in_places_that_systemd_makes() -> None:
    found = settings(made({"XDG_DATA_HOME": "/d", "OBSYNC_ROWPLAN": "native"}, user="obsync"))
    assert found["Service.User"] == ["obsync"]
    assert found["Service.Environment"] == ["OBSYNC_HOME=/var/lib/obsync", "OBSYNC_SOCKET=/run/obsync/engine.sock", "OBSYNC_ROWPLAN=native"]  # fmt: skip
    assert (found["Service.StateDirectory"], found["Service.StateDirectoryMode"]) == (["obsync"], ["0700"])
    assert found["Service.EnvironmentFile"] == ["-/var/lib/obsync/config/environment"]
    assert (found["Service.ProtectSystem"], found["Service.PrivateTmp"]) == (["strict"], ["yes"])
    assert found["Install.WantedBy"] == ["multi-user.target"]


def test_a_system_unit_in_a_users_places_may_write_there() -> None:
    own = {"XDG_CONFIG_HOME": "/home/dba/c f", "XDG_DATA_HOME": "/home/dba/d", "OBSYNC_SOCKET": "/run/x/s"}
    found = settings(made(own, user="dba", own=True))
    assert found["Service.ReadWritePaths"] == [
        '"/home/dba/c f/obsync" /home/dba/d/obsync /home/dba/d/obsync/run /run/x'
    ]
    assert (found["Service.PrivateTmp"], "Service.StateDirectory" in found) == (["yes"], False)
    shared = settings(made({"OBSYNC_HOME": "/" + "long/" * 30}, user="dba"))
    assert shared["Service.PrivateTmp"] == ["no"]
    assert shared["Service.ReadWritePaths"][0].endswith(" /tmp")


def test_words_are_quoted() -> None:
    assert [quoted(one) for one in ("a", "a b", "50%", 'a"b\\', "")] == [
        "a",
        '"a b"',
        "50%%",
        '"a\\"b\\\\"',
        '""',
    ]
    odd = {"OBSYNC_HOME": '/srv/a "b" %n $X'}
    text = made(odd, executable="/opt/a b/$x/python")
    assert 'ExecStart="/opt/a b/$$x/python" -P -m obsync_tui engine run\n' in text
    assert 'Environment="OBSYNC_HOME=/srv/a \\"b\\" %%n $X"\n' in text
    assert 'EnvironmentFile=-/srv/a "b" %%n $X/config/environment\n' in text
    with pytest.raises(ConfigError, match="printable"):
        made({"OBSYNC_HOME": "/srv/a\nExecStartPre=/bin/evil"})


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize("scope", ["user", "system", "own"])
def test_systemds_own_checker_has_no_complaint(tmp_path: Path, scope: str) -> None:
    environment = {"OBSYNC_HOME": str(tmp_path / 'ho "me" %n')} if scope != "system" else {}
    user = {"user": "", "system": "daemon", "own": "root"}[scope]
    file = tmp_path / "obsync.service"
    file.write_text(made(environment, user=user, own=scope == "own", executable=sys.executable))
    manager = "--user" if scope == "user" else "--system"
    command = ["systemd-analyze", manager, "verify", str(file)]
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    file.write_text(file.read_text().replace("KillMode=mixed", "KillMode=mixt"))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "mixt" in done.stderr

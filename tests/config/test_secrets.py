"""Where secrets come from, with real files, programs and keys."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

import pytest

from obsync_tui.config import secrets
from obsync_tui.config.secrets import SecretResolver, parse_reference
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.secret import Secret, SecretReference

VALUE = "hunter2 — ünï'\"$;\\"


@pytest.fixture
def resolver(tmp_path: Path) -> SecretResolver:
    return SecretResolver(
        tmp_path / "state" / "secret.key", {"SHOP": VALUE, "EMPTY": "", "PATH": os.environ["PATH"]}
    )


def refused(resolver: SecretResolver, reference: str) -> str:
    with pytest.raises(ConfigError) as caught:
        resolver.resolve(SecretReference(reference))
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def private(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "text", ["hunter2", "env:", "ENV:X", "plain:hunter2", ":x", " env:X", "sealed", "file:/a\x00b"]
)
def test_what_is_no_reference_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_reference(text)
    assert "hunter2" not in str(caught.value)


def test_nothing_shows_a_secret() -> None:
    secret = Secret("hunter2")
    assert f"{secret} {secret!r} {[secret]} {secret:}" == "*** *** [***] ***"
    assert not hasattr(secret, "__dict__")


def test_no_reference_is_no_secret(resolver: SecretResolver) -> None:
    assert not resolver.resolve(parse_reference(""))


def test_a_variable(resolver: SecretResolver) -> None:
    assert resolver.resolve(parse_reference("env:SHOP")).reveal() == VALUE
    for name in ("EMPTY", "NONE"):
        assert f"Export {name} before" in refused(resolver, f"env:{name}")


def test_a_file_that_only_its_owner_reads(resolver: SecretResolver, tmp_path: Path) -> None:
    path = private(tmp_path / "a secret", VALUE + "\r\n")
    assert resolver.resolve(parse_reference(f"file:{path}")).reveal() == VALUE
    for mode in (0o640, 0o604, 0o620):
        path.chmod(mode)
        assert f"(mode {mode:04o}). Run: chmod 600 '{path}'" in refused(resolver, f"file:{path}")


def test_files_that_hold_no_secret(resolver: SecretResolver, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert "not a regular file" in refused(resolver, f"file:{tmp_path / 'pipe'}")
    assert "No such file" in refused(resolver, f"file:{tmp_path / 'none'}")
    assert "not absolute" in refused(resolver, "file:here")
    assert "is empty" in refused(resolver, f"file:{private(tmp_path / 'empty', '')}")
    assert "not UTF-8" in refused(resolver, f"file:{private(tmp_path / 'bytes', b'hunter2' + bytes([255]))}")
    assert "larger than 65536" in refused(resolver, f"file:{private(tmp_path / 'large', 'x' * 65537)}")


def test_a_program(resolver: SecretResolver) -> None:
    assert resolver.resolve(parse_reference("cmd:printf '%s\\n' 'a b'")).reveal() == "a b"
    assert "exit code 3" in refused(resolver, "cmd:sh -c 'echo hunter; exit 3'")
    assert "cannot be started: No such file" in refused(resolver, "cmd:/nowhere/program")
    assert "cannot be started: No closing quotation" in refused(resolver, "cmd:echo 'a")
    assert "is empty" in refused(resolver, "cmd:true")
    assert "larger than" in refused(resolver, "cmd:head -c 70000 /dev/zero")


def test_a_program_sees_no_shell_and_no_terminal(resolver: SecretResolver) -> None:
    assert resolver.resolve(parse_reference("cmd:echo $SHOP;id")).reveal() == "$SHOP;id"
    program = "import os,sys\ntry: os.open('/dev/tty', os.O_RDWR)\nexcept OSError: print('none', repr(sys.stdin.read()))"
    assert resolver.resolve(SecretReference(f'cmd:{sys.executable} -c "{program}"')).reveal() == "none ''"


def test_a_program_that_hangs_is_ended_with_its_children(
    resolver: SecretResolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "PROGRAM_TIMEOUT_S", 0.5)
    pid_file = tmp_path / "pid"
    assert "did not end within 0.5 s" in refused(
        resolver, f"cmd:sh -c 'sleep 600 & echo $! > {pid_file}; wait'"
    )
    stat_file = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    while stat_file.exists() and stat_file.read_text().split()[2] != "Z":
        time.sleep(0.01)


def test_sealing_needs_the_same_private_key(resolver: SecretResolver, tmp_path: Path) -> None:
    sealed = resolver.seal(Secret(VALUE))
    assert sealed.startswith("sealed:")
    assert "hunter2" not in sealed
    assert resolver.resolve(sealed).reveal() == VALUE
    assert resolver.resolve(resolver.seal(Secret("second"))).reveal() == "second"
    assert stat.S_IMODE(resolver.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(resolver.key_file.parent.stat().st_mode) == 0o700
    assert os.listdir(resolver.key_file.parent) == ["secret.key"]

    other = SecretResolver(tmp_path / "other" / "secret.key", {})
    assert "key file that secrets were sealed with is missing" in refused(other, sealed)
    other.seal(Secret("x"))
    assert "damaged, or was sealed with another key" in refused(other, sealed)
    assert "damaged" in refused(resolver, sealed[:-5])
    resolver.key_file.chmod(0o644)
    assert "chmod 600" in refused(resolver, sealed)
    private(resolver.key_file, "no key")
    assert "is not a key" in refused(resolver, sealed)

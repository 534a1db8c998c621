"""What the service manager is told, by a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsync_tui.engine.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def heard(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_each_word(manager: socket.socket) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": str(manager.getsockname())})
    assert notifier.watchdog_s is None
    assert notifier.ready("3 projects\nrun")
    assert heard(manager) == ["READY=1", "STATUS=3 projects run"]
    assert notifier.ready() and heard(manager) == ["READY=1"]
    assert notifier.status("x") and heard(manager) == ["STATUS=x"]
    assert notifier.alive() and heard(manager) == ["WATCHDOG=1"]
    assert notifier.main_process(77) and heard(manager) == ["MAINPID=77"]
    assert notifier.stopping("at checkpoints") and heard(manager) == ["STOPPING=1", "STATUS=at checkpoints"]


def test_an_abstract_address() -> None:
    name = f"obsync-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(30)
        assert Notifier.of({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert heard(listening) == ["READY=1"]


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": "/nowhere/x"}])  # fmt: skip
def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    assert Notifier.of(environment).ready() is False


def test_a_manager_that_does_not_listen_holds_nothing_up(manager: socket.socket) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": str(manager.getsockname())})
    told = [notifier.alive() for _ in range(5000)]
    assert told[0] and not told[-1]
    manager.close()
    assert notifier.alive() is False


@pytest.mark.parametrize(
    ("waits_us", "pid", "every_s"),
    [("60000000", "", 30.0), ("60000000", "own", 30.0), ("60000000", "1", None), ("0", "", None), ("soon", "", None)],
)  # fmt: skip
def test_how_often_the_manager_wants_to_hear(waits_us: str, pid: str, every_s: float | None) -> None:
    pid = str(os.getpid()) if pid == "own" else pid
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": waits_us, "WATCHDOG_PID": pid}
    assert Notifier.of(environment).watchdog_s == every_s
    assert Notifier.of({**environment, "NOTIFY_SOCKET": ""}).watchdog_s is None

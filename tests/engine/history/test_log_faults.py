"""Component logs on disks that are full or do not answer, and after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from obsync_tui.engine.history import logs as module
from obsync_tui.engine.history.logfile import LogFile
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Level
from tests.engine.history.saying import STORE, WAIT_S, A, B, everything, say, small, texts


def test_a_disk_that_does_not_answer_holds_nobody_up(
    logs: ComponentLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_LINES", 100)
    entered, answer = threading.Event(), threading.Event()
    append = LogFile.append

    def hanging(self: LogFile, content: bytes) -> None:
        entered.set()
        assert answer.wait(WAIT_S)
        append(self, content)

    monkeypatch.setattr(LogFile, "append", hanging)
    logs.write(A, STORE, Level.INFO, "first")
    assert entered.wait(WAIT_S)
    began_s = time.monotonic()
    for number in range(1000):
        logs.write(A, STORE, Level.INFO, str(number))
    assert time.monotonic() - began_s < 5
    assert (logs.dropped_lines, logs.flush(0.01)) == (900, False)
    answer.set()
    assert logs.flush(WAIT_S)
    say(logs, "afterwards")
    found = everything(logs, 1000)
    told = [text for text in found if "missing" in text]
    assert told == ["900 lines are missing here: lines came faster than the disk takes them"]
    assert [text for text in found if text not in told] == ["first", *map(str, range(100)), "afterwards"]


def test_waiting_lines_are_bounded_by_bytes(logs: ComponentLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 3000)
    with logs._writing:
        for _ in range(10):
            logs.write(A, STORE, Level.INFO, "x" * 900)
        assert logs.dropped_lines == 7


LIMITED = """
import resource, sys
from pathlib import Path
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Component, Level
logs = ComponentLogs(Path(sys.argv[1]))
def say(text):
    logs.write("np_aaaaaaaaaaaa", Component.STORE, Level.INFO, text)
    assert logs.flush(60)
say("before")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for number in range(100):
    say(f"{number} " + "x" * 60)
dropped = logs.dropped_lines
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
say("after")
say("again")
print(dropped, logs.dropped_lines)
"""


def test_what_a_full_disk_cost_is_told_once(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, check=True
    )
    logs = ComponentLogs(tmp_path)
    found = everything(logs, 1000)
    written = [text for text in found if "xxx" in text]
    dropped = 100 - len(written)
    assert 80 < dropped < 100
    assert written == [f"{number} {'x' * 60}" for number in range(len(written))], "no line is half or doubled"
    assert found == [
        "before",
        *written,
        f"{dropped} lines are missing here: File too large",
        "after",
        "again",
    ]
    assert ended.stdout.split() == [str(dropped), str(dropped)]
    logs.close()


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where this user may mount one."""
    at = tmp_path / "tiny"
    at.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", at], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield at
    subprocess.run(["umount", "-l", at], check=True)


def test_a_full_file_system(tiny: Path) -> None:
    logs = ComponentLogs(tiny / "logs")
    say(logs, "before")
    ballast = tiny / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    for number in range(200):
        say(logs, f"{number} " + "x" * 60)
    assert 100 < logs.dropped_lines < 200
    ballast.unlink()
    dropped = logs.dropped_lines
    say(logs, "after")
    found = everything(logs, 1000)
    assert found[-2:] == [f"{dropped} lines are missing here: No space left on device", "after"]
    assert found[:-2] == ["before", *(f"{number} {'x' * 60}" for number in range(200 - dropped))]
    logs.close()


def test_a_disk_that_comes_back_is_told_without_another_line(
    logs: ComponentLogs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.05)
    (tmp_path / "logs").write_text("in the way")
    say(logs, "a", "b")
    (tmp_path / "logs").unlink()
    deadline_s = time.monotonic() + WAIT_S
    while not (found := everything(logs)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert len(found) == 1 and found[0].startswith("2 lines are missing here: ")


KILLED = """
import sys
from pathlib import Path
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Component, Level
logs = ComponentLogs(Path(sys.argv[1]), 20_000)
number = 0
while True:
    for _ in range(50):
        logs.write("np_aaaaaaaaaaaa", Component.STORE, Level.INFO, f"{number}")
        number += 1
    assert logs.flush(60)
    print(number, flush=True)
"""


def test_a_kill_leaves_whole_lines_and_the_next_process_goes_on(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(40):
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        told = int(([str(told), *process.stdout.read().split("\n")[:-1]])[-1])
    logs = small(tmp_path.parent, 20_000)
    logs._directory = tmp_path
    say(logs, "next")
    *numbers, last = everything(logs, 1000)
    assert last == "next"
    values = [int(text) for text in numbers]
    assert values == list(range(values[0], values[-1] + 1))
    assert values[-1] >= told - 1
    logs.close()


def test_a_deleted_project_has_no_logs(logs: ComponentLogs, tmp_path: Path) -> None:
    say(logs, "a")
    logs.write(B, STORE, Level.INFO, "kept")
    logs.write(A, STORE, Level.INFO, "waiting")
    logs.delete(A)
    assert logs.flush(WAIT_S)
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [B]
    logs.delete(A)
    assert texts(logs.newest(A, STORE, limit=1)) == []
    assert texts(logs.newest(B, STORE, limit=1)) == ["kept"]


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    logs = small(tmp_path)
    logs.write(A, STORE, Level.INFO, "last words")
    logs.close()
    assert everything(logs) == ["last words"]
    assert not logs._thread.is_alive()

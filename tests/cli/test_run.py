"""A project in the foreground: signals, status, terminal; the engine's side is a run that does as it is told."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from obsync_tui.cli.status_text import status_line
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.event import Event
from obsync_tui.model.metrics import FullStatus, Phase, Status
from obsync_tui.presenters.quantities import count_text, duration_text, lag_text, size_text

ID = "np_aaaaaaaaaaaa"

# argv: state file, what the run does ("wait" for stop, "hang", "complete", or the code of what it raises).
PROGRAM = """
import os, sys, threading, time
from pathlib import Path
from obsync_tui import cli
from obsync_tui.cli import run as room
from obsync_tui.engine import errors
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.metrics import FullStatus, Phase, Status

class Told:
    def __init__(self):
        self.stopping, self.started_s, self.seconds, self.phase = threading.Event(), time.time(), 0, Phase.STARTING
    def run(self):
        doing = sys.argv[2]
        if doing == "wait":
            self.phase = Phase.INCREMENTAL
            self.stopping.wait()
        elif doing == "hang":
            time.sleep(600)
        elif doing == "complete":
            self.phase = Phase.COMPLETED
        else:
            exec(doing)
    def stop(self):
        self.stopping.set()
    def status(self):
        return Status("np_aaaaaaaaaaaa", "orders", self.phase, time.time(), os.getpid(), self.started_s, rows=7,
                      source_lag_s=0.1, warnings=("disk \\x1b[2J",), bottleneck="sink")

room.TICK_S = 0.05
def command(session, arguments):
    with StateFile(Path(sys.argv[1])) as state:
        return room.run_in_foreground(Told(), state)
class Parser:
    def parse_args(self, argv):
        self.command = command
        return self
cli.parser = Parser
sys.exit(cli.main([]))
"""
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(doing: str, prefix: tuple[str, ...] = (), **options: object) -> subprocess.Popen[str]:
        command = [*prefix, sys.executable, "-c", PROGRAM, str(path), doing]
        where = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        running.append(subprocess.Popen(command, text=True, **where))  # type: ignore[call-overload]
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def wait_for_phase(path: Path, phase: Phase) -> Status:
    while True:
        if path.exists():
            with StateFile(path) as state:
                status = state.status(ID)
            if status is not None and status.phase is phase:
                return status
        time.sleep(0.02)


def events(path: Path) -> list[Event]:
    with StateFile(path) as state:
        return state.events(ID)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_at_a_checkpoint(start: Start, path: Path, number: int) -> None:
    process = start("wait")
    assert wait_for_phase(path, Phase.INCREMENTAL).pid == process.pid
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 0, err
    lines = out.splitlines()
    assert "orders incremental  lag 0.1s/?" in lines[-2]
    assert "orders stopped" in lines[-1]
    assert err.splitlines() == [r"obsync: warning: disk \x1b[2J", "obsync: stopping at a checkpoint"]
    assert wait_for_phase(path, Phase.STOPPED).rows == 7
    assert [(event.kind, event.text) for event in events(path)] == [
        ("started", f"process {process.pid}"),
        ("stopped", ""),
    ]


def test_a_second_interrupt_ends_at_once(start: Start, path: Path) -> None:
    process = start("hang")
    wait_for_phase(path, Phase.STARTING)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "stopping" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == "obsync: interrupted again: ended at once, the project goes on from its last checkpoint\n"  # fmt: skip
    assert process.returncode == 130


def test_a_hang_up_is_ignored_under_nohup(start: Start, path: Path) -> None:
    process = start("wait", prefix=("nohup",), stdin=subprocess.DEVNULL)
    wait_for_phase(path, Phase.INCREMENTAL)
    process.send_signal(signal.SIGHUP)
    before = wait_for_phase(path, Phase.INCREMENTAL).at_s
    while wait_for_phase(path, Phase.INCREMENTAL).at_s <= before:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("raised", "code", "phase", "said"),
    [
        ("raise errors.LogGap('purged \\x1b[2J', where='mysql', cure='Reset it.')", 7, Phase.GAP, r"obsync: mysql: purged \x1b[2J. Reset it."),
        ("raise errors.Fenced('taken over')", 14, Phase.FAILED, "obsync: taken over"),
        ("raise errors.ValueUnreadable('x')", 9, Phase.FAILED, "obsync: x"),
    ],
)  # fmt: skip
def test_an_error_ends_the_run_with_its_code(
    start: Start, path: Path, raised: str, code: int, phase: Phase, said: str
) -> None:
    process = start(raised)
    _, err = process.communicate()
    assert process.returncode == code
    assert err.splitlines()[-1] == said
    assert "Traceback" not in err
    failure = wait_for_phase(path, phase).failure
    assert failure is not None
    assert failure.code == raised.partition("errors.")[2].partition("(")[0]
    assert [event.kind for event in events(path)] == ["started", "failed"]


def test_a_fault_of_obsync_is_shown_whole(start: Start, path: Path) -> None:
    process = start("raise ZeroDivisionError()")
    _, err = process.communicate()
    assert process.returncode == 1
    assert "Traceback" in err
    assert "obsync: unexpected error: ZeroDivisionError" in err
    assert wait_for_phase(path, Phase.FAILED).failure is not None


@pytest.mark.parametrize(
    ("doing", "phase"), [("complete", Phase.COMPLETED), ("raise errors.Stopped('asked')", Phase.STOPPED)]
)
def test_a_run_that_ends_by_itself_is_a_success(start: Start, path: Path, doing: str, phase: Phase) -> None:
    process = start(doing)
    process.communicate()
    assert process.returncode == 0
    assert wait_for_phase(path, phase).failure is None


def test_state_that_cannot_be_written_stops_the_run(start: Start, path: Path) -> None:
    # Every write of a status fails from here on, as on a full disk.
    spoil = (
        "import sqlite3; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('DROP TABLE status');"
        "self.stopping.wait()"
    )
    process = start(spoil)
    _, err = process.communicate()
    assert process.returncode == 15
    assert "state.db: the state cannot be used: no such table: status" in err.splitlines()[-1]


def read_all(terminal: int, until: bytes = b"") -> bytes:
    seen = b""
    while not until or until not in seen:
        select.select([terminal], [], [])
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # how Linux says that the other side has closed
            break
    return seen


@pytest.mark.parametrize("columns", [200, 40])
def test_a_terminal_gets_one_line_that_fits(start: Start, path: Path, columns: int) -> None:
    terminal, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = start("wait", stdout=inner, stderr=inner)
    os.close(inner)
    seen = read_all(terminal, until=b"incremental")
    process.send_signal(signal.SIGINT)
    seen += read_all(terminal)
    process.wait()
    os.close(terminal)
    assert process.returncode == 0
    assert b"\x1b[2J" not in seen
    lines = [
        part.partition(b"\r")[0] for part in seen.replace(b"\r\n", b"\n").replace(b"\n", b"\r").split(b"\r")
    ]
    drawn = [line.removesuffix(b"\x1b[K") for line in lines if line.endswith(b"\x1b[K")]
    assert drawn[-1].startswith(b"orders stopped")
    assert any(line.startswith(b"orders incremental") for line in drawn)
    assert max(map(len, drawn)) <= min(80, columns - 1)


def test_the_project_outlives_its_terminals_output(start: Start, path: Path) -> None:
    terminal, inner = pty.openpty()
    process = start("wait", stdout=inner, stderr=inner)
    os.close(inner)
    read_all(terminal, until=b"incremental")
    os.close(terminal)
    before = wait_for_phase(path, Phase.INCREMENTAL).at_s
    while wait_for_phase(path, Phase.INCREMENTAL).at_s <= before:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


def test_numbers_are_short() -> None:
    assert [count_text(n) for n in (0, 7, 999, 1000, 9949, 12345, 999_499, 999_500, 1.5e9, 2e12, 1e15)] == [
        "0", "7", "999", "1.0k", "9.9k", "12k", "999k", "1.0M", "1.5G", "2.0T", "1000.0T",
    ]  # fmt: skip
    assert [size_text(n) for n in (0, 1500, 3_400_000)] == ["0B", "1.5KB", "3.4MB"]
    assert [duration_text(n) for n in (0, 0.34, 9.96, 59.6, 750, 18420, 273600)] == [
        "0.0s", "0.3s", "10s", "1m00s", "12m30s", "5h07m", "3d4h",
    ]  # fmt: skip
    assert [lag_text(n) for n in (None, -0.4, -3.2, 1)] == ["?", "0.0s", "source clock ahead 3.2s", "1.0s"]


def test_the_line_says_what_matters() -> None:
    base = Status(ID, "orders", Phase.INCREMENTAL, 0, 1, 0, source_lag_s=0.3, delivery_lag_s=0.52, backlog_rows=12_000,
                  backlog_bytes=3_400_000, rows_per_s=91_000, bytes_per_s=18e6, bottleneck="sink")  # fmt: skip
    assert (
        status_line(base) == "orders incremental  lag 0.3s/0.5s  backlog 12k 3.4MB  91k rows/s 18MB/s  [sink]"
    )
    full = FullStatus(10, 3, 1_200_000, 5_000_000, 88_000, 43.2)
    line = status_line(Status(ID, "orders", Phase.FULL, 0, 1, 0, full=full, bottleneck="source"))
    assert line == "orders full  3/10 tables  1.2M/5.0M rows 24%  88k/s  left 43s  [source]"
    long = Status(
        ID, "x" * 64, Phase.INCREMENTAL, 0, 1, 0, source_lag_s=-1e7, delivery_lag_s=-1e7, rows_per_s=1e15
    )
    assert len(status_line(long)) == 80
    assert len(status_line(long, 39)) == 39

"""In a real terminal: hostile texts do nothing, colours can be missing, nothing spins when the terminal is gone."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.console.terminal import PATIENCE_S, Emulated

# What may come from the console: CSI sequences of colour, cursor and modes, and nothing that acts otherwise.
_CSI = re.compile(rb"\x1b\[[0-9;?<>=]*[A-Za-z]")
_QUESTIONS = re.compile(
    rb"\x1b\]22;[a-z]+\x07|\x1b\[[?>=]?[0-9;$]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\[>[0-9]*u|\x1b\[<u"
)


def harmless(raw: bytes) -> bool:
    rest = _QUESTIONS.sub(b"", _CSI.sub(b"", raw))
    return not re.search(
        rb"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]|\x1b|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae\x8f]|\xe2\x81[\xa6-\xa9]",
        rest,
    )


# From the first project's details to every view that shows foreign texts, and back.
DEEPER = (
    ("c", "Components (3)"),
    ("j", "where  "),
    ("l", "connector  level INFO"),
    ("w", "characters more"),
    ("g", r"\x9d0;owned\x9cclear"),
    ("\x1b", "Events ("),
    ("o", "Objects ("),
    ("d", "CREATE TABLE"),
    ("\x1b", "Objects ("),
    ("S", "Messages"),
    ("G", "title"),
    ("\x1b", "Objects ("),
    ("t", "Trace a row"),
    ("1\r", "1 change in the last"),
    ("\x1b", "Objects ("),
    ("3", "Events (7)"),
    ("j\r", "level"),
    ("\x1b", "Events (7)"),
    ("4", "engine  level INFO"),
    ("5", "Engine"),
    ("6", "Findings (7)"),
    ("j\r", "do "),
    ("\x1b", "Findings (7)"),
    ("1", "Projects ("),
    ("K", "do: "),
    ("\x1b", "Projects ("),
    ("\r", "Events ("),
)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_hostile_texts_are_shown_and_do_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    with Emulated([], columns=size[0], rows=size[1], OBSYNC_HOME=str(tmp_path)) as it:
        it.sees("Projects (8)", "[bold]x[/n", r"\x1b")
        it.type("G")
        it.sees("\\udcff")
        for keys, seen in (
            ("v", "File"),
            ("\x1b", "Projects"),
            ("W", "Projects"),
            ("o", "Objects ("),
            ("\x1b", "Projects"),
            ("2", "Data sources ("),
            ("jjj", "used by"),
            ("1", "Projects ("),
            ("g\r", "Events ("),
            ("\r", "event"),
            ("\x1b", "Events ("),
            ("?", "Help"),
            ("\x1b", "Events ("),
            *(DEEPER if size == (80, 24) else ()),
        ):
            it.type(keys)
            it.sees(seen)
            it.settle()
        it.type(":first")
        it.sees("Commands")
        it.type("\x1b")
        it.loses("Commands")
        it.sees("Events (")
        title = it.screen.title
        it.type("q")
        it.sees("Projects (8)")
        it.type("q")
        with pytest.raises(EOFError):
            it.during(PATIENCE_S)
        assert title == "" and harmless(it.raw), it.raw
        assert os.waitstatus_to_exitcode(os.waitpid(it.pid, 0)[1]) == 0
        it.pid = -1


@pytest.mark.parametrize(
    "variables", [{"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "xterm"}, {"COLORTERM": "truecolor"}]
)
def test_any_terminal_shows_states_as_words(tmp_path: Path, variables: dict[str, str]) -> None:
    with Emulated([], OBSYNC_HOME=str(tmp_path), **variables) as it:
        it.sees("Projects (8)", "RUN incr", "FAILED!")
        if "NO_COLOR" in variables:
            assert not re.search(rb"\x1b\[[0-9;]*\b(3[0-7]|9[0-7]|38|48)\b[0-9;]*m", it.raw)


def test_ascii_is_ascii(tmp_path: Path) -> None:
    with Emulated(["--ascii"], OBSYNC_HOME=str(tmp_path)) as it:
        it.sees("- Projects (8)", "> ", "RUN incr")
        ours = [
            line
            for line in it.text.splitlines()
            if not line.strip() or line[2:6] in ("firs", "proj") or "Projects" in line
        ]
        assert all(line.isascii() for line in ours), it.text


def test_a_closed_terminal_ends_the_console(tmp_path: Path) -> None:
    with Emulated([], OBSYNC_HOME=str(tmp_path)) as it:
        it.sees("Projects (8)")
        os.close(it.descriptor)
        it.descriptor = os.open("/dev/null", os.O_RDWR)
        end = time.monotonic() + PATIENCE_S
        while (ended := os.waitpid(it.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < end, "it goes on without a terminal"
            time.sleep(0.05)
        assert ended[1] != 0
        it.pid = -1


def test_a_stopped_terminal_costs_nothing_and_nothing_is_lost(tmp_path: Path) -> None:
    with Emulated([], OBSYNC_HOME=str(tmp_path)) as it:
        it.sees("Projects (8)")
        for _ in range(60):
            it.type("?")
        before = cpu_s(it.pid)
        time.sleep(4.0)
        assert cpu_s(it.pid) - before < 2.0, "it spins on a terminal that takes nothing"
        it.settle()
        it.sees("Projects (8)")


def cpu_s(pid: int) -> float:
    """User and system time of a process (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_sighup_ends_it_even_where_it_is_ignored(tmp_path: Path) -> None:
    with Emulated([], OBSYNC_HOME=str(tmp_path)) as it:
        it.sees("Projects (8)")
        os.kill(it.pid, signal.SIGHUP)
        with pytest.raises(EOFError):
            it.during(PATIENCE_S)

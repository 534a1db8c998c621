"""The demo as a person sees it: what it prints, that it ends by itself or by Ctrl-C, and that nothing stays."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo.messages import Change, cut

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.demo"]
SAME = "The rows that they add up to are those of the tables."


def assert_nothing_is_left(output: str) -> None:
    directories = set(re.findall(r"/tmp/obs-[a-z]+-\w+", output))
    assert directories
    assert not [name for name in directories if Path(name).exists()]
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = line.read_bytes().decode(errors="replace")
        except OSError:  # a process that has ended since
            continue
        assert not any(name in command for name in directories), command


def test_it_shows_rows_then_changes_and_adds_up() -> None:
    result = subprocess.run(
        [*COMMAND, "--seconds", "12"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = result.stdout
    assert result.returncode == 0, output
    lines = output.splitlines()
    assert SAME in lines
    assert [line for line in lines if len(line) > 80] == []
    for step in range(1, 7):
        assert [line for line in lines if line.startswith(f"{step}. ")], f"step {step} is not announced"
    for command in (
        "source add shop",
        "source add events",
        "project create",
        "project run",
        "project status",
    ):
        assert f"  $ obsync {command}" in output
    for topic, count in {"shop_items": 40, "shop_customers": 60, "shop_orders": 100}.items():
        assert f"{topic:<14} … {count} rows in all" in lines
    assert re.search(
        r"^shop_orders    [012]  101  INSERT  state=new customer=\d+ item=\d+ n=\d ", output, re.M
    )
    assert re.search(r"^shop_items     [012] +\d+  UPDATE  stock \d+ → \d+$", output, re.M)
    assert re.search(r"^\[orders incremental  lag ", output, re.M)
    assert "a-password-of-the-demo" not in output
    assert_nothing_is_left(output)


def test_ctrl_c_stops_everything() -> None:
    with subprocess.Popen(
        COMMAND, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if " INSERT " in line:
                process.send_signal(signal.SIGINT)
                break
        seen += process.stdout.readlines()
        code = process.wait()
    output = "".join(seen)
    assert code == 0, output
    assert SAME in output
    assert re.search(r"^  state +stopped, phase stopped$", output, re.M), output
    assert_nothing_is_left(output)


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("上海上海", 8, "上海上海"),
        ("上海上海", 7, "上海上…"),
        ("", 0, ""),
    ],
)
def test_a_line_is_cut_to_columns(text: str, columns: int, expected: str) -> None:
    assert cut(text, columns) == expected


def test_an_update_shows_what_changed_and_null() -> None:
    change = Change("t", 0, "1", "UPDATE", {"id": "1", "a": None, "b": "x"}, {"id": "1", "a": "2", "b": "x"})
    assert change.line().endswith("  UPDATE  a NULL → 2")

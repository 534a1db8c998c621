"""Copies: the exact sequence, its limits, the file."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from obsync_tui.model.errors import ConfigError
from obsync_tui.terminal.clipboard import MAX_ENCODED_BYTES, copy, sequence

ORDERS = base64.b64encode("orders ü".encode()).decode()


def test_the_sequence_as_it_is_and_wrapped() -> None:
    assert sequence("orders ü", {"TERM": "xterm-256color"}) == f"\x1b]52;c;{ORDERS}\x07"
    assert (
        sequence("orders ü", {"TMUX": "/tmp/x", "TERM": "screen-256color"})
        == f"\x1bPtmux;\x1b\x1b]52;c;{ORDERS}\x07\x1b\\"
    )
    assert sequence("orders ü", {"TERM": "screen"}) == f"\x1bP\x1b]52;c;{ORDERS}\x07\x1b\\"


def test_too_long_goes_to_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "clipboard.txt"
    text = "x" * MAX_ENCODED_BYTES
    made = copy(text, file, {})
    assert made.sequence == "" and made.said == f"copied: {file}"
    assert file.read_text() == text and file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("mode", "sent", "written", "said"),
    [
        ("auto", True, True, "OSC 52, also in"),
        ("osc52", True, False, "copied: OSC 52"),
        ("file", False, True, "copied: "),
        ("off", False, False, "not copied"),
    ],
)
def test_the_mode_decides(tmp_path: Path, mode: str, sent: bool, written: bool, said: str) -> None:
    file = tmp_path / "clipboard.txt"
    made = copy("a\ud800", file, {"OBSYNC_CLIPBOARD": mode})
    assert (bool(made.sequence), file.exists()) == (sent, written)
    assert said in made.said


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no place for copies"):
        copy("a", tmp_path / "c", {"OBSYNC_CLIPBOARD": "pigeon"})


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = copy("a", tmp_path / "file" / "clipboard.txt", {})
    assert made.sequence and "OSC 52" in made.said and "cannot be" in made.said

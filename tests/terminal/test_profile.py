"""What a terminal's environment says about it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

import pytest

from obsync_tui.terminal.hangup import is_gone, is_writable
from obsync_tui.terminal.profile import Wishes, profile_of, textual_environment

USUAL = {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "wishes", "theme", "ascii"),
    [
        (USUAL, Wishes(), "ansi-dark", False),
        (USUAL, Wishes(theme="nord"), "nord", False),
        ({**USUAL, "NO_COLOR": "1"}, Wishes(theme="nord"), "ansi-dark", False),
        ({**USUAL, "TERM": "vt100"}, Wishes(theme="nord"), "ansi-dark", True),
        ({**USUAL, "LANG": "de_DE.ISO-8859-1"}, Wishes(), "ansi-dark", True),
        ({**USUAL, "LC_ALL": "de_DE.utf8", "LANG": "C"}, Wishes(), "ansi-dark", False),
        (USUAL, Wishes(ascii=True), "ansi-dark", True),
    ],
)
def test_profiles(environment: dict[str, str], wishes: Wishes, theme: str, ascii: bool) -> None:
    profile = profile_of(environment, wishes)
    assert (profile.theme, profile.ascii, profile.mouse, profile.slow) == (theme, ascii, False, False)


def test_over_ssh_escape_waits_longer() -> None:
    far = profile_of({**USUAL, "SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, Wishes())
    assert textual_environment({}, far)["ESCDELAY"] == "300"
    assert "ESCDELAY" not in textual_environment({"ESCDELAY": "50"}, far)
    assert textual_environment({}, profile_of(USUAL, Wishes())) == {
        "TEXTUAL_ANIMATIONS": "none",
        "TEXTUAL_SMOOTH_SCROLL": "0",
    }


def test_a_terminal_that_is_stopped_or_gone_is_seen() -> None:
    reader, writer = os.openpty()
    assert is_writable(writer) and not is_gone(writer)
    os.set_blocking(writer, False)
    end = time.monotonic() + 10
    while is_writable(writer):
        # The kernel hands the bytes on a moment later, and then takes some more.
        assert time.monotonic() < end
        with suppress(BlockingIOError):
            os.write(writer, b"x" * 4096)
        time.sleep(0.01)
    assert not is_gone(writer)
    os.close(reader)
    assert is_gone(writer)
    os.close(writer)

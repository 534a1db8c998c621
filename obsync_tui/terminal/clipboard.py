"""Copying over SSH by OSC 52, and into a file, because a terminal never confirms.

https://invisible-island.net/xterm/ctlseqs/ctlseqs.html (Operating System Commands, 52)
"""

import base64
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from obsync_tui.config.paths import write_private
from obsync_tui.model.errors import ConfigError, EngineError

MAX_ENCODED_BYTES = 74_994
_MODE = "OBSYNC_CLIPBOARD"


class ClipboardMode(StrEnum):
    """Where copies go: `auto` is both."""

    AUTO = "auto"
    OSC52 = "osc52"
    FILE = "file"
    OFF = "off"


class Copy(msgspec.Struct, frozen=True):
    """A copy to make: the bytes for the terminal (empty: none), and what to tell the user."""

    sequence: str
    said: str


def sequence(text: str, environment: Mapping[str, str]) -> str:
    """The escape sequence that puts the text on the clipboard, passed through tmux and screen; "" when too long."""
    encoded = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode()
    if len(encoded) > MAX_ENCODED_BYTES:
        return ""
    bare = f"\x1b]52;c;{encoded}\x07"
    if environment.get("TMUX"):
        return "\x1bPtmux;" + bare.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("TERM", "").startswith("screen"):
        return f"\x1bP{bare}\x1b\\"
    return bare


def copy(text: str, file: Path, environment: Mapping[str, str]) -> Copy:
    """Write the text to the file and say where it went; ConfigError for an unknown mode.

    A file that cannot be written is said, not raised: the terminal may have the text all the same.
    """
    name = environment.get(_MODE) or ClipboardMode.AUTO
    try:
        mode = ClipboardMode(name)
    except ValueError:
        raise ConfigError(
            f"{name!r} is no place for copies", where=_MODE, cure="Use auto, osc52, file or off."
        ) from None
    if mode is ClipboardMode.OFF:
        return Copy("", f"not copied: {_MODE}=off")
    sent = sequence(text, environment) if mode is not ClipboardMode.FILE else ""
    places = ["OSC 52"] if sent else []
    failed = ""
    if mode is not ClipboardMode.OSC52:
        try:
            write_private(file, text.encode("utf-8", "backslashreplace"))
            places.append(_short(file))
        except EngineError as error:
            failed = f"; {error}"
    if not places:
        return Copy("", f"not copied: longer than {MAX_ENCODED_BYTES} bytes" + failed)
    return Copy(sent, "copied: " + ", also in ".join(places) + failed)


def _short(path: Path) -> str:
    home = os.path.expanduser("~")
    return "~" + str(path)[len(home) :] if str(path).startswith(home + "/") else str(path)

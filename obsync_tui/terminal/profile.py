"""What the terminal on the other side can do, as far as its environment says."""

from collections.abc import Mapping

import msgspec

_PLAIN_TERMINALS = ("dumb", "vt100", "vt102", "vt220", "linux", "ansi")


class Wishes(msgspec.Struct, frozen=True):
    """What the user asked for on the command line; None leaves it to the terminal."""

    ascii: bool = False
    slow: bool = False
    mouse: bool = False
    theme: str = ""
    read_only: bool = False
    zone: str = "local"


class Profile(msgspec.Struct, frozen=True):
    """How to draw: `theme` is Textual's name, `ascii` forbids other characters, `slow` paints every 5 s."""

    theme: str
    ascii: bool
    mouse: bool
    slow: bool
    over_ssh: bool


def profile_of(environment: Mapping[str, str], wishes: Wishes) -> Profile:
    """The profile for an environment.

    Without a wish the terminal's own 16 colours are used: they are right on every palette and half the bytes.
    A locale that is not UTF-8 draws in ASCII.
    """
    terminal = environment.get("TERM", "")
    colourless = bool(environment.get("NO_COLOR")) or terminal in _PLAIN_TERMINALS
    return Profile(
        theme="ansi-dark" if colourless or not wishes.theme else wishes.theme,
        ascii=wishes.ascii or not _is_utf8(environment) or terminal in _PLAIN_TERMINALS,
        mouse=wishes.mouse,
        slow=wishes.slow,
        over_ssh=bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY")),
    )


def textual_environment(environment: Mapping[str, str], profile: Profile) -> dict[str, str]:
    """The variables that Textual reads when it is imported, where the user has not set them.

    On a slow link an arrow key can arrive in two pieces; a short wait would take the first for Esc.
    """
    wanted = {"TEXTUAL_ANIMATIONS": "none", "TEXTUAL_SMOOTH_SCROLL": "0"}
    if profile.over_ssh:
        wanted["ESCDELAY"] = "300"
    return {name: value for name, value in wanted.items() if name not in environment}


def _is_utf8(environment: Mapping[str, str]) -> bool:
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "")
    return "utf-8" in locale.lower() or "utf8" in locale.lower() or locale in ("", "C", "POSIX")

"""Reads what the login session gives: the terminal, the locale, and what becomes of processes at logout."""

import locale
import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from obsync_tui.engine.doctor.facts import Locale, Login, Terminal
from obsync_tui.engine.doctor.machine import ROOT, control_group, read_text

_COMMAND_S = 2.0
_LOCALE_VARIABLES = ("LC_ALL", "LC_CTYPE", "LANG")
_CONFIGURATION = ("etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd")
_KILLS = ("busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1")
_KILLS_PROPERTY = ("org.freedesktop.login1.Manager", "KillUserProcesses")
_TRUE = ("yes", "true", "on", "1")
Command = Callable[[Sequence[str]], str]


def read_terminal(environment: Mapping[str, str]) -> Terminal:
    """The terminal of this process."""
    columns, rows = _size(environment)
    multiplexers = {"TMUX": "tmux", "STY": "screen", "ZELLIJ": "zellij"}
    return Terminal(
        term=environment.get("TERM", ""),
        colorterm=environment.get("COLORTERM", ""),
        no_color=bool(environment.get("NO_COLOR")),
        input_is=sys.stdin.isatty(),
        output_is=sys.stdout.isatty(),
        asks=_asks(),
        columns=columns,
        rows=rows,
        encoding=sys.stdout.encoding,
        multiplexer=next((name for key, name in multiplexers.items() if environment.get(key)), ""),
        ssh="SSH_CONNECTION" in environment,
    )


def read_locale(environment: Mapping[str, str]) -> Locale:
    """The first locale that is not there, else the one in force; not to be called beside other threads."""
    asked = [(key, name) for key in _LOCALE_VARIABLES if (name := environment.get(key, ""))]
    charset = locale.nl_langinfo(locale.CODESET)
    for variable, name in asked:
        if not _installed(name):
            return Locale(variable, name, False, charset)
    variable, name = asked[0] if asked else ("", "")
    return Locale(variable, name, True, charset)


def read_login(environment: Mapping[str, str], root: Path = ROOT, command: Command | None = None) -> Login:
    """What systemd does at this user's logout."""
    user = user_name()
    if not (root / "run/systemd/system").is_dir():
        return Login(user, systemd=False)
    home = Path(environment.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    return Login(
        user,
        systemd=True,
        linger=os.path.exists(root / "var/lib/systemd/linger" / user),
        kills=_kills(user, root, command or _run),
        user_unit=os.path.exists(home / "systemd/user/obsync.service"),
        scope=control_group(root=root).rpartition("/")[2],
    )


def user_name() -> str:
    """This user's name, or number where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _kills(user: str, root: Path, command: Command) -> bool | None:
    settings = _logind(root)
    answer = command((*_KILLS, *_KILLS_PROPERTY)).split()
    said = answer[1] if len(answer) == 2 else settings.get("KillUserProcesses", "")
    if not said:
        return None
    if user in settings.get("KillExcludeUsers", "root").split():
        return False
    only = settings.get("KillOnlyUsers", "").split()
    return said.lower() in _TRUE and (not only or user in only)


def _logind(root: Path) -> dict[str, str]:
    """logind's settings: the default that stands commented in its file, the file, then what is dropped in."""
    files: dict[str, Path] = {}
    main = None
    for directory in reversed(_CONFIGURATION):
        if (root / directory / "logind.conf").is_file():
            main = root / directory / "logind.conf"
        files |= {path.name: path for path in (root / directory / "logind.conf.d").glob("*.conf")}
    texts = [read_text(main) if main else "", *(read_text(files[name]) for name in sorted(files))]
    settings = _assigned(texts[0].replace("#Kill", "Kill").splitlines()[::-1], ("KillUserProcesses",))
    for text in texts:
        settings |= _assigned(text.splitlines(), ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers"))
    return settings


def _assigned(lines: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    pairs = [line.partition("=") for line in lines]
    return {key.strip(): value.strip() for key, equals, value in pairs if equals and key.strip() in keys}


def _run(words: Sequence[str]) -> str:
    """What a program prints, empty when it is not there, fails, or takes longer than 2 s."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _asks() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _size(environment: Mapping[str, str]) -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return 0, 0
    given = [environment.get(key, "") for key in ("COLUMNS", "LINES")]
    return tuple(  # type: ignore[return-value]
        size or (int(text) if text.isdecimal() else 0)
        for size, text in zip((columns, rows), given, strict=True)
    )


def _installed(name: str) -> bool:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True

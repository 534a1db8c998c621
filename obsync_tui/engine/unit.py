"""The systemd units that are shipped, filled in for an installation (syntax: systemd.syntax(7))."""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import msgspec

from obsync_tui.api.endpoint import endpoint
from obsync_tui.config.paths import Paths
from obsync_tui.engine.errors import ConfigError

USER_UNIT = "obsync.service"
SYSTEM_UNIT = "obsync-system.service"
SYSTEM_USER = "obsync"
# Where a system unit for a user of its own keeps things; systemd makes both directories.
SYSTEM_HOME = Path("/var/lib/obsync")
SYSTEM_SOCKET = Path("/run/obsync/engine.sock")
SECRETS_FILE = "environment"
TEMPORARY = Path("/tmp")
_PASSED = ("OBSYNC_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "OBSYNC_SOCKET", "OBSYNC_ROWPLAN")
_OWN_DIRECTORIES = (
    "StateDirectory=obsync",
    "StateDirectoryMode=0700",
    "RuntimeDirectory=obsync",
    "RuntimeDirectoryMode=0700",
    "PrivateTmp=yes",
)


class Unit(msgspec.Struct, frozen=True):
    """What is filled in: `user` is empty for a unit of the user's own manager, `places` are settings of directories.

    `directories` have to exist before a system unit starts, but for those that systemd makes.
    """

    executable: str
    environment: tuple[tuple[str, str], ...]
    secrets_file: Path
    user: str = ""
    places: tuple[str, ...] = ()
    directories: tuple[Path, ...] = ()


def user_unit(executable: str, paths: Paths, environment: Mapping[str, str]) -> Unit:
    """The unit for this user's own service manager, with this shell's directories."""
    return Unit(executable, _passed(environment), paths.config / SECRETS_FILE)


def system_unit(
    executable: str, paths: Paths, environment: Mapping[str, str], *, user: str, own: bool
) -> Unit:
    """The unit for the system's manager, to run as `user`.

    With this shell's directories when that is its `own` user or OBSYNC_HOME is set, else in /var/lib/obsync and
    /run/obsync.
    """
    if own or environment.get("OBSYNC_HOME"):
        socket = endpoint(paths, environment).path
        directories = list(dict.fromkeys((paths.config, paths.state, paths.run, socket.parent)))
        # Its own /tmp would hide from clients what is in ours.
        shared = any(path.is_relative_to(TEMPORARY) for path in directories)
        writable = [TEMPORARY] if shared else []
        places = (
            f"PrivateTmp={'no' if shared else 'yes'}",
            f"ReadWritePaths={' '.join(quoted(str(one)) for one in [*directories, *writable])}",
        )
        secrets_file = paths.config / SECRETS_FILE
        return Unit(executable, _passed(environment), secrets_file, user, places, tuple(directories))
    variables = {
        "OBSYNC_HOME": str(SYSTEM_HOME),
        "OBSYNC_SOCKET": str(SYSTEM_SOCKET),
        **{name: text for name, text in _passed(environment) if name == "OBSYNC_ROWPLAN"},
    }
    secrets_file = SYSTEM_HOME / "config" / SECRETS_FILE
    return Unit(executable, tuple(variables.items()), secrets_file, user, _OWN_DIRECTORIES)


def unit_text(unit: Unit) -> str:
    """The unit's file; ConfigError for paths that cannot stand in one."""
    name = SYSTEM_UNIT if unit.user else USER_UNIT
    text = resources.files("obsync_tui").joinpath("units", name).read_text("utf-8")
    command = f"{quoted(unit.executable).replace('$', '$$')} -P -m obsync_tui"
    filled = {
        "@USER@": _line(unit.user),
        "@COMMAND@": command,
        "@ENVIRONMENT@": "\n".join(
            f"Environment={quoted(f'{key}={value}')}" for key, value in unit.environment
        ),
        "@SECRETS@": _line(str(unit.secrets_file)).replace("%", "%%"),
        "@PLACES@": "\n".join(unit.places),
    }
    for mark, value in filled.items():
        # What is filled with nothing leaves no line behind.
        text = text.replace(mark, value) if value else text.replace(f"{mark}\n", "")
    return text


def comments(lines: Sequence[str]) -> str:
    """Lines as comments of a unit's file."""
    return "".join(f"# {_line(line)}".rstrip() + "\n" for line in lines)


def quoted(text: str) -> str:
    """A word of a setting: specifiers are escaped, and quotes put around what would be several words."""
    plain = _line(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if any(character in " \t\\\"';#" for character in text) or not text else plain


def _passed(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, environment[name]) for name in _PASSED if environment.get(name))


def _line(text: str) -> str:
    if not text.isprintable():
        raise ConfigError(
            f"{text!r} holds characters that cannot stand in a unit",
            where="engine unit",
            cure="Install obsync, and set OBSYNC_HOME, to paths of printable characters.",
        )
    return text

"""`obsync engine unit`: the systemd unit for this installation, with the commands that install it as comments."""

import argparse
import os
import pwd
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import note
from obsync_tui.cli.session import Session
from obsync_tui.model.datasource import password_of
from obsync_tui.model.errors import ConfigError


def unit(session: Session, arguments: argparse.Namespace) -> int:
    """Print the unit; standard error says what has to be known besides."""
    from obsync_tui.engine import unit as units

    executable = sys.executable
    if arguments.user and not arguments.system:
        raise ConfigError("is for a system unit only", where="--user", cure="Add --system, or leave it out.")
    if not arguments.system:
        made = units.user_unit(executable, session.paths, os.environ)
        lines = _user_commands(executable)
    else:
        user = arguments.user or units.SYSTEM_USER
        own = user == _name(os.getuid())
        made = units.system_unit(executable, session.paths, os.environ, user=user, own=own)
        lines = _system_commands(executable, user, made.secrets_file.parent.parent, made.directories)
        if not own:
            variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in made.environment)
            lines += [
                "Commands find it so:",
                f"  sudo -u {shlex.quote(user)} env {variables} obsync project list",
            ]
            _warn_of_access(executable, user)
    if names := _variables(session):
        lines += [
            "",
            f"A unit does not have your shell's variables: write {', '.join(f'{name}=…' for name in names)}",
            f"into {made.secrets_file} (mode 0600), or seal these passwords (obsync source add --replace).",
        ]
    print(units.comments(lines) + units.unit_text(made), end="")
    return exit_codes.OK


def _user_commands(executable: str) -> list[str]:
    place = "~/.config/systemd/user"
    return [
        "The obsync engine, by your own service manager. To install it:",
        f"  mkdir -p {place}",
        f"  {_command(executable)} > {place}/obsync.service",
        "  obsync engine stop      # one that was started by hand",
        "  systemctl --user daemon-reload",
        "  systemctl --user enable --now obsync",
        "  loginctl enable-linger  # so that it goes on after logout and starts at boot",
    ]


def _system_commands(executable: str, user: str, home: Path, directories: Sequence[Path]) -> list[str]:
    who = shlex.quote(user)
    made = []
    if not _exists(user):
        made.append(
            f"  sudo useradd --system --home-dir {shlex.quote(str(home))} --shell /usr/sbin/nologin {who}"
        )
    if directories:
        made.append(
            f"  sudo install -d -m 0700 -o {who} {' '.join(shlex.quote(str(one)) for one in directories)}"
        )
    return [
        f"The obsync engine, by the system's service manager, as user {user}. To install it:",
        *made,
        f"  {_command(executable)} --system --user {who} | sudo tee /etc/systemd/system/obsync.service",
        "  obsync engine stop      # one that was started by hand",
        "  sudo systemctl daemon-reload",
        "  sudo systemctl enable --now obsync",
    ]


def _command(executable: str) -> str:
    return f"{shlex.quote(executable)} -m obsync_tui engine unit"


def _warn_of_access(executable: str, user: str) -> None:
    path = Path(executable)
    # A virtual environment's python is a link to one that can be elsewhere.
    above = dict.fromkeys((*reversed(path.parents), *reversed(path.resolve().parents)))
    closed = [one for one in above if not one.stat().st_mode & 0o001]
    if closed:
        note(
            f"{closed[0]}: user {user} cannot pass it to reach {executable}. Install obsync under /opt, for example."
        )


def _variables(session: Session) -> list[str]:
    """The environment variables that data sources take passwords from."""
    listed = [one.source for one in session.files.sources() if one.source is not None]
    references = [password_of(source) for source in listed]
    return sorted({rest for kind, _, rest in (one.partition(":") for one in references) if kind == "env"})


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True

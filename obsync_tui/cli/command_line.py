"""The command line by which people connect to OceanBase, as OMS takes it for a data source."""

import argparse
import shlex
from typing import NoReturn

import msgspec

from obsync_tui.model.errors import ConfigError

_PROGRAMS = ("obclient", "mysql")
_CURE = 'For example --connection "obclient -h127.0.0.1 -P2883 -uobsync@mysql1#cluster1"'
_ASKED = "prompt"


class CommandLine(msgspec.Struct, frozen=True):
    """What a client's command line says; None is what it leaves out. `password` is what stood behind -p."""

    host: str | None
    port: int | None
    user: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"CommandLine({self.user}@{self.host}:{self.port})"


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError("the command line is not understood", where="--connection", cure=_CURE)


def parse_command_line(text: str) -> CommandLine:
    """Host, port, user and password of `obclient -h… -P… -u… [-p…]`.

    ConfigError, which repeats no word of it, when it is not understood. A bare -p asks for the password.
    """
    options = _Options(add_help=False, allow_abbrev=False)
    options.add_argument("-h", "--host")
    options.add_argument("-P", "--port", type=int)
    options.add_argument("-u", "--user")
    options.add_argument("-p", "--password", nargs="?", const=_ASKED)
    # Which database or character set a person starts with is of no matter here.
    for names in (("-D", "--database"), ("--default-character-set",)):
        options.add_argument(*names)
    for names in (("-c", "--comments"), ("-A", "--no-auto-rehash")):
        options.add_argument(*names, action="store_true")
    options.add_argument("program", choices=_PROGRAMS)
    options.add_argument("start_database", nargs="?")
    try:
        words = shlex.split(text)
    except ValueError:
        options.error("quotes")
    # The clients take a password only behind -p or --password=: the next word is a database.
    words = [f"-p{_ASKED}" if word in ("-p", "--password") else word for word in words]
    found = options.parse_intermixed_args(words)
    return CommandLine(found.host, found.port, found.user, found.password)

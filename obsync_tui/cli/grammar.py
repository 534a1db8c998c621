"""What the rooms of the command line are built of."""

import argparse
from typing import NoReturn, TypeAlias

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import note


class Parser(argparse.ArgumentParser):
    """A parser that ends with the code for usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong; words nobody asked for are not repeated, one of them could be a password."""
        words, colon, _ = message.partition("unrecognized arguments:")
        note(f"{words}unrecognized arguments" if colon else message)
        note(f"See {self.prog} --help.")
        self.exit(exit_codes.USAGE)


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"


def plain(commands: "Commands", name: str, text: str) -> Parser:
    """A command without a name to act on."""
    return commands.add_parser(name, help=text, description=text, allow_abbrev=False)


def named(commands: "Commands", name: str, text: str) -> Parser:
    """A command on one data source or project."""
    made = plain(commands, name, text)
    made.add_argument("name", metavar="NAME")
    return made


def json_option(made: argparse.ArgumentParser) -> None:
    """The command can print JSON."""
    made.add_argument("--json", action="store_true", help="print JSON")


def lines_options(made: argparse.ArgumentParser) -> None:
    """Which lines of a log are wanted."""
    made.add_argument("--lines", type=int, default=100, help="how many of the newest; default 100")
    made.add_argument("--level", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
    made.add_argument("--search", metavar="TEXT", help="only lines that hold the text")

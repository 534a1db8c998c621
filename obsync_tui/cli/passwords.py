"""Secrets given to commands: by reference, by prompt or on standard input, never in clear on the command line."""

import sys

from obsync_tui.cli.session import Session
from obsync_tui.config.secrets import parse_reference
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.secret import Secret, SecretReference


def secret_option(session: Session, option: str, text: str | None) -> SecretReference:
    """The option's reference; `prompt` asks on the terminal, `-` reads a line of standard input, both are sealed.

    ConfigError, without the text, for a secret in clear: other users see the command line, and the shell keeps it.
    """
    if text is None:
        return SecretReference("")
    if text == "prompt":
        return session.secrets.seal(_prompt(option))
    if text == "-":
        line = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
        if not line:
            raise ConfigError(
                "standard input holds no secret", where=option, cure="Write the secret as its first line."
            )
        return session.secrets.seal(Secret(line))
    try:
        return parse_reference(text)
    except ValueError as error:
        raise ConfigError(
            "a secret in clear on the command line is refused; others can see it there, and the shell keeps it",
            where=option,
            cure=f"Use {option} prompt, {option} - (a line of standard input), env:NAME, file:PATH or cmd:PROGRAM,"
            " and remove the line from the shell's history.",
        ) from error


def _prompt(option: str) -> Secret:
    import getpass

    try:
        open("/dev/tty").close()
    except OSError as error:
        raise ConfigError(
            "there is no terminal to ask on",
            where=option,
            cure=f"Give the secret on standard input: {option} -",
        ) from error
    try:
        value = getpass.getpass("Password: ")
    except EOFError:
        value = ""
    if not value:
        raise ConfigError("no secret was typed", where=option, cure="Try again.")
    return Secret(value)

"""`obsync`: the console on this terminal."""

import argparse
import os
import sys

from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import note
from obsync_tui.cli.session import Session
from obsync_tui.keys.keymap import DEFAULT, load_keymap
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.finding import Level
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.hangup import restore_hangup
from obsync_tui.terminal.profile import Wishes, profile_of, textual_environment


def add_console(top: argparse.ArgumentParser) -> None:
    """The options of the console, which opens when no command is given."""
    top.set_defaults(command=console)
    group = top.add_argument_group("console")
    group.add_argument("--read-only", action="store_true", help="look only; the engine refuses what writes")
    group.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    group.add_argument(
        "--slow", action="store_true", help="paint every 5 s; chosen by itself on a slow terminal"
    )
    group.add_argument(
        "--mouse", action="store_true", help="use the mouse; costs bytes and the terminal's selection"
    )
    group.add_argument(
        "--theme",
        default="",
        metavar="NAME",
        help="a theme; default: the terminal's own 16 colours",
    )
    group.add_argument(
        "--zone", default="local", metavar="local|utc|±hh:mm", help="the zone of all times shown"
    )


def _say_what_a_logout_does() -> None:
    """Before an engine is started: whether it will outlive this login."""
    from obsync_tui.engine.doctor.login import check_survival
    from obsync_tui.engine.doctor.session import read_login

    found = check_survival(read_login(os.environ))
    if found.level is Level.FAILURE:
        note(f"the engine {found.what}. {found.cure}")


def console(session: Session, arguments: argparse.Namespace) -> int:
    """Open the console on a running engine, or on one that is started now and goes on when the console is left."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        note("the console needs a terminal. See obsync --help for commands that do without.")
        return exit_codes.USAGE
    restore_hangup()
    zone = Zone(arguments.zone)
    wishes = Wishes(
        arguments.ascii, arguments.slow, arguments.mouse, arguments.theme, arguments.read_only, arguments.zone
    )
    profile = profile_of(os.environ, wishes)
    os.environ.update(textual_environment(os.environ, profile))
    keymap, complaint = DEFAULT, ""
    try:
        keymap = load_keymap(session.paths.config / "keymap.toml")
    except ConfigError as error:
        complaint = str(error)
    if session.client is None:
        _say_what_a_logout_does()
    session.engine().close()
    # Textual reads its variables when it is imported, and no other command waits for it.
    from obsync_tui.api.client import AsyncEngineClient
    from obsync_tui.app import ENGINE_STOPPED, Start, run_console, terminal_descriptor

    start = Start(
        profile,
        session.paths.state / "console",
        keymap=keymap,
        zone=zone,
        read_only=arguments.read_only,
        complaint=complaint,
        terminal=terminal_descriptor(),
    )
    client = AsyncEngineClient(session.endpoint, read_only=arguments.read_only)
    code = run_console(client, start)
    if code == ENGINE_STOPPED:
        print("The engine is stopped; its projects stand at their checkpoints.")
        return exit_codes.OK
    if code == exit_codes.OK:
        print(
            "The engine and its projects go on. obsync opens the console again; obsync engine stop ends them."
        )
    return code

"""`obsync project gap`: what of a stopped project's log is out of reach, and the user's decision about it."""

import argparse

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Decide, Named
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show, show_json, show_pairs
from obsync_tui.cli.session import Session
from obsync_tui.cli.tables import ALL, table_names
from obsync_tui.presenters.gap_lines import gap_lines


def gap(session: Session, arguments: argparse.Namespace) -> int:
    """Show the gap, or commit what is to be read again and what is given up; the next run does it."""
    name: str = arguments.name
    if arguments.resync or arguments.accept:
        tables = table_names(arguments.resync, "project gap --resync")
        decided = Decide(name, tables, arguments.resync == ALL, arguments.accept)
        for line in session.call(op.DECIDE, decided).notes:
            show(line)
        command = "run" if session.client is None else "resume"
        show(f"to do it: obsync project {command} {name}")
        return exit_codes.OK
    found = session.call(op.GAP, Named(name))
    if arguments.json:
        show_json(found)
    else:
        show_pairs(gap_lines(found))
        if found.survey.lost or found.survey.gaps:
            show(f"\nobsync project gap {name} --resync TABLE,… | --resync all | --accept")
    return exit_codes.OK

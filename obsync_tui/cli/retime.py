"""`obsync project retime`: sets a stopped project to a point of time, after it has said what that means."""

import argparse

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Named
from obsync_tui.api.requests import Retime as RetimeRequest
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import confirm, show, show_json, show_pairs
from obsync_tui.cli.session import Session
from obsync_tui.cli.tables import ALL, table_names
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.moment import Moment, parse_moment
from obsync_tui.presenters.retime_plan import plan_lines


def retime(session: Session, arguments: argparse.Namespace) -> int:
    """Print the plan, and commit it when the name is given or typed; with --json and no --yes only the plan."""
    at = _moment(arguments.at)
    name = session.call(op.PROJECT, Named(arguments.name)).project.name
    again = table_names(arguments.resync, "project retime --resync")
    everything = arguments.resync == ALL
    found = session.call(op.RETIME, RetimeRequest(name, at.at_s, "", again, everything)).plan
    if arguments.json:
        show_json(found)
        if arguments.yes is None:
            return exit_codes.OK
    else:
        show_pairs(plan_lines(found))
    if not found.unknown:
        confirm(name, arguments.yes, f"{name} is set to this position, in epoch {found.epoch}.")
    done = session.call(op.RETIME, RetimeRequest(name, at.at_s, name, again, everything))
    if not arguments.json:
        command = "run" if session.client is None else "resume"
        show("\n".join(("", *done.notes, f"to do it: obsync project {command} {name}")))
    return exit_codes.OK


def _moment(text: str) -> Moment:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise ConfigError(str(error), where="project retime --at") from error

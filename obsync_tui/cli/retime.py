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
from obsync_tui.model.retime import Retime, Stretch

_SHOWN = 200


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


def plan_lines(wanted: Retime) -> list[tuple[str, str]]:
    """A plan as labelled lines."""
    found = wanted.found
    finest = "; the log has whole seconds, and this one is taken whole" if found.whole_seconds else ""
    lines = [
        ("local", found.at.local + finest),
        ("utc", found.at.utc),
        ("epoch", found.at.epoch),
        ("position", found.position.executed[:_SHOWN] or "the beginning of the log"),
        ("next change", found.following.utc if found.following else "none yet"),
        ("log", f"from {found.earliest.utc} to {found.newest.utc}, the source's clock"),
        ("now at", wanted.current.executed[:_SHOWN] or "the beginning of the log"),
        ("sent again", _stretch(found.repeated)),
        ("skipped", _stretch(found.skipped)),
    ]
    if wanted.current.inside:
        lines.append(
            ("cut short", f"{wanted.current.inside}, of which {wanted.current.rows} rows were delivered")
        )
    lines += [(str(table), "will be read again at the next run") for table in wanted.again]
    lines += [
        (
            str(one.table),
            f"its shape there is not known: {one.statement[:120]} at {one.gtid}, {one.changed.utc}",
        )
        for one in wanted.unknown
    ]
    return lines


def _stretch(stretch: Stretch) -> str:
    if not stretch.transactions:
        return "nothing"
    first, last = (one.utc if one else "?" for one in (stretch.first, stretch.last))
    count = "1 transaction" if stretch.transactions == 1 else f"{stretch.transactions:,} transactions"
    return f"{count}, from {first} to {last}"

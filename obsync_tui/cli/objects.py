"""`obsync project objects`: a project's tables, and what is added to them or removed."""

import argparse

import msgspec

from obsync_tui.api import operations as op
from obsync_tui.api.requests import ChangeObjects, Named
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import show, show_json, show_table
from obsync_tui.cli.session import Session
from obsync_tui.cli.tables import listed
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.moment import Moment
from obsync_tui.model.objectchange import ObjectChange
from obsync_tui.model.views import ObjectView


class Objects(msgspec.Struct, frozen=True):
    """What is printed as JSON: the tables, and the newest object changes first."""

    tables: tuple[ObjectView, ...]
    changes: tuple[ObjectChange, ...]


def objects(session: Session, arguments: argparse.Namespace) -> int:
    """Add rules, remove some, or take back what is open; without an option show tables and changes."""
    name: str = arguments.name
    add, remove = listed(arguments.add), listed(arguments.remove)
    if arguments.cancel and (add or remove):
        raise ConfigError(
            "--cancel stands alone", where="project objects", cure="Cancel first, then add or remove."
        )
    if arguments.cancel:
        made = session.call(op.CANCEL_CHANGE, Named(name))
    elif add or remove:
        made = session.call(op.CHANGE_OBJECTS, ChangeObjects(name, add, remove))
    else:
        return _show(session, name, as_json=arguments.json)
    if arguments.json:
        show_json(made)
    else:
        show(f"{made.kind} {', '.join(made.rules)}: {made.state}{f': {made.text}' if made.text else ''}")
    return exit_codes.OK


def _show(session: Session, name: str, *, as_json: bool) -> int:
    found = Objects(session.call(op.OBJECTS, Named(name)), session.call(op.OBJECT_CHANGES, Named(name)))
    if as_json:
        show_json(found)
        return exit_codes.OK
    show_table(
        ("table", "topic", "changes"),
        [(f"{one.database}.{one.table}", one.topic, str(one.changes)) for one in found.tables],
    )
    if found.changes:
        show("")
    show_table(
        ("since", "who", "change", "state", "why"),
        [
            (Moment.of(one.at_s).utc, one.who, f"{one.kind} {', '.join(one.rules)}", one.state, one.text)
            for one in found.changes
        ],
    )
    return exit_codes.OK

"""`obsync project start | pause | resume | apply | component`: what is done to running projects."""

import argparse

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Batch, Component, Named, Start
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import note, show, show_json
from obsync_tui.cli.session import Session
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.lifecycle import Action
from obsync_tui.model.views import Outcome

_DONE = {Action.START: "started", Action.PAUSE: "paused", Action.RESUME: "resumed"}


def act(session: Session, arguments: argparse.Namespace) -> int:
    """Start, pause or resume projects by names or tag; with several each is tried, and its outcome told."""
    action = Action(arguments.action)
    names: list[str] = arguments.names
    if not names and not arguments.tag:
        raise ConfigError(
            "no project is named", where=f"project {action}", cure="Name projects, or give --tag."
        )
    outcomes: tuple[Outcome, ...]
    if len(names) == 1:
        outcomes = (_one(session, action, names[0], getattr(arguments, "take_over", False)),)
    else:
        outcomes = session.engine().call(op.BATCH, Batch(arguments.action, tuple(names), arguments.tag or ""))
    if arguments.json:
        show_json(list(outcomes))
    failed = [one for one in outcomes if one.error]
    for one in () if arguments.json else outcomes:
        if one.error:
            note(f"{one.name}: {one.error}")
        else:
            show(f"{_DONE[action]}: {one.name}")
    return exit_codes.named(failed[0].code) if failed else exit_codes.OK


def _one(session: Session, action: Action, name: str, take_over: bool) -> Outcome:
    session.engine()
    if action is Action.PAUSE:
        return session.call(op.PAUSE, Named(name))
    return session.call(op.START if action is Action.START else op.RESUME, Start(name, take_over))


def apply(session: Session, arguments: argparse.Namespace) -> int:
    """Let a running project take its edited file in."""
    found = session.call(op.FILE, Named(arguments.name))
    if found.diff:
        show(found.diff)
    applied = session.call(op.APPLY, Named(arguments.name))
    for what, changes in (
        ("takes effect now", applied.live),
        ("restarting at the checkpoint for", applied.restart),
        ("can never change", applied.never),
    ):
        for change in changes:
            show(f"{what}: {change.key}: {change.why}")
    if not (applied.live or applied.restart or applied.never):
        show("nothing differs")
    return exit_codes.OK if applied.done else exit_codes.CODES[ConfigError]


def component(session: Session, arguments: argparse.Namespace) -> int:
    """Start, pause or restart a component of a running project, or read tables again."""
    tables = tuple(part for part in (arguments.tables or "").split(",") if part)
    asked = Component(arguments.name, arguments.component, arguments.action, tables)
    for text in session.call(op.COMPONENT, asked).notes:
        show(text)
    return exit_codes.OK

"""`obsync project`: showing, checking, resetting and deleting projects."""

import argparse

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Confirmed, Events, ListProjects, Named, Release, Rename
from obsync_tui.cli import exit_codes
from obsync_tui.cli.checks import show_results
from obsync_tui.cli.output import confirm, note, show, show_complete, show_json, show_table
from obsync_tui.cli.session import Session
from obsync_tui.cli.status_text import status_block
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.views import ProjectSummary
from obsync_tui.presenters.quantities import lag_text, time_text


def check(session: Session, arguments: argparse.Namespace) -> int:
    """Run the precheck: one line an item, each failure with its cure."""
    results = session.call(op.CHECK, Named(arguments.name))
    return show_results(results, as_json=arguments.json)


def status(session: Session, arguments: argparse.Namespace) -> int:
    """Print the project's newest figures, their age, and whether it runs."""
    report = session.call(op.STATUS, Named(arguments.name))
    if arguments.json:
        show_json(report)
    elif report.status is None or report.age_s is None:
        print(f"{report.project} has not run yet")
    else:
        print(status_block(report.status, report.state, report.age_s))
    return exit_codes.OK


def list_all(session: Session, arguments: argparse.Namespace) -> int:
    """List the projects; a file that is wrong is named and makes the exit code that of configuration."""
    rows = session.call(op.PROJECTS, ListProjects(arguments.tag or ""))
    if arguments.json:
        show_json(list(rows))
    else:
        show_table(
            ("NAME", "FROM", "TO", "STATE", "STEP", "SOURCE LAG", "DELIVERY", "ROWS/S"),
            [_row(row) for row in rows if not row.error],
        )
    errors = [one.error for one in rows if one.error]
    for error in errors:
        note(error)
    return exit_codes.CODES[ConfigError] if errors else exit_codes.OK


def _row(row: ProjectSummary) -> tuple[str, ...]:
    state = str(row.state)
    if row.settling:
        state += " (stopping)"
    elif row.running and row.phase:
        state += f" ({row.phase})"
    return (
        row.name,
        row.source,
        row.destination,
        state,
        str(row.step or ""),
        lag_text(row.source_lag_s),
        lag_text(row.delivery_lag_s),
        f"{row.rows_per_s:.0f}",
    )


def show_one(session: Session, arguments: argparse.Namespace) -> int:
    """Print a project with all its defaults."""
    show_complete(session.call(op.PROJECT, Named(arguments.name)).project, as_json=arguments.json)
    return exit_codes.OK


def events(session: Session, arguments: argparse.Namespace) -> int:
    """Print what happened to a project, oldest first."""
    found = session.call(op.EVENTS, Events(arguments.name, arguments.limit))
    if arguments.json:
        show_json(list(found))
        return exit_codes.OK
    for event in found:
        by = f" ({event.who})" if event.who else ""
        show(f"{time_text(event.at_s)} {event.kind:<13} {event.text}{by}")
    return exit_codes.OK


def reset(session: Session, arguments: argparse.Namespace) -> int:
    """Forget a stopped project's progress, so that its next run starts from the beginning."""
    name = session.call(op.PROJECT, Named(arguments.name)).project.name
    confirm(
        name, arguments.yes, f"Resetting {name} forgets its progress: the next run sends everything again."
    )
    session.call(op.RESET, Confirmed(name, name))
    print(f"reset: {name}")
    return exit_codes.OK


def release(session: Session, arguments: argparse.Namespace) -> int:
    """End a stopped project for good: its checkpoint and view logs go, its history stays."""
    name = session.call(op.PROJECT, Named(arguments.name)).project.name
    confirm(
        name,
        arguments.yes,
        f"Releasing {name} removes its checkpoint: it can never be resumed. Topics and messages stay.",
    )
    _release(session, name, arguments.local_only)
    print(f"released: {name}")
    return exit_codes.OK


def _release(session: Session, name: str, local_only: bool) -> None:
    for text in session.call(op.RELEASE, Release(name, name, local_only)).notes:
        note(text)


def delete(session: Session, arguments: argparse.Namespace) -> int:
    """Release a stopped project where that is to be done, then remove its state and its file."""
    details = session.call(op.PROJECT, Named(arguments.name))
    name = details.project.name
    confirm(
        name,
        arguments.yes,
        f"Deleting {name} removes its file, its state and its checkpoint. Topics and messages stay.",
    )
    if details.summary.state not in (ProjectState.NOT_STARTED, ProjectState.RELEASED):
        _release(session, name, arguments.local_only)
    session.call(op.DELETE, Confirmed(name, name))
    print(f"deleted: {name}")
    return exit_codes.OK


def rename(session: Session, arguments: argparse.Namespace) -> int:
    """Give a project another name."""
    for text in session.call(op.RENAME, Rename(arguments.name, arguments.to)).notes:
        show(text)
    return exit_codes.OK


def clone(session: Session, arguments: argparse.Namespace) -> int:
    """Write a project of another name with the same options."""
    for text in session.call(op.CLONE, Rename(arguments.name, arguments.to)).notes:
        show(text)
    return exit_codes.OK

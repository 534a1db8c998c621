"""`obsync source logs`: the view logs of an OceanBase tenant, and those that nobody needs any more."""

import argparse

from obsync_tui.api import operations as op
from obsync_tui.api.requests import Named, Orphans
from obsync_tui.cli import exit_codes
from obsync_tui.cli.output import note, show_json, show_table
from obsync_tui.cli.session import Session
from obsync_tui.model.viewlog import ListedLog
from obsync_tui.presenters.quantities import time_text


def logs(session: Session, arguments: argparse.Namespace) -> int:
    """List the logs with their owners; drop those of projects that are gone when asked to."""
    name: str = arguments.name
    if arguments.drop_orphans:
        for text in session.call(op.DROP_ORPHANS, Orphans(name, name)).notes:
            note(text)
    listed = session.call(op.VIEW_LOGS, Named(name))
    if arguments.json:
        show_json(list(listed))
    else:
        show_table(
            ("TABLE", "OWNER", "CREATED", "PURGED UP TO", "LONGEST LOB"), [_row(log) for log in listed]
        )
    return exit_codes.OK


def _row(log: "ListedLog") -> tuple[str, ...]:
    owner = log.owner or "not known here"
    return (
        str(log.table),
        f"{owner} (gone)" if log.orphan else owner,
        time_text(log.created_s),
        time_text(log.purged_s),
        f"{log.lob_bytes:,}" if log.lob_bytes else "",
    )

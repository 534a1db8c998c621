"""`obsync source logs`: the view logs of an OceanBase tenant, and those that nobody needs any more."""

import argparse

from obsync_tui.cli import exit_codes
from obsync_tui.cli.oceanbase_source import oceanbase_source
from obsync_tui.cli.output import note, show_json, show_table
from obsync_tui.cli.session import Session
from obsync_tui.cli.status_text import time_text
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX
from obsync_tui.model.viewlog import ListedLog

_READ_TIMEOUT_S = 60.0


def logs(session: Session, arguments: argparse.Namespace) -> int:
    """List the logs with their owners; drop those of projects that are gone when asked to."""
    source = oceanbase_source(session, arguments.name)
    from obsync_tui.engine.oceanbase.connection import connect
    from obsync_tui.engine.state.database import StateFile
    from obsync_tui.engine.store.mlog.listing import drop_orphans, list_logs, owners

    where = f"source {source.name}"
    with StateFile(session.paths.state_file) as state:
        known = owners(state.records_like(VIEW_LOG_PREFIX))
    projects = {one.project.id: one.project.name for one in session.files.projects() if one.project}
    with connect(
        source, session.secrets.resolve(source.password), read_timeout_s=_READ_TIMEOUT_S
    ) as connection:
        listed = list_logs(connection, known, projects, where)
        if arguments.drop_orphans:
            for table in drop_orphans(connection, listed, known, where):
                note(f"dropped: the view log of {table}")
            listed = list_logs(connection, known, projects, where)
    if arguments.json:
        show_json(listed)
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

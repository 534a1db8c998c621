"""Checks of the view logs that a project needs."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pymysql

from obsync_tui.engine.precheck.model import CheckResult, Subject, listed
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.mlog.catalog import read_logs
from obsync_tui.engine.store.mlog.columns import LOB_TYPES, unfit
from obsync_tui.engine.store.mlog.listing import owner_of, owners
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableVersion

_MANY_TABLES = 100


def check_tables(subject: Subject, tables: Sequence[TableVersion]) -> Iterator[CheckResult]:
    """Every table can have a log, and there are not too many to poll."""
    refused = [f"{table.name}: {reason}" for table in tables if (reason := unfit(table))]
    if refused:
        yield subject.failed(
            "view logs",
            f"{len(refused)} tables cannot have one: {listed(refused)}",
            "Leave these tables out, or use Binlog Service.",
        )
    if len(tables) > _MANY_TABLES:
        yield subject.warned(
            "view logs",
            f"{len(tables)} tables: every poll asks all their logs, and changes arrive later than with fewer",
            "Use Binlog Service for that many tables.",
        )
    lobs = [table.name for table in tables if any(column.data_type in LOB_TYPES for column in table.columns)]
    if lobs:
        yield subject.warned(
            "view logs",
            f"{len(lobs)} tables have LOB columns: while the log is there, the application cannot write longer values "
            f"than 786,432 bytes to them, less where a table has several: {listed(lobs)}",
            "Where that is too short, accept_lost_lob_updates = true under [[objects.tables]] leaves the table's LOB "
            "columns out of its changes.",
        )
    if not refused and not lobs:
        yield subject.passed("view logs", f"{len(tables)} tables can have one")


def check_owners(
    subject: Subject,
    connection: pymysql.Connection,
    project: Project,
    tables: Sequence[TableVersion],
    state_file: Path,
) -> CheckResult:
    """No table has a log that is another project's, or nobody's."""
    known = {}
    names: dict[str, str] = {}
    if state_file.exists():
        with StateFile(state_file) as state:
            known = owners(state.records_like(VIEW_LOG_PREFIX))
            for claims in known.values():
                for one in claims:
                    status = state.status(one.project_id)
                    names[one.project_id] = status.project if status else one.project_id
    there = read_logs(connection, subject.name)
    taken = []
    for table in tables:
        facts = there.get(table.name)
        if facts is None:
            continue
        owned = owner_of(facts, known)
        if owned is None:
            taken.append(f"{table.name} (no project on this machine)")
        elif owned.project_id != project.id:
            taken.append(f"{table.name} (project {names[owned.project_id]})")
    if not taken:
        return subject.passed("view log owners", "no other project has a log on these tables")
    return subject.failed(
        "view log owners",
        f"{len(taken)} tables have a view log already, of: {listed(taken)}; a table has one log, and whoever reads it "
        "purges it",
        "Stop and delete that project, or leave the tables out. `obsync source logs` lists the logs.",
    )

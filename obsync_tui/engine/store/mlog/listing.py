"""The view logs of a tenant with their owners, and those that lost theirs."""

from collections.abc import Iterable, Mapping

import msgspec
import pymysql

from obsync_tui.engine.store.mlog.catalog import LogFacts, read_logs
from obsync_tui.engine.store.mlog.ownership import Owned, drop, owned_of
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.table import TableName
from obsync_tui.model.viewlog import ListedLog


def owners(records: Iterable[tuple[str, Record]]) -> dict[TableName, tuple[Owned, ...]]:
    """Who claims a table's log, from the records that this machine keeps of its projects, by project id."""
    found: dict[TableName, tuple[Owned, ...]] = {}
    for _, record in records:
        for table, owned in owned_of((record,)).items():
            found[table] = (*found.get(table, ()), owned)
    return found


def owner_of(facts: LogFacts, known: Mapping[TableName, tuple[Owned, ...]]) -> Owned | None:
    """Whose a log is; a claim counts only where nobody has it by its id."""
    claims = known.get(facts.table, ())
    exact = [one for one in claims if one.log_id == facts.log_id]
    return next(iter((*exact, *(one for one in claims if not one.log_id))), None)


def list_logs(
    connection: pymysql.Connection,
    known: Mapping[TableName, tuple[Owned, ...]],
    projects: Mapping[str, str],
    where: str,
) -> tuple[ListedLog, ...]:
    """Every view log of the tenant; `projects` are the names of this machine's by their ids. Raises SourceError."""
    listed = []
    for facts in read_logs(connection, where).values():
        owned = owner_of(facts, known)
        owner = projects.get(owned.project_id, owned.project_id) if owned else ""
        listed.append(
            ListedLog(
                facts.table,
                facts.log_id,
                facts.created_scn // 1_000_000_000,
                facts.purged_scn // 1_000_000_000,
                owner,
                owned is not None and owned.project_id not in projects,
                owned.lob_bytes if owned else 0,
            )
        )
    return tuple(listed)


def drop_orphans(
    connection: pymysql.Connection,
    listed: Iterable[ListedLog],
    known: Mapping[TableName, tuple[Owned, ...]],
    where: str,
) -> tuple[TableName, ...]:
    """Drop the logs whose project is gone; the tables that have none any more. Raises SourceError."""
    orphans = [log for log in listed if log.orphan]
    wanted = [
        msgspec.structs.replace(owned, log_id=log.log_id)
        for log in orphans
        for owned in known.get(log.table, ())
        if owned.log_id in (0, log.log_id)
    ]
    dropped, _ = drop(connection, {one.table: one for one in wanted}.values(), where)
    return dropped

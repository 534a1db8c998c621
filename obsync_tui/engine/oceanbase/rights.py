"""What the user of a tenant needs for each step, the statements that grant it, and the script that makes the user."""

import re
from collections.abc import Iterable, Sequence

import pymysql

from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.mysql.privileges import Rights
from obsync_tui.engine.oceanbase.logs import VIEW_LOG_COSTS
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.objects import SYSTEM_SCHEMAS
from obsync_tui.model.project import Step
from obsync_tui.model.table import TableName, quote_identifier

# GRANT's placeholder for a database that is not known yet.
ANY_DATABASE = "<database>"
# What tells a log's id and where it was purged; PURGE_LOG and CURRENT_SCN() are for every user.
_LOG_CATALOG = (TableName("oceanbase", "dba_objects"), TableName("oceanbase", "__all_mlog"))
# The log is made beside its table (CREATE), its LOB threshold is raised by the table's ALTER, and GRANT DROP on the log
# alone is refused until it exists.
_VIEW_LOG_RIGHTS = ("SELECT", "CREATE", "ALTER", "DROP")
_READ_RIGHTS = ("SELECT",)


def readable_databases(connection: pymysql.Connection) -> tuple[str, ...]:
    """The databases, system schemas apart, on which the account has any right. Raises SourceError."""
    names = [str(row[0]) for row in query(connection, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")]
    return tuple(sorted(name for name in names if name.lower() not in SYSTEM_SCHEMAS))


def missing_grants(
    rights: Rights,
    step: Step,
    log: LogChoice,
    tables: Iterable[TableName],
    databases: Iterable[str],
) -> tuple[str, ...]:
    """The GRANT statements without which the step cannot run.

    `tables` are those in scope that the account sees, `databases` those in scope as a whole. Binlog Service asks for no
    right of its own that a GRANT could be missing for: whether it answers is a check of its own.
    """
    by_view_logs = step is Step.INCREMENTAL and log is LogChoice.VIEW_LOG
    needed = _VIEW_LOG_RIGHTS if by_view_logs else _READ_RIGHTS
    names = sorted(tables)
    lacking: dict[str, set[str]] = {}
    for database in databases:
        lacking.setdefault(database, set()).update(r for r in needed if not rights.has(r, database))
    for name in names:
        # A log does not exist yet, so a right on its table does not reach it.
        lacking.setdefault(name.database, set()).update(
            right
            for right in needed
            if not rights.has(right, name.database, "*" if by_view_logs else name.table)
        )
    statements = [
        f"GRANT {', '.join(right for right in needed if right in missing)} ON {_pattern(database)}.*"
        f" TO {rights.quoted_account};"
        for database, missing in sorted(lacking.items())
        if missing
    ]
    if by_view_logs:
        statements += [
            f"GRANT SELECT ON {name.quoted} TO {rights.quoted_account};"
            for name in _LOG_CATALOG
            if not rights.has("SELECT", name.database, name.table)
        ]
    return tuple(statements)


def prepare_script(source: OceanBaseSource, databases: Sequence[str] = ()) -> str:
    """The script that makes the data source's user with the least rights, for the tenant's administrator.

    Without `databases` it has a placeholder for them; it never holds a password.
    """
    login = source.login
    account = "'" + login.user.replace("\\", "\\\\").replace("'", "''") + "'@'%'"
    scopes = [_pattern(database) for database in databases or (ANY_DATABASE,)]
    tenant = f" {login.tenant}" if login.tenant else ""
    lines = [
        f"-- Data source {source.name}: its user, with the least rights. Run it in the tenant{tenant} as root.",
        f"CREATE USER {account} IDENTIFIED BY '<password>';",
        "",
        "-- Schema and full synchronization.",
        *(f"GRANT SELECT ON {scope}.* TO {account};" for scope in scopes),
        "",
    ]
    if source.log is LogChoice.VIEW_LOG:
        extra = ", ".join(right for right in _VIEW_LOG_RIGHTS if right not in _READ_RIGHTS)
        lines += [
            "-- Incremental synchronization by view logs, which the user makes, purges and drops itself.",
            f"-- {VIEW_LOG_COSTS}",
            *(f"GRANT {extra} ON {scope}.* TO {account};" for scope in scopes),
            *(f"GRANT SELECT ON {name.quoted} TO {account};" for name in _LOG_CATALOG),
        ]
    else:
        lines += [
            "-- Incremental synchronization by Binlog Service; releases 2.x do not ask for these two.",
            f"GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO {account};",
        ]
    lines += [
        "",
        "-- Full synchronization reads a table as of one point, which must stay readable until it is done:",
        "-- raise undo_retention where that takes longer than its 1800 s (before 4.0: SET GLOBAL undo_retention).",
        "-- ALTER SYSTEM SET undo_retention = 10800;",
    ]
    return "\n".join(lines)


def _pattern(database: str) -> str:
    """A database as GRANT takes it, `_` and `%` meaning themselves."""
    return quote_identifier(re.sub(r"([_%\\])", r"\\\1", database))

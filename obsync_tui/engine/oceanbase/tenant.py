"""The tenant behind a session: its names, and the settings that decide how it can be read."""

import pymysql
import pymysql.cursors

from obsync_tui.engine.mysql.connection import address, query, translate
from obsync_tui.engine.oceanbase.connection import ask
from obsync_tui.engine.oceanbase.version import Version
from obsync_tui.model.datasource import TenantUser
from obsync_tui.model.tenant import Tenant

_VARIABLES = ("binlog_row_image", "lower_case_table_names", "time_zone", "undo_retention")


def read_tenant(connection: pymysql.Connection, login: TenantUser) -> Tenant:
    """What the session's tenant tells of itself; names that the user logs in by win. Raises SourceError."""
    names = ", ".join(f"'{name}'" for name in _VARIABLES)
    rows = query(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    variables = {str(name).lower(): str(value) for name, value in rows}
    # Not every engine knows the names, and the names of the login are those that ODP routes by.
    shown = ask(connection, "SHOW TENANT")
    retention = _parameter(connection, "undo_retention") or variables.get("undo_retention", "")
    case = variables.get("lower_case_table_names", "")
    return Tenant(
        tenant=login.tenant or (str(shown[0][0]) if shown else ""),
        cluster=login.cluster or _parameter(connection, "cluster"),
        time_zone=variables.get("time_zone", ""),
        binlog_row_image=variables.get("binlog_row_image", ""),
        lower_case_table_names=int(case) if case.isdecimal() else None,
        undo_retention_s=int(retention) if retention.isdecimal() else None,
    )


def raise_undo_retention(version: Version, seconds: int) -> str:
    """The statement by which the tenant's administrator lets flashback reads go back that far."""
    if version.sets_undo_retention_by_parameter:
        return f"ALTER SYSTEM SET undo_retention = {seconds};"
    return f"SET GLOBAL undo_retention = {seconds};"


def _parameter(connection: pymysql.Connection, name: str) -> str:
    """A parameter's value, the smallest where servers differ; empty where the account may not see it."""
    with connection.cursor(pymysql.cursors.DictCursor) as cursor:
        try:
            cursor.execute(f"SHOW PARAMETERS LIKE '{name}'")
        except pymysql.MySQLError as error:
            failure = translate(error, address(connection))
            if failure.retryable:
                raise failure from error
            return ""
        values = [str(row["value"]) for row in cursor.fetchall()]
    return min(values, key=lambda value: (len(value), value), default="")

"""Where a tenant's changes can be read from, and which of it a data source takes."""

import pymysql

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.mysql.connection import error_number, query
from obsync_tui.engine.oceanbase.version import Version
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.tenant import Available, Choice

VIEW_LOG_COSTS = (
    "View logs have their price: while a table has one, DROP, TRUNCATE, RENAME and MODIFY of it fail, so do writes of "
    "LOB values above 786,432 bytes (less where a table has several LOB columns), a column added later stops the "
    "table, and an INSERT of a thousand rows takes three to six times as long (one of a single row: as before)."
)
_SYNTAX = (1064, 1149, 1235)
_NO_TABLE = 1146


def binlog_service(connection: pymysql.Connection) -> Available:
    """Whether ODP leads to a Binlog Service: `SHOW MASTER STATUS` is answered with a GTID set there.

    An observer does not know the statement. SourceUnreachable when ODP has lost the service: ask again, on a new
    connection.
    """
    try:
        rows = query(connection, "SHOW MASTER STATUS")
    except SourceError as error:
        if error.retryable:
            raise
        if error_number(error) in _SYNTAX:
            return Available(
                False,
                "SHOW MASTER STATUS is not known here: this is an observer, or ODP has no Binlog Service configured",
                "Connect by ODP, and let its administrator name the service there: binlog_service_ip='<ip>:2983'.",
            )
        return Available(None, error.what, error.cure)
    if not rows:
        return Available(
            False,
            "Binlog Service has no log of this tenant",
            "Let its administrator run CREATE BINLOG FOR TENANT `<cluster>`.`<tenant>` … on it.",
        )
    row = rows[0]
    executed = str(row[4]) if len(row) > 4 and row[4] else "none yet"
    return Available(True, f"SHOW MASTER STATUS: {row[0]}, executed GTIDs {executed}")


def view_logs(connection: pymysql.Connection, version: Version) -> Available:
    """Whether materialized view logs can be made here. Raises SourceError."""
    if not version.has_view_logs:
        return Available(
            False,
            f"{version} has no materialized view logs",
            "They are in OceanBase from 4.3.1 on, and in seekdb before 1.4.",
        )
    try:
        query(connection, "SELECT COUNT(*) FROM oceanbase.DBA_MVIEW_LOGS")
    except SourceError as error:
        if error.retryable:
            raise
        if error_number(error) == _NO_TABLE:
            return Available(False, f"{version} has no oceanbase.DBA_MVIEW_LOGS")
        # Which view logs there are is not for this account; that there can be some the version says.
    lobs = "" if version.keeps_lobs_in_view_logs else "; columns of LOB types only from OceanBase 4.3.5 on"
    return Available(True, f"{version} has them{lobs}")


def choose(source: OceanBaseSource, binlog: Available, views: Available) -> Choice:
    """The log that the data source takes of those there are."""
    if source.log is LogChoice.VIEW_LOG:
        if not views.yes:
            return Choice(None, views.why, views.cure)
        if not source.accept_view_log_costs:
            return Choice(None, VIEW_LOG_COSTS, "To agree, set accept_view_log_costs = true.")
        return Choice(LogChoice.VIEW_LOG, 'log = "view-log", and its costs are accepted')
    if binlog.yes:
        why = 'log = "auto" takes Binlog Service' if source.log is LogChoice.AUTO else 'log = "binlog"'
        return Choice(LogChoice.BINLOG, why)
    cure = binlog.cure or "Ask the administrator for Binlog Service."
    if views.yes:
        cure += f' Or set log = "view-log" and accept_view_log_costs = true. {VIEW_LOG_COSTS}'
    return Choice(None, "Binlog Service does not answer", cure)

"""Sessions in a MySQL tenant of OceanBase, by ODP or by an observer."""

import pymysql

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.mysql.connection import error_number, log_in, query, where
from obsync_tui.engine.oceanbase.version import oracle_tenant, read_version
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.secret import Secret

# Longer than any pause between two statements or packets that back pressure causes.
_SESSION_TIMEOUT_S = 86_400
_SESSION_TIMEOUT_US = _SESSION_TIMEOUT_S * 1_000_000
# autocommit is set whatever the greeting says: the engine's lacks the bit that tells it. Weak reads have a snapshot of
# their own. The default of ob_query_timeout, 10 s, ends long reads with 4012.
_SESSION = (
    "SET time_zone = '+00:00', sql_mode = '', autocommit = 1, ob_read_consistency = 'STRONG'"
    f", ob_query_timeout = {_SESSION_TIMEOUT_US}, ob_trx_timeout = {_SESSION_TIMEOUT_US}"
)
# Versions differ in which of these they know.
_WHERE_ACCEPTED = (
    f"ob_trx_idle_timeout = {_SESSION_TIMEOUT_US}",
    f"wait_timeout = {_SESSION_TIMEOUT_S}",
    f"net_read_timeout = {_SESSION_TIMEOUT_S}",
    f"net_write_timeout = {_SESSION_TIMEOUT_S}",
    "max_execution_time = 0",
    "_show_ddl_in_compat_mode = 1",
)
# What an Oracle tenant says to a client of MySQL: NotSupportedError, "Oracle tenant for current client driver …".
_NOT_SUPPORTED = 1235


def connect(
    source: OceanBaseSource,
    password: Secret,
    *,
    read_timeout_s: float | None,
    character_set_results_null: bool = False,
) -> pymysql.Connection:
    """An authenticated session in UTC, autocommit, strong reads, an empty sql_mode and without server-side time limits.

    With `character_set_results_null` values come in their column's own character set. A transaction needs `begin()`:
    the driver does not see that autocommit is on. Errors: SourceUnreachable, SourceRefused; SourceUnfit for an Oracle
    tenant or another product; ConfigError when a TLS file cannot be read.
    """
    try:
        connection = log_in(source, password, read_timeout_s=read_timeout_s)
    except SourceError as error:
        if error_number(error) == _NOT_SUPPORTED and "oracle" in error.what.lower():
            raise oracle_tenant(where(source)) from error
        raise
    try:
        read_version(connection)
        query(connection, _SESSION, where=where(source))
        if not accepts(connection, "SET " + ", ".join(_WHERE_ACCEPTED)):
            for setting in _WHERE_ACCEPTED:
                accepts(connection, "SET " + setting)
        if character_set_results_null:
            query(connection, "SET character_set_results = NULL", where=where(source))
    except SourceError:
        connection.close()
        raise
    return connection


def ask(connection: pymysql.Connection, sql: str) -> list[tuple[object, ...]] | None:
    """The rows of a statement, None where the server does not know it or the account may not run it.

    Raises SourceUnreachable and other errors that trying again can help.
    """
    try:
        return query(connection, sql)
    except SourceError as error:
        if error.retryable:
            raise
        return None


def accepts(connection: pymysql.Connection, sql: str) -> bool:
    """Whether the server ran a statement."""
    return ask(connection, sql) is not None

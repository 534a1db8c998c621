"""Connections by MySQL's protocol, and what the errors of its servers mean."""

import ssl
from collections.abc import Sequence

import pymysql

from obsync_tui.engine.errors import (
    ConfigError,
    LogGap,
    SchemaChanged,
    SourceError,
    SourceRefused,
    SourceUnreachable,
)
from obsync_tui.model.datasource import MySQLSource, SqlSource, Tls
from obsync_tui.model.secret import Secret

# Longer than any pause between two statements or packets that back pressure causes.
_SESSION_TIMEOUT_S = 86_400
# Servers without these variables, MariaDB among them, read past the comments. MySQL 8.0 would answer row estimates
# from a cache of a day.
_SESSION = (
    "SET time_zone = '+00:00', sql_mode = '', autocommit = 1"
    f", wait_timeout = {_SESSION_TIMEOUT_S}, net_read_timeout = {_SESSION_TIMEOUT_S}"
    f", net_write_timeout = {_SESSION_TIMEOUT_S} /*!50708 , max_execution_time = 0 */"
    " /*!80003 , information_schema_stats_expiry = 0 */"
)

_PASSWORD_CURE = "Check user and password of the data source, and that this host may connect as that user."
_HOST_CURE = "Let the user connect from this host: CREATE USER '<user>'@'<this host>' IDENTIFIED BY …"
_RIGHT_CURE = "Run obsync project check: it prints the GRANT statements that are missing."
_REFUSED = {
    1044: _RIGHT_CURE,
    1045: _PASSWORD_CURE,
    1130: _HOST_CURE,
    1142: _RIGHT_CURE,
    1143: _RIGHT_CURE,
    1227: _RIGHT_CURE,
    1251: "The server wants another authentication plugin: ALTER USER … IDENTIFIED WITH mysql_native_password BY …",
    1370: _RIGHT_CURE,
    1698: "The user logs in by socket only: ALTER USER … IDENTIFIED WITH mysql_native_password BY …",
    1820: "The password must be changed first: ALTER USER USER() IDENTIFIED BY …",
    1862: "The password has expired: ALTER USER … IDENTIFIED BY …",
    2026: "Enable TLS on the server, or set [tls] enabled = false in the data source.",
    2049: "The user's password is in the form of MySQL 4.0: set it anew with ALTER USER … IDENTIFIED BY …",
    2059: "The server wants an authentication plugin that is not supported: "
    "ALTER USER … IDENTIFIED WITH mysql_native_password BY …",
    2061: "The server wants TLS or another authentication plugin: set tls in the data source.",
    3118: "The account is locked: ALTER USER … ACCOUNT UNLOCK.",
    3159: "The server accepts only TLS: set [tls] enabled = true in the data source.",
}
# Full, shutting down, connection broken, statement killed, lock not had in time: another try can succeed.
_PASSING = {
    1040: "The server has no connection left: raise max_connections or close some.",
    1053: "",
    1129: "The server blocks this host after failed connections: FLUSH HOSTS.",
    1152: "",
    1158: "",
    1159: "",
    1160: "",
    1161: "",
    1184: "",
    1203: "The user has no connection left: raise max_user_connections.",
    1205: "",
    1213: "",
    1226: "The user has used up a limit of its account: ALTER USER … WITH MAX_USER_CONNECTIONS 0 "
    "MAX_QUERIES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0",
    1317: "",
    2002: "Check that the server runs and that host and port are right.",
    2003: "Check that the server runs and that host and port are right.",
    2005: "Check the host name.",
    2006: "",
    2013: "",
    2014: "",
    2055: "",
    3024: "",
    4031: "",
}
_SCHEMA = {1049, 1054, 1146, 1412}
_TENANT_CURE = "Check the tenant and cluster in the data source's user: user@tenant#cluster."
# Numbers that only OceanBase and ODP send. Source: OceanBase's ob_errno.
_OCEANBASE_REFUSED = {4669: _TENANT_CURE, 5150: _TENANT_CURE, 5160: _TENANT_CURE}
_OCEANBASE_PASSING = {
    4012: "The statement took longer than ob_query_timeout or its query_timeout hint allows.",
    4013: "The tenant's memory is used up.",
    4030: "The tenant's memory is used up.",
    4038: "The partition has another leader now.",
    6210: "The transaction took longer than ob_trx_timeout allows.",
    8001: "The server is starting.",
}
_OCEANBASE = _OCEANBASE_REFUSED | _OCEANBASE_PASSING
_REFUSED |= _OCEANBASE_REFUSED
_PASSING |= _OCEANBASE_PASSING


def where(source: SqlSource) -> str:
    """How errors name the server."""
    return f"{source.name} ({source.host}:{source.port})"


def connect(
    source: MySQLSource,
    password: Secret,
    *,
    read_timeout_s: float | None,
    character_set_results_null: bool = False,
) -> pymysql.Connection:
    """An authenticated session in UTC, autocommit, with an empty sql_mode and without server-side time limits.

    With `character_set_results_null` values come in their column's own character set. Errors: SourceUnreachable,
    SourceRefused; ConfigError when a TLS file cannot be read.
    """
    connection = log_in(source, password, read_timeout_s=read_timeout_s)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_SESSION)
            if character_set_results_null:
                cursor.execute("SET character_set_results = NULL")
    except (pymysql.MySQLError, OSError) as error:
        connection.close()
        raise translate(error, where(source)) from error
    return connection


def log_in(source: SqlSource, password: Secret, *, read_timeout_s: float | None) -> pymysql.Connection:
    """An authenticated session with the server's own settings; errors are those of `connect`."""
    context = _tls_context(source.tls, where(source)) if source.tls.enabled else None
    try:
        return pymysql.connect(
            host=source.host,
            port=source.port,
            user=source.user,
            # As bytes: PyMySQL would encode text as latin1.
            password=password.reveal().encode(),
            charset="utf8mb4",
            connect_timeout=source.connect_timeout_s,
            read_timeout=read_timeout_s,
            write_timeout=read_timeout_s,
            ssl=context,
            ssl_disabled=context is None,
            program_name="obsync",
        )
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        raise translate(error, where(source)) from error


def query(
    connection: pymysql.Connection, sql: str, values: Sequence[object] = (), *, where: str = ""
) -> list[tuple[object, ...]]:
    """All rows of one statement; raises what `translate` makes of an error."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())
    except (pymysql.MySQLError, OSError) as error:
        raise translate(error, where or address(connection)) from error


def address(connection: pymysql.Connection) -> str:
    """Host and port of a connection, for errors."""
    return f"{connection.host}:{connection.port}"


def error_number(error: BaseException) -> int:
    """MySQL's number of an error, or of the error that it was made from; 0 when it has none."""
    cause = error if isinstance(error, pymysql.MySQLError) else error.__cause__
    if isinstance(cause, pymysql.MySQLError) and cause.args and isinstance(cause.args[0], int):
        return cause.args[0]
    return 0


def translate(error: BaseException, where: str) -> SourceError:
    """The engine's error for one of PyMySQL or of its socket; the original's number and text are kept."""
    number = error_number(error)
    original = getattr(error, "original_exception", None) or error
    if isinstance(original, ssl.SSLError):
        return SourceRefused(f"TLS failed: {original}", where=where, cure=_tls_cure(original))
    text = str(error.args[1]) if number and len(error.args) > 1 else str(error) or type(error).__name__
    what = f"{text} ({'OceanBase' if number in _OCEANBASE else 'MySQL'} error {number})" if number else text
    if number in _REFUSED:
        return SourceRefused(what, where=where, cure=_REFUSED[number])
    if number in _PASSING:
        return SourceUnreachable(what, where=where, cure=_PASSING[number])
    if number == 1236:
        return LogGap(
            what, where=where, cure="Reset the project to synchronize anew from a point the log still holds."
        )
    if number in _SCHEMA:
        return SchemaChanged(
            what, where=where, cure="The table is not what it was when it was read; run the check."
        )
    if isinstance(error, RuntimeError):
        # PyMySQL's word for a plugin it lacks a library for.
        return SourceRefused(what, where=where, cure=_REFUSED[2059])
    if isinstance(error, OSError | pymysql.InterfaceError):
        return SourceUnreachable(what, where=where)
    return SourceError(what, where=where)


def _tls_context(tls: Tls, where: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key or None)
    except OSError as error:
        files = ", ".join(file for file in (tls.ca, tls.cert, tls.key) if file)
        raise ConfigError(
            f"TLS files {files}: {error}", where=where, cure="Name readable PEM files under [tls]."
        ) from error
    # The certificates that MySQL makes for itself do not pass the strict check.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _tls_cure(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "Give the CA's file as ca under [tls] and use the host name that stands in the certificate, "
            "or set verify = false."
        )
    return "The server offers TLS versions that are not accepted here: enable TLSv1.2 or later on the server."

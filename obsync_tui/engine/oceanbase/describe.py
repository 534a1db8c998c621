"""A data source of OceanBase, described: what answers, how it can be read, and what the user may not do yet."""

from collections.abc import Callable

import pymysql

from obsync_tui.engine.errors import SourceUnreachable
from obsync_tui.engine.mysql.privileges import Rights, read_rights
from obsync_tui.engine.mysql.server import clock_offset_s
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.oceanbase.logs import binlog_service, choose, view_logs
from obsync_tui.engine.oceanbase.rights import ANY_DATABASE, missing_grants, readable_databases
from obsync_tui.engine.oceanbase.tenant import raise_undo_retention, read_tenant
from obsync_tui.engine.oceanbase.version import read_version
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.project import Step
from obsync_tui.model.secret import Secret
from obsync_tui.model.tenant import Available, Description, StepRights

_READ_TIMEOUT_S = 60.0
# ODP drops some status queries without a cause.
_ATTEMPTS = 3
_LONGER_RETENTION_S = 10_800


def describe(source: OceanBaseSource, password: Secret) -> Description:
    """Ask the tenant for everything that decides how it can be read; raises SourceError, ConfigError."""

    def open_session() -> pymysql.Connection:
        return connect(source, password, read_timeout_s=_READ_TIMEOUT_S)

    binlog = _patiently(open_session, binlog_service)
    with open_session() as connection:
        version = read_version(connection)
        views = view_logs(connection, version)
        databases = readable_databases(connection)
        rights = read_rights(connection)
        return Description(
            version=str(version),
            tenant=read_tenant(connection, source.login),
            account=rights.account,
            binlog_service=binlog,
            view_logs=views,
            log=choose(source, binlog, views),
            longer_flashback=raise_undo_retention(version, _LONGER_RETENTION_S),
            clock_offset_s=round(clock_offset_s(connection), 3),
            databases=databases,
            rights=_rights(rights, databases, source.log),
        )


def _rights(rights: Rights, databases: tuple[str, ...], log: LogChoice) -> tuple[StepRights, ...]:
    scope = databases or (ANY_DATABASE,)
    log = LogChoice.VIEW_LOG if log is LogChoice.VIEW_LOG else LogChoice.BINLOG
    return tuple(
        StepRights(
            step, log if step is Step.INCREMENTAL else None, missing_grants(rights, step, log, (), scope)
        )
        for step in Step
    )


def _patiently(
    open_session: Callable[[], pymysql.Connection], ask: Callable[[pymysql.Connection], Available]
) -> Available:
    for attempt in range(_ATTEMPTS):
        with open_session() as connection:
            try:
                return ask(connection)
            except SourceUnreachable as error:
                if attempt == _ATTEMPTS - 1:
                    return Available(None, error.what, error.cure)
    raise AssertionError("unreachable")

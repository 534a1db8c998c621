"""Rights on the engine: what is missing is told, and what is told is enough."""

from __future__ import annotations

import pymysql
import pytest
from msgspec.structs import replace

from obsync_tui.engine.errors import SourceRefused
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.mysql.privileges import read_rights
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.oceanbase.describe import describe
from obsync_tui.engine.oceanbase.rights import missing_grants, prepare_script
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.project import Step
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName
from obsync_tui.model.tenant import Description
from tests.engine.oceanbase.conftest import source
from tests.servers import OceanBaseServer


def log_in(server: OceanBaseServer, user: str) -> pymysql.Connection:
    return connect(source(server, f"{user}@sys"), Secret("x"), read_timeout_s=60)


def missing(server: OceanBaseServer, user: str, step: Step, log: LogChoice, database: str) -> tuple[str, ...]:
    with log_in(server, user) as session:
        return missing_grants(read_rights(session), step, log, (), (database,))


def test_granted_rights_suffice_for_a_full_read(
    oceanbase: OceanBaseServer, database: str, account: str
) -> None:
    oceanbase.execute(
        f"CREATE TABLE {database}.t (a INT PRIMARY KEY)", f"INSERT INTO {database}.t VALUES (1)"
    )
    statements = missing(oceanbase, account, Step.FULL, LogChoice.AUTO, database)
    pattern = database.replace("_", "\\_")
    assert statements == (f"GRANT SELECT ON `{pattern}`.* TO '{account}'@'%';",)
    with log_in(oceanbase, account) as session, pytest.raises(SourceRefused, match="1142"):
        query(session, f"SELECT a FROM {database}.t")
    oceanbase.execute(*statements)
    assert missing(oceanbase, account, Step.FULL, LogChoice.AUTO, database) == ()
    assert missing(oceanbase, account, Step.INCREMENTAL, LogChoice.BINLOG, database) == ()
    with log_in(oceanbase, account) as session:
        assert query(session, f"SELECT a FROM {database}.t AS OF SNAPSHOT CURRENT_SCN()") == [(1,)]


def test_granted_rights_suffice_for_a_view_log(
    oceanbase: OceanBaseServer, database: str, account: str
) -> None:
    oceanbase.execute(f"CREATE TABLE {database}.t (a INT PRIMARY KEY, b TEXT)")
    statements = missing(oceanbase, account, Step.INCREMENTAL, LogChoice.VIEW_LOG, database)
    assert len(statements) == 3
    oceanbase.execute(*statements)
    assert missing(oceanbase, account, Step.INCREMENTAL, LogChoice.VIEW_LOG, database) == ()
    with log_in(oceanbase, account) as session:
        query(
            session,
            f"CREATE MATERIALIZED VIEW LOG ON {database}.t WITH PRIMARY KEY, ROWID, SEQUENCE (b) INCLUDING NEW VALUES",
        )
        query(session, f"ALTER MATERIALIZED VIEW LOG ON {database}.t LOB_INROW_THRESHOLD = 786432")
        oceanbase.execute(f"INSERT INTO {database}.t VALUES (1, 'x')")
        assert query(session, f"SELECT a, b, ORA_ROWSCN > 0 FROM {database}.`mlog$_t`") == [(1, "x", 1)]
        query(session, f"CALL DBMS_MVIEW.PURGE_LOG('{database}.t')")
        purged = (
            "SELECT m.last_purge_rows, m.last_purge_scn > 0 FROM oceanbase.__all_mlog m JOIN oceanbase.DBA_OBJECTS o"
            f" ON o.OBJECT_ID = m.mlog_id WHERE o.OWNER = '{database}'"
        )
        assert query(session, purged) == [(1, 1)]
        query(session, f"DROP MATERIALIZED VIEW LOG ON {database}.t")


def test_a_grant_on_one_table_is_enough_to_read_it(
    oceanbase: OceanBaseServer, database: str, account: str
) -> None:
    oceanbase.execute(f"CREATE TABLE {database}.t (a INT)", f"GRANT SELECT ON {database}.t TO {account}")
    with log_in(oceanbase, account) as session:
        rights = read_rights(session)
    name = TableName(database, "t")
    assert missing_grants(rights, Step.FULL, LogChoice.AUTO, (name,), ()) == ()
    assert len(missing_grants(rights, Step.FULL, LogChoice.AUTO, (TableName(database, "u"),), ())) == 1
    assert len(missing_grants(rights, Step.INCREMENTAL, LogChoice.VIEW_LOG, (name,), ())) == 3


def test_the_script_makes_a_user_who_lacks_nothing(oceanbase: OceanBaseServer, database: str) -> None:
    user = f"made_{database}"
    wanted = replace(source(oceanbase, f"{user}@sys"), log=LogChoice.VIEW_LOG, accept_view_log_costs=True)
    script = prepare_script(wanted, [database])
    assert script.count("<password>") == 1
    lines = [
        line for line in script.replace("<password>", "x").splitlines() if line and not line.startswith("--")
    ]
    oceanbase.execute(*lines)
    try:
        found = describe(wanted, Secret("x"))
        assert found.databases == (database,)
        assert [step.missing for step in found.rights] == [(), (), ()]
        assert found.log.log is LogChoice.VIEW_LOG
    finally:
        oceanbase.execute(f"DROP USER {user}")


def test_the_script_for_binlog_service_runs_too(oceanbase: OceanBaseServer) -> None:
    script = prepare_script(source(oceanbase, "by'name@sys"))
    assert "ON `<database>`.* TO 'by''name'@'%';" in script
    lines = [line for line in script.splitlines() if line and not line.startswith("--")]
    oceanbase.execute(*lines)
    with connect(source(oceanbase, "by'name@sys"), Secret("<password>"), read_timeout_s=30) as session:
        rights = read_rights(session)
        assert rights.has("REPLICATION SLAVE") and rights.has("REPLICATION CLIENT")
    oceanbase.execute("DROP USER 'by''name'")


def described(server: OceanBaseServer, log: LogChoice, accept: bool = False) -> Description:
    return describe(OceanBaseSource("ob1", "127.0.0.1", "root", server.port, log=log, accept_view_log_costs=accept), Secret(""))  # fmt: skip


def test_what_is_chosen_and_why(oceanbase: OceanBaseServer) -> None:
    found = described(oceanbase, LogChoice.AUTO)
    assert (found.binlog_service.yes, found.view_logs.yes) == (False, True)
    assert "SHOW MASTER STATUS is not known" in found.binlog_service.why
    assert found.log.log is None
    assert "binlog_service_ip" in found.log.cure and 'log = "view-log"' in found.log.cure
    assert "three to six times as long" in found.log.cure
    assert found.tenant.undo_retention_s == 1800
    assert found.longer_flashback == "ALTER SYSTEM SET undo_retention = 10800;"
    refused = described(oceanbase, LogChoice.VIEW_LOG)
    assert (refused.log.log, refused.log.cure) == (None, "To agree, set accept_view_log_costs = true.")
    assert described(oceanbase, LogChoice.VIEW_LOG, accept=True).log.log is LogChoice.VIEW_LOG


def test_a_user_without_rights_is_told_what_to_grant(oceanbase: OceanBaseServer, account: str) -> None:
    found = describe(source(oceanbase, account), Secret("x"))
    assert found.databases == ()
    assert found.account == f"{account}@%"
    assert [step.missing for step in found.rights] == [
        (f"GRANT SELECT ON `<database>`.* TO '{account}'@'%';",)
    ] * 3
    assert found.view_logs.yes is True

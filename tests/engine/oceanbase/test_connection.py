"""Sessions on the engine, and what refuses them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pymysql
import pytest
from msgspec.structs import replace

from obsync_tui.engine.errors import SourceError, SourceRefused, SourceUnfit, SourceUnreachable
from obsync_tui.engine.mysql.connection import query, translate
from obsync_tui.engine.oceanbase.connection import accepts, ask, connect
from obsync_tui.engine.oceanbase.tenant import raise_undo_retention, read_tenant
from obsync_tui.engine.oceanbase.version import Edition, Version, parse_version, read_version
from obsync_tui.model.datasource import OceanBaseSource, TenantUser, Tls, parse_tenant_user
from obsync_tui.model.secret import Secret
from obsync_tui.model.tenant import Tenant
from tests.engine.oceanbase.conftest import source
from tests.servers import MySQLServer, OceanBaseServer, free_port


def test_a_session_has_no_limits_of_time(oceanbase: OceanBaseServer) -> None:
    oceanbase.execute("SET GLOBAL ob_query_timeout = 5000000", "SET GLOBAL ob_read_consistency = 'WEAK'")
    try:
        with connect(source(oceanbase), Secret(""), read_timeout_s=30) as session:
            day_us = 86_400_000_000
            assert query(
                session,
                "SELECT @@ob_query_timeout, @@ob_trx_timeout, @@ob_trx_idle_timeout, @@net_write_timeout, @@net_read_timeout,"
                " @@wait_timeout, @@time_zone, @@sql_mode, @@autocommit, @@_show_ddl_in_compat_mode",
            ) == [(day_us, day_us, day_us, 86400, 86400, 86400, "+00:00", "", 1, 1)]
            assert query(session, "SHOW VARIABLES LIKE 'ob_read_consistency'") == [
                ("ob_read_consistency", "STRONG")
            ]
    finally:
        oceanbase.execute(
            "SET GLOBAL ob_query_timeout = 10000000", "SET GLOBAL ob_read_consistency = 'STRONG'"
        )


def test_a_transaction_is_one_when_it_is_begun(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.t (a INT PRIMARY KEY)")
    query(session, f"INSERT INTO {database}.t VALUES (1)")
    session.begin()
    query(session, f"INSERT INTO {database}.t VALUES (2)")
    session.rollback()
    assert query(session, f"SELECT a FROM {database}.t") == [(1,)]


def test_values_come_in_their_own_character_set(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.t (a VARCHAR(9) CHARACTER SET gbk)")
    query(session, f"INSERT INTO {database}.t VALUES (X'A2E3'), (X'D6D0')")
    with session.cursor() as cursor:
        cursor.execute(f"SELECT HEX(a) FROM {database}.t ORDER BY 1")
        assert cursor.fetchall() == (("A2E3",), ("D6D0",))
    assert query(session, "SELECT @@character_set_results IS NULL") == [(1,)]


@pytest.mark.parametrize("user", ["root", "root@sys"])
def test_the_engine_takes_the_login_as_it_stands(oceanbase: OceanBaseServer, user: str) -> None:
    with connect(source(oceanbase, user), Secret(""), read_timeout_s=30) as session:
        assert query(session, "SELECT CURRENT_USER()") == [("root@%",)]


@pytest.mark.parametrize("user", ["root@nowhere", "root@sys#nowhere", "nobody@sys"])
def test_a_wrong_login_is_refused(oceanbase: OceanBaseServer, user: str) -> None:
    with pytest.raises(
        SourceRefused, match=r"ob1 \(127.0.0.1:\d+\): Access denied.*1045.*Check user"
    ) as caught:
        connect(source(oceanbase, user), Secret("hunter2"), read_timeout_s=30)
    assert "hunter2" not in str(caught.value)


def test_a_closed_port_is_unreachable(oceanbase: OceanBaseServer) -> None:
    with pytest.raises(SourceUnreachable):
        connect(replace(source(oceanbase), port=free_port()), Secret(""), read_timeout_s=30)


def test_mysql_is_another_kind(mysql57: MySQLServer) -> None:
    with pytest.raises(SourceUnfit, match=r"this is not OceanBase but .*5\.7\.22.*--kind mysql"):
        connect(OceanBaseSource("ob1", "127.0.0.1", "root", mysql57.port), Secret(""), read_timeout_s=30)


def test_tls(new_oceanbase: Callable[..., OceanBaseServer]) -> None:
    server = new_oceanbase(tls=True)
    assert server.certificates is not None
    trusting = replace(source(server), tls=Tls(enabled=True, ca=str(server.certificates.ca)))
    with connect(trusting, Secret(""), read_timeout_s=30) as session:
        assert query(session, "SELECT 1") == [(1,)]
    with pytest.raises(SourceRefused, match=r"TLS failed.*CA's file"):
        connect(replace(trusting, tls=Tls(enabled=True)), Secret(""), read_timeout_s=30)
    with connect(replace(trusting, tls=Tls(enabled=True, verify=False)), Secret(""), read_timeout_s=30):
        pass


def test_a_statement_that_takes_too_long_can_be_tried_again(session: pymysql.Connection) -> None:
    query(session, "SET ob_query_timeout = 1")
    with pytest.raises(SourceUnreachable, match=r"OceanBase error 4012.*ob_query_timeout"):
        query(session, "SELECT COUNT(*) FROM information_schema.COLUMNS")


def test_what_the_server_does_not_know_has_no_answer(oceanbase: OceanBaseServer) -> None:
    session = connect(source(oceanbase), Secret(""), read_timeout_s=30)
    assert ask(session, "SELECT 1") == [(1,)]
    assert ask(session, "SHOW MASTER STATUS") is None
    assert not accepts(session, "SET no_such_variable = 1")
    session.close()
    with pytest.raises(SourceUnreachable):
        ask(session, "SELECT 1")


def test_a_wrong_tenant_is_told_from_a_wrong_password() -> None:
    error = pymysql.OperationalError(4669, "cluster not exist")
    refused = translate(error, "ob1")
    assert isinstance(refused, SourceRefused)
    assert "user@tenant#cluster" in refused.cure


def test_the_version_of_the_engine(session: pymysql.Connection) -> None:
    version = read_version(session)
    assert version == Version((4, 3, 5, 3), Edition.SEEKDB, (1, 3, 0, 0))
    assert str(version) == "OceanBase 4.3.5.3 (seekdb 1.3.0.0)"
    assert version.has_view_logs and version.keeps_lobs_in_view_logs


# What servers answer: OB_VERSION(), @@version_comment, @@version. Source: reference 4.5; 3.1 from its documentation.
ANSWERS = (
    (("4.2.1.2", "OceanBase_CE 4.2.1.2 (r102000042023120514-)", "5.7.25-OceanBase_CE-v4.2.1.2"), Version((4, 2, 1, 2), Edition.CE), False),
    (("", "OceanBase_CE 4.3.1.0 (r1)", "5.7.25-OceanBase_CE-v4.3.1.0"), Version((4, 3, 1, 0), Edition.CE), True),
    (("", "", "5.7.25-OceanBase_CE-v4.0.0.0"), Version((4, 0, 0, 0), Edition.CE), False),
    (("4.2.5.1", "OceanBase 4.2.5.1 (r1)", "5.7.25-OceanBase-v4.2.5.1"), Version((4, 2, 5, 1), Edition.EE), False),
    (("", "OceanBase CE 3.1.4 (r10000092022071511)", "3.1.4-OceanBase CE"), Version((3, 1, 4), Edition.CE), False),
    (("4.3.5.3", "OceanBase 4.3.5.3 seekdb (r1.4.0.0)", "5.7.25-OceanBase seekdb-v1.4.0.0"), Version((4, 3, 5, 3), Edition.SEEKDB, (1, 4, 0, 0)), False),
)  # fmt: skip


@pytest.mark.parametrize(("answers", "version", "view_logs"), ANSWERS)
def test_versions(answers: tuple[str, str, str], version: Version, view_logs: bool) -> None:
    assert parse_version(*answers) == version
    assert version.has_view_logs is view_logs


@pytest.mark.parametrize("comment", ["MySQL Community Server (GPL)", "mariadb.org binary distribution"])
def test_other_products_are_not_oceanbase(comment: str) -> None:
    with pytest.raises(ValueError, match="not OceanBase"):
        parse_version("", comment, "8.0.36")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("obsync@mysql1#cluster1", TenantUser("obsync", "mysql1", "cluster1")),
        ("cluster1:mysql1:obsync", TenantUser("obsync", "mysql1", "cluster1")),
        ("obsync@mysql1", TenantUser("obsync", "mysql1")),
        ("obsync", TenantUser("obsync")),
        ("a@b@mysql1", TenantUser("a@b", "mysql1")),
    ],
)
def test_the_forms_of_a_login(text: str, parts: TenantUser) -> None:
    assert parse_tenant_user(text) == parts


def test_the_tenant_tells_of_itself(session: pymysql.Connection, oceanbase: OceanBaseServer) -> None:
    assert read_tenant(session, TenantUser("root")) == Tenant("sys", "obcluster", "+08:00", "FULL", 1, 1800)
    named = read_tenant(session, TenantUser("root", "mysql1", "cluster1"))
    assert (named.tenant, named.cluster) == ("mysql1", "cluster1")
    statement = raise_undo_retention(read_version(session), 2000)
    try:
        oceanbase.execute(statement)
        assert read_tenant(session, TenantUser("root")).undo_retention_s == 2000
    finally:
        oceanbase.execute("ALTER SYSTEM SET undo_retention = 1800")
    assert re.match("SET GLOBAL", raise_undo_retention(Version((3, 1, 4), Edition.CE), 2000))


def test_errors_of_the_engine_are_the_packages(session: pymysql.Connection) -> None:
    with pytest.raises(SourceError, match="1064"):
        query(session, "SHOW MASTER STATUS")

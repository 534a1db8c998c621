"""Connections to real servers, and what their errors become."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pymysql
import pytest

from obsync_tui.engine.errors import ConfigError, SchemaChanged, SourceError, SourceRefused, SourceUnreachable
from obsync_tui.engine.mysql.connection import connect, error_number, query, translate
from obsync_tui.model.datasource import MySQLSource, Tls
from obsync_tui.model.secret import Secret
from tests.servers import MySQLServer, free_port


def source(server: MySQLServer, user: str = "root", tls: Tls = Tls()) -> MySQLSource:  # noqa: B008
    return MySQLSource("shop", "127.0.0.1", user, server.port, tls=tls)


def open_root(server: MySQLServer) -> pymysql.Connection:
    return connect(source(server), Secret(""), read_timeout_s=30)


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    return request.getfixturevalue(request.param)


def test_the_session_is_the_same_on_every_server(server: MySQLServer) -> None:
    server.execute(
        "SET GLOBAL max_execution_time = 5000",
        "SET GLOBAL wait_timeout = 60",
        "SET GLOBAL time_zone = '+08:00'",
    )
    try:
        with open_root(server) as connection:
            assert query(
                connection,
                "SELECT @@time_zone, @@sql_mode, @@autocommit, @@max_execution_time, @@wait_timeout,"
                " @@net_write_timeout, @@net_read_timeout, @@character_set_results",
            ) == [("+00:00", "", 1, 0, 86400, 86400, 86400, "utf8mb4")]
    finally:
        server.execute(
            "SET GLOBAL max_execution_time = 0",
            "SET GLOBAL wait_timeout = 28800",
            "SET GLOBAL time_zone = 'SYSTEM'",
        )


def test_values_can_come_in_their_own_character_set(server: MySQLServer) -> None:
    with closing(
        connect(source(server), Secret(""), read_timeout_s=30, character_set_results_null=True)
    ) as connection:
        assert query(connection, "SELECT @@character_set_results IS NULL") == [(1,)]


def test_a_password_beyond_latin1_logs_in(server: MySQLServer) -> None:
    server.execute("DROP USER IF EXISTS pw", "CREATE USER pw IDENTIFIED BY 'пароль€'")
    with connect(source(server, "pw"), Secret("пароль€"), read_timeout_s=30) as connection:
        assert query(connection, "SELECT CURRENT_USER()") == [("pw@%",)]


def test_a_wrong_password_is_refused_and_not_shown(server: MySQLServer) -> None:
    with pytest.raises(
        SourceRefused, match=r"shop \(127.0.0.1:\d+\): Access denied.*1045.*Check user"
    ) as caught:
        connect(source(server), Secret("hunter2"), read_timeout_s=30)
    assert "hunter2" not in str(caught.value)


def test_sha2_passwords_log_in_without_tls(mysql80: MySQLServer) -> None:
    mysql80.execute(
        "DROP USER IF EXISTS sha2", "CREATE USER sha2 IDENTIFIED WITH caching_sha2_password BY 'x'"
    )
    with connect(source(mysql80, "sha2"), Secret("x"), read_timeout_s=30) as connection:
        assert query(connection, "SELECT 1") == [(1,)]


def test_a_closed_port_is_unreachable() -> None:
    with pytest.raises(SourceUnreachable, match=r"refused.*2003.*Check that the server runs"):
        connect(MySQLSource("shop", "127.0.0.1", "root", free_port()), Secret(""), read_timeout_s=1)


def test_a_missing_right_is_refused(server: MySQLServer) -> None:
    server.execute(
        "DROP USER IF EXISTS poor",
        "CREATE USER poor",
        "CREATE DATABASE IF NOT EXISTS shut",
        "CREATE TABLE IF NOT EXISTS shut.t (a INT)",
    )
    with connect(source(server, "poor"), Secret(""), read_timeout_s=30) as connection:
        for sql in ("SELECT * FROM shut.t", "SHOW MASTER STATUS", "USE shut", "FLUSH TABLES WITH READ LOCK"):
            with pytest.raises(SourceRefused, match="obsync project check"):
                query(connection, sql)


def test_a_killed_connection_is_unreachable(server: MySQLServer) -> None:
    connection = open_root(server)
    server.execute(f"KILL {connection.thread_id()}")
    with pytest.raises(SourceUnreachable):
        query(connection, "SELECT 1")
    connection.close()
    with pytest.raises(SourceUnreachable):
        query(connection, "SELECT 1")


def test_silence_beyond_the_time_out_is_unreachable(server: MySQLServer) -> None:
    with (
        connect(source(server), Secret(""), read_timeout_s=1) as connection,
        pytest.raises(SourceUnreachable, match="timed out"),
    ):
        query(connection, "SELECT SLEEP(20)")


def test_a_table_that_is_gone_has_its_number(server: MySQLServer) -> None:
    with open_root(server) as connection:
        with pytest.raises(SchemaChanged, match="1146") as caught:
            query(connection, "SELECT * FROM mysql.nothing")
        assert error_number(caught.value) == 1146
        with pytest.raises(SourceError, match="1064") as syntax:
            query(connection, "SELEC")
        assert (type(syntax.value), error_number(syntax.value)) == (SourceError, 1064)


def test_an_account_for_other_hosts_is_refused() -> None:
    error = translate(pymysql.err.OperationalError(1130, "Host 'x' is not allowed to connect"), "shop")
    assert (type(error), "CREATE USER" in error.cure) == (SourceRefused, True)


def test_tls(new_mysql: Callable[..., MySQLServer], tmp_path: Path) -> None:
    server = new_mysql("8.0", tls=True)
    server.execute("CREATE USER secure IDENTIFIED BY 'x' REQUIRE SSL")
    with connect(
        source(server, "secure", Tls(enabled=True, verify=False)), Secret("x"), read_timeout_s=30
    ) as connection:
        assert str(query(connection, "SHOW STATUS LIKE 'Ssl_cipher'")[0][1]) != ""
    with pytest.raises(SourceRefused, match=r"TLS failed.*\[tls\].*verify = false"):
        connect(source(server, "secure", Tls(enabled=True)), Secret("x"), read_timeout_s=30)
    with pytest.raises(SourceRefused, match="1045"):
        connect(source(server, "secure"), Secret("x"), read_timeout_s=30)
    missing = str(tmp_path / "none.pem")
    with pytest.raises(ConfigError, match=r"none\.pem.*No such file"):
        connect(source(server, "secure", Tls(enabled=True, ca=missing)), Secret("x"), read_timeout_s=30)


def test_a_server_without_tls_says_so(mysql57: MySQLServer) -> None:
    with pytest.raises(SourceRefused, match=r"2026.*Enable TLS"):
        connect(source(mysql57, tls=Tls(enabled=True)), Secret(""), read_timeout_s=30)

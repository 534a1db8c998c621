"""SHOW GRANTS of real servers, what is missing, and that the statements given cure it."""

from collections.abc import Iterator

import pytest

from obsync_tui.engine.mysql.connection import connect
from obsync_tui.engine.mysql.privileges import Rights, missing_grants, parse_grants, read_rights
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.project import Step
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName
from tests.servers import MySQLServer

EVERY_STEP = tuple(Step)
ORDERS, USERS = TableName("sh_op", "orders"), TableName("crm", "users")


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> Iterator[MySQLServer]:
    server: MySQLServer = request.getfixturevalue(request.param)
    server.execute(
        "CREATE USER 'o''b'@'127.0.0.1' IDENTIFIED BY 'x'",
        "CREATE DATABASE sh_op",
        "CREATE TABLE sh_op.orders (a INT, b INT)",
    )
    yield server
    server.execute("DROP USER 'o''b'@'127.0.0.1'", "DROP DATABASE sh_op")


def rights(server: MySQLServer, user: str = "o'b", password: str = "x") -> Rights:
    source = MySQLSource("shop", "127.0.0.1", user, server.port)
    with connect(source, Secret(password), read_timeout_s=30) as connection:
        return read_rights(connection)


def test_the_statements_given_are_what_is_missing(server: MySQLServer) -> None:
    missing = missing_grants(rights(server), EVERY_STEP, [ORDERS], ["sh_op", "crm"])
    assert missing == (
        "GRANT RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO 'o''b'@'127.0.0.1';",
        "GRANT SELECT ON `crm`.* TO 'o''b'@'127.0.0.1';",
        r"GRANT SELECT ON `sh\_op`.* TO 'o''b'@'127.0.0.1';",
    )
    server.execute(*missing)
    assert missing_grants(rights(server), EVERY_STEP, [ORDERS], ["sh_op", "crm"]) == ()


def test_full_alone_needs_no_replication_slave(server: MySQLServer) -> None:
    server.execute("GRANT RELOAD, REPLICATION CLIENT, SELECT ON *.* TO 'o''b'@'127.0.0.1'")
    assert missing_grants(rights(server), (Step.SCHEMA, Step.FULL), [ORDERS], ["crm"]) == ()
    assert missing_grants(rights(server), (Step.INCREMENTAL,), [ORDERS], ["crm"]) == (
        "GRANT REPLICATION SLAVE ON *.* TO 'o''b'@'127.0.0.1';",
    )


def test_rights_on_columns_are_not_enough(server: MySQLServer) -> None:
    server.execute("GRANT SELECT (a, b), UPDATE ON sh_op.orders TO 'o''b'@'127.0.0.1'")
    found = rights(server)
    assert (found.has("SELECT", "sh_op", "orders"), found.has("UPDATE", "sh_op", "orders")) == (False, True)
    server.execute("GRANT SELECT ON sh_op.orders TO 'o''b'@'127.0.0.1'")
    found = rights(server)
    assert (found.has("SELECT", "sh_op", "orders"), found.has("SELECT", "sh_op", "others")) == (True, False)


def test_all_privileges_and_root(server: MySQLServer) -> None:
    server.execute("GRANT ALL PRIVILEGES ON `%`.* TO 'o''b'@'127.0.0.1'")
    found = rights(server)
    assert (found.has("SELECT", "any", "t"), found.has("RELOAD")) == (True, False)
    assert missing_grants(rights(server, "root", ""), EVERY_STEP, [ORDERS, USERS], ["x"]) == ()


def test_rights_of_active_roles_count(mysql80: MySQLServer) -> None:
    mysql80.execute(
        "CREATE ROLE reader, `odd role`",
        "GRANT RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO reader",
        "GRANT SELECT ON crm.* TO `odd role`",
        "CREATE USER member IDENTIFIED BY 'x'",
        "GRANT reader, `odd role` TO member",
    )
    assert len(missing_grants(rights(mysql80, "member"), EVERY_STEP, [USERS], ())) == 2
    mysql80.execute("SET DEFAULT ROLE ALL TO member")
    assert missing_grants(rights(mysql80, "member"), EVERY_STEP, [USERS], ()) == ()
    mysql80.execute("DROP USER member", "DROP ROLE reader, `odd role`")


@pytest.mark.parametrize(
    ("grant", "database", "covered"),
    [
        (r"GRANT SELECT ON `sh\_op`.* TO u", "sh_op", True),
        (r"GRANT SELECT ON `sh\_op`.* TO u", "shxop", False),
        ("GRANT SELECT ON `sh_op`.* TO u", "shxop", True),
        ("GRANT SELECT ON `sh%`.* TO u", "shop2", True),
        (r"GRANT SELECT ON `sh\%`.* TO u", "shop2", False),
        ("GRANT SELECT, INSERT ON `a``b`.* TO u", "a`b", True),
        ("GRANT SELECT (`a`, `b`), INSERT ON `db`.`t` TO u", "db", False),
        ("GRANT EXECUTE ON PROCEDURE `db`.`p` TO u", "db", False),
        ("GRANT PROXY ON 'root'@'%' TO 'u1'@'%'", "db", False),
        ("GRANT `r1`@`%` TO `u1`@`%`", "db", False),
        ("GRANT USAGE ON *.* TO u", "db", False),
    ],
)
def test_grants_are_read(grant: str, database: str, covered: bool) -> None:
    assert Rights("u@%", parse_grants([grant])).has("SELECT", database, "t") is covered


def test_partial_revokes_take_away() -> None:
    found = Rights(
        "u@%", parse_grants(["GRANT SELECT ON *.* TO `u`@`%`", "REVOKE SELECT ON `secret`.* FROM `u`@`%`"])
    )
    assert [found.has("SELECT", database, "t") for database in ("shop", "secret")] == [True, False]
    assert found.has("SELECT")

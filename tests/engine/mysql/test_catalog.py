"""The catalog of real servers: every column attribute, keys, members, and many tables at once."""

from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import pymysql
import pytest

from obsync_tui.engine.mysql.catalog import estimates, parse_members, read_ddl, read_table, read_tables
from obsync_tui.engine.mysql.connection import connect
from obsync_tui.engine.mysql.hazards import CascadingKey, cascading_keys, doubtful_members, functional_indexes
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Objects
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import Column, Generated, TableName
from tests.servers import MySQLServer


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    return request.getfixturevalue(request.param)


@pytest.fixture
def connection(server: MySQLServer) -> Iterator[pymysql.Connection]:
    source = MySQLSource("shop", "127.0.0.1", "root", server.port)
    # As Full-Import connects: the catalog must read the same under it.
    with closing(
        connect(source, Secret(""), read_timeout_s=60, character_set_results_null=True)
    ) as connection:
        yield connection


@pytest.fixture
def database(server: MySQLServer) -> Iterator[str]:
    name = f"db_{uuid4().hex[:8]}"
    server.execute(f"CREATE DATABASE {name} DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
    yield name
    server.execute(f"DROP DATABASE {name}")


def rules(*include: str) -> ObjectRules:
    return ObjectRules(Objects(include))


COLUMNS = (
    ("i INT UNSIGNED NOT NULL", Column("i", "int", "int(10) unsigned", nullable=False, unsigned=True)),
    ("z BIGINT(5) ZEROFILL", Column("z", "bigint", "bigint(5) unsigned zerofill", unsigned=True)),
    ("t TINYINT(1)", Column("t", "tinyint", "tinyint(1)")),
    (
        "d DECIMAL(65,30) UNSIGNED",
        Column("d", "decimal", "decimal(65,30) unsigned", unsigned=True, precision=65, scale=30),
    ),
    ("f FLOAT", Column("f", "float", "float", precision=12)),
    ("f24 FLOAT(24)", Column("f24", "float", "float", precision=12)),
    ("f25 FLOAT(25)", Column("f25", "double", "double", precision=22)),
    ("f73 FLOAT(7,3)", Column("f73", "float", "float(7,3)", precision=7, scale=3)),
    ("b BIT(13)", Column("b", "bit", "bit(13)", length=13)),
    ("y YEAR", Column("y", "year", "year(4)")),
    ("tm TIME(6)", Column("tm", "time", "time(6)", fsp=6)),
    ("ts TIMESTAMP(3) NULL", Column("ts", "timestamp", "timestamp(3)", fsp=3)),
    ("dt DATETIME", Column("dt", "datetime", "datetime")),
    (
        "c CHAR(7) CHARACTER SET gbk",
        Column("c", "char", "char(7)", charset="gbk", collation="gbk_chinese_ci", length=7),
    ),
    (
        "v VARCHAR(70)",
        Column("v", "varchar", "varchar(70)", charset="utf8mb4", collation="utf8mb4_general_ci", length=70),
    ),
    ("vb VARCHAR(9) CHARACTER SET binary", Column("vb", "varbinary", "varbinary(9)", length=9)),
    ("bi BINARY(3)", Column("bi", "binary", "binary(3)", length=3)),
    (
        "tx MEDIUMTEXT CHARACTER SET latin1",
        Column("tx", "mediumtext", "mediumtext", charset="latin1", collation="latin1_swedish_ci"),
    ),
    ("bl BLOB", Column("bl", "blob", "blob")),
    ("j JSON", Column("j", "json", "json")),
    ("g GEOMETRY", Column("g", "geometry", "geometry")),
    ("p POINT", Column("p", "point", "point")),
    ("vg INT AS (t + 1) VIRTUAL", Column("vg", "int", "int(11)", generated=Generated.VIRTUAL)),
    ("sg INT AS (t + 1) STORED", Column("sg", "int", "int(11)", generated=Generated.STORED)),
    ("eb ENUM('a') CHARACTER SET binary", Column("eb", "enum", "enum('a')", members=("a",))),
    ("`wei``rd é` INT", Column("wei`rd é", "int", "int(11)")),
)


def test_every_attribute_of_a_column(
    server: MySQLServer, connection: pymysql.Connection, database: str
) -> None:
    server.execute(f"CREATE TABLE {database}.t ({', '.join(sql for sql, _ in COLUMNS)})")
    (table,) = read_tables(connection, rules(f"{database}.*"))
    assert table.columns == tuple(column for _, column in COLUMNS)
    assert (table.name, table.engine) == (TableName(database, "t"), "InnoDB")
    assert read_table(connection, table.name) == table


MEMBERS = (
    "it's",
    "x,y",
    "b\\s",
    "n\nl",
    "r\rq",
    "t\tq",
    "é中",
    "')",
    "(',",
    "",
    "'",
    "\\'",
    "unsigned",
    '"q"',
    "a b",
)


@pytest.mark.parametrize("charset", ["utf8mb4", "gbk", "utf16"])
def test_members_of_enum_and_set(
    server: MySQLServer, connection: pymysql.Connection, database: str, charset: str
) -> None:
    set_members = tuple(member for member in MEMBERS if "," not in member)
    with server.connect() as root, root.cursor() as cursor:
        enum, members = (", ".join(map(root.escape, names)) for names in (MEMBERS, set_members))
        cursor.execute(
            f"CREATE TABLE {database}.t (e ENUM({enum}) CHARACTER SET {charset}, s SET({members}) CHARACTER SET {charset})"
        )
    (table,) = read_tables(connection, rules(f"{database}.t"))
    assert [column.members for column in table.columns] == [MEMBERS, set_members]
    assert [column.unsigned for column in table.columns] == [False, False]
    assert doubtful_members(table) == ()


def test_a_member_that_the_catalog_cannot_print_is_doubted(
    server: MySQLServer, connection: pymysql.Connection, database: str
) -> None:
    server.execute(
        f"CREATE TABLE {database}.t (e ENUM('ok', '😀'), s SET('why?'), l ENUM('why?') CHARACTER SET latin1, f ENUM('é'))"
    )
    (table,) = read_tables(connection, rules(f"{database}.t"))
    assert doubtful_members(table) == ("e", "s")


@pytest.mark.parametrize("text", ["enum(", "enum('a", "enum('a',)", "int(11)", "enum('a'x)", "set()"])
def test_what_is_no_list_of_members_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an ENUM or SET"):
        parse_members(text)


def test_keys_in_key_order(server: MySQLServer, connection: pymysql.Connection, database: str) -> None:
    server.execute(
        f"CREATE TABLE {database}.t (a INT NOT NULL, b INT, c VARCHAR(20) NOT NULL, d INT NOT NULL, PRIMARY KEY (d, a),"
        " UNIQUE nullable (b, a), UNIQUE prefixed (c(3)), UNIQUE whole (c, a), UNIQUE again (d), KEY plain (a))",
        f"CREATE TABLE {database}.u (a INT NOT NULL, UNIQUE only_one (a))",
        f"CREATE TABLE {database}.v (a INT)",
    )
    t, u, v = read_tables(connection, rules(f"{database}.*"))
    assert (t.primary_key, t.unique_keys) == (("d", "a"), (("d",), ("c", "a")))
    assert (u.primary_key, u.unique_keys, u.key_columns()) == ((), (("a",),), ("a",))
    assert (v.primary_key, v.unique_keys, v.key_columns()) == ((), (), ())


def test_invisible_and_functional_keys_do_not_count(mysql80: MySQLServer) -> None:
    mysql80.execute(
        "CREATE DATABASE IF NOT EXISTS functional",
        "CREATE TABLE functional.t (id INT PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, UNIQUE hidden (b) INVISIBLE, UNIQUE f ((a * 2)), UNIQUE m (a, (b + 1)))",
        "CREATE TABLE functional.u (a INT NOT NULL, UNIQUE a (a))",
    )
    source = MySQLSource("shop", "127.0.0.1", "root", mysql80.port)
    with connect(source, Secret(""), read_timeout_s=60) as connection:
        t, u = read_tables(connection, rules("functional.*"))
        assert (t.unique_keys, u.unique_keys) == ((), (("a",),))
        assert functional_indexes(connection, [t.name, u.name]) == (t.name,)
    mysql80.execute("DROP DATABASE functional")


def test_only_base_tables_in_scope(
    server: MySQLServer, connection: pymysql.Connection, database: str
) -> None:
    server.execute(
        f"CREATE TABLE {database}.orders (a INT)",
        f"CREATE TABLE {database}.tmp_1 (a INT)",
        f"CREATE VIEW {database}.seen AS SELECT a FROM {database}.orders",
        f"CREATE TABLE {database}.`odd``name.中` (a INT) ENGINE = MyISAM",
    )
    scope = ObjectRules(Objects((f"{database}.*",), (f"{database}.tmp_*",)))
    tables = read_tables(connection, scope)
    assert [(str(table.name), table.engine) for table in tables] == [
        (f"{database}.odd`name.中", "MyISAM"),
        (f"{database}.orders", "InnoDB"),
    ]
    assert read_table(connection, TableName(database, "seen")) is None
    assert read_table(connection, TableName(database, "ORDERS")) is None
    assert read_table(connection, TableName("no_such", "orders")) is None


def test_a_few_of_many_tables_read_the_same_as_all(
    server: MySQLServer, connection: pymysql.Connection, database: str
) -> None:
    server.execute(*(f"CREATE TABLE {database}.t{i:02} (a INT PRIMARY KEY, b{i} CHAR(3))" for i in range(60)))
    every = read_tables(connection, rules(f"{database}.*"))
    assert [table.name.table for table in every] == [f"t{i:02}" for i in range(60)]
    assert read_tables(connection, rules(f"{database}.t07", f"{database}.t33")) == (every[7], every[33])


def test_estimates(server: MySQLServer, connection: pymysql.Connection, database: str) -> None:
    server.execute(
        f"CREATE TABLE {database}.full (a INT PRIMARY KEY)",
        f"CREATE TABLE {database}.empty (a INT)",
        f"INSERT INTO {database}.full VALUES {', '.join(f'({i})' for i in range(500))}",
        f"ANALYZE TABLE {database}.full",
    )
    full, empty, gone = (TableName(database, name) for name in ("full", "empty", "gone"))
    assert estimates(connection, [full, empty, gone]) == {full: 500, empty: 0}


def test_cascading_keys(server: MySQLServer, connection: pymysql.Connection, database: str) -> None:
    def child(name: str, rule: str) -> str:
        return (
            f"CREATE TABLE {database}.{name} (a INT, CONSTRAINT {name}_fk FOREIGN KEY (a)"
            f" REFERENCES {database}.parent (a) {rule})"
        )

    server.execute(
        f"CREATE TABLE {database}.parent (a INT PRIMARY KEY)",
        child("cascade1", "ON DELETE CASCADE"),
        child("nulled", "ON UPDATE SET NULL"),
        child("safe", "ON DELETE RESTRICT ON UPDATE NO ACTION"),
    )
    names = [table.name for table in read_tables(connection, rules(f"{database}.*"))]
    parent = TableName(database, "parent")
    found = {key.name: key for key in cascading_keys(connection, names)}
    assert set(found) == {"cascade1_fk", "nulled_fk"}
    cascade = found["cascade1_fk"]
    assert (cascade.child, cascade.parent, cascade.on_delete) == (
        TableName(database, "cascade1"),
        parent,
        "CASCADE",
    )
    assert found["nulled_fk"].on_update == "SET NULL"
    assert cascading_keys(connection, [parent]) == ()
    assert isinstance(cascade, CascadingKey)


def test_the_password_of_a_federated_table_is_not_in_its_statement(
    new_mysql: Callable[..., MySQLServer],
) -> None:
    other = r"CONNECTION='mysql://u:s3c''r\\et@127.0.0.1:1/d/t'"
    columns = "(id INT PRIMARY KEY COMMENT ' CONNECTION=''x''')"
    with new_mysql("8.0", options=["--federated"]) as server:
        server.execute(
            "CREATE DATABASE d", f"CREATE TABLE d.f {columns} ENGINE=FEDERATED COMMENT='a' {other}"
        )
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW CREATE TABLE d.f")
            (_, printed) = cursor.fetchone()
            assert other in printed
            shown = read_ddl(connection, TableName("d", "f"))
    assert shown == printed.replace(other, "CONNECTION='***'")

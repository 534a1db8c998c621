"""The catalog of the engine: columns, members, keys, partitions, and the engine's own tables left out."""

from __future__ import annotations

import pymysql
import pytest

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.oceanbase.catalog import (
    Partition,
    invisible_columns,
    parse_members,
    partitions,
    read_table,
    read_tables,
)
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Objects
from obsync_tui.model.table import Column, Generated, TableName

COLUMNS = (
    ("i INT UNSIGNED NOT NULL", Column("i", "int", "int(10) unsigned", nullable=False, unsigned=True)),
    ("z BIGINT(5) ZEROFILL", Column("z", "bigint", "bigint(5) unsigned zerofill", unsigned=True)),
    ("d DECIMAL(65,30) UNSIGNED", Column("d", "decimal", "decimal(65,30) unsigned", unsigned=True, precision=65, scale=30)),
    ("f73 FLOAT(7,3)", Column("f73", "float", "float(7,3)", precision=7, scale=3)),
    ("f25 FLOAT(25)", Column("f25", "double", "double", precision=22)),
    ("b BIT(13)", Column("b", "bit", "bit(13)", length=13)),
    ("y YEAR", Column("y", "year", "year(4)")),
    ("t TIMESTAMP(6) NULL", Column("t", "timestamp", "timestamp(6)", fsp=6)),
    ("dt DATETIME", Column("dt", "datetime", "datetime")),
    ("tm TIME(3)", Column("tm", "time", "time(3)", fsp=3)),
    ("c CHAR(3) CHARACTER SET gbk", Column("c", "char", "char(3)", charset="gbk", collation="gbk_chinese_ci", length=3)),
    ("v VARCHAR(20)", Column("v", "varchar", "varchar(20)", charset="utf8mb4", collation="utf8mb4_general_ci", length=20)),
    ("l VARCHAR(5) CHARACTER SET latin1", Column("l", "varchar", "varchar(5)", charset="latin1", collation="latin1_swedish_ci", length=5)),
    ("bi BINARY(4)", Column("bi", "binary", "binary(4)", length=4)),
    ("vb VARBINARY(40)", Column("vb", "varbinary", "varbinary(40)", length=40)),
    ("bl BLOB", Column("bl", "blob", "blob")),
    ("tx TEXT", Column("tx", "text", "text", charset="utf8mb4", collation="utf8mb4_general_ci")),
    ("j JSON", Column("j", "json", "json")),
    ("gv INT AS (1 + 1) VIRTUAL", Column("gv", "int", "int(11)", generated=Generated.VIRTUAL)),
    ("gs INT AS (1 + 1) STORED", Column("gs", "int", "int(11)", generated=Generated.STORED)),
)  # fmt: skip


def rules(*include: str) -> ObjectRules:
    return ObjectRules(Objects(include))


def test_columns(session: pymysql.Connection, database: str) -> None:
    definitions = ", ".join(definition for definition, _ in COLUMNS)
    query(session, f"CREATE TABLE {database}.t ({definitions})")
    table = read_table(session, TableName(database, "t"))
    assert table is not None
    assert table.columns == tuple(column for _, column in COLUMNS)
    assert (table.primary_key, table.unique_keys) == ((), ())


def test_members_are_those_of_the_server(session: pymysql.Connection, database: str) -> None:
    members = ("x", "y'z", "\\q\n", "ü", "😀", "a,b", "(')", "?", "it's", "")
    listed = ", ".join("'" + m.replace("\\", "\\\\").replace("'", "''") + "'" for m in members)
    query(session, f"CREATE TABLE {database}.t (i INT PRIMARY KEY, e ENUM({listed}), s SET('p''', 'q'))")
    query(
        session,
        f"INSERT INTO {database}.t (i, e) VALUES "
        + ", ".join(f"({i}, {i})" for i in range(1, len(members) + 1)),
    )
    table = read_table(session, TableName(database, "t"))
    assert table is not None
    assert table.columns[1].members == members
    assert table.columns[2].members == ("p'", "q")
    rows = query(session, f"SELECT HEX(CONVERT(e USING utf8mb4)) FROM {database}.t ORDER BY e + 0")
    assert tuple(bytes.fromhex(str(row[0])).decode() for row in rows) == members


def test_members_that_the_catalog_leaves_open_are_refused(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.t (e ENUM('a''''b'))")
    with pytest.raises(SourceError, match=rf"{database}\.t: column e: the catalog leaves open"):
        read_table(session, TableName(database, "t"))
    with pytest.raises(ValueError, match="not an ENUM"):
        parse_members("int(11)", None)


def test_keys(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.t (a INT, B INT, c INT NOT NULL, d INT, e VARCHAR(9) NOT NULL, PRIMARY KEY (B, a),"
        " UNIQUE KEY u1 (c, a), UNIQUE KEY u2 (d), UNIQUE KEY u3 (e(3)), KEY k (d), UNIQUE KEY u4 (e))")  # fmt: skip
    query(session, f"CREATE UNIQUE INDEX f ON {database}.t ((c + 1))")
    table = read_table(session, TableName(database, "t"))
    assert table is not None
    assert table.primary_key == ("B", "a")
    assert table.unique_keys == (("c", "a"), ("e",))


def test_partitions(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.h (a INT, b INT) PARTITION BY HASH (a) PARTITIONS 3")
    query(session, f"CREATE TABLE {database}.r (a INT, b INT) PARTITION BY RANGE (a) SUBPARTITION BY HASH (b) SUBPARTITIONS 2"
        " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (MAXVALUE))")  # fmt: skip
    query(session, f"CREATE TABLE {database}.w (a INT)")
    assert partitions(session, TableName(database, "h")) == tuple(
        Partition(f"p{i}", "HASH", "a") for i in range(3)
    )
    subparts = partitions(session, TableName(database, "r"))
    assert [part.name for part in subparts] == ["p0sp0", "p0sp1", "p1sp0", "p1sp1"]
    assert {(part.method, part.expression) for part in subparts} == {("HASH", "b")}
    assert partitions(session, TableName(database, "w")) == ()
    query(session, f"INSERT INTO {database}.r VALUES (1, 0), (1, 1), (11, 0), (11, 1), (12, 0)")
    counts = [
        query(session, f"SELECT COUNT(*) FROM {database}.r PARTITION ({part.name})")[0][0]
        for part in subparts
    ]
    assert counts == [1, 1, 2, 1]


def test_the_engines_own_tables_are_left_out(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.t (a INT PRIMARY KEY, b INT, c INT INVISIBLE)")
    query(session, f"CREATE TABLE {database}.`mlog$_mine` (a INT PRIMARY KEY)")
    query(
        session,
        f"CREATE MATERIALIZED VIEW LOG ON {database}.t WITH PRIMARY KEY, ROWID, SEQUENCE (b) INCLUDING NEW VALUES",
    )
    query(session, f"CREATE MATERIALIZED VIEW {database}.v AS SELECT COUNT(*) n FROM {database}.t")
    query(session, f"CREATE VIEW {database}.w AS SELECT 1")
    found = read_tables(session, rules(f"{database}.*"))
    assert [table.name.table for table in found] == ["mlog$_mine", "t"]
    assert read_table(session, TableName(database, "mlog$_t")) is None
    assert invisible_columns(session, [table.name for table in found]) == {TableName(database, "t"): ("c",)}


def test_names_in_lower_case(session: pymysql.Connection, database: str) -> None:
    query(session, f"CREATE TABLE {database}.Orders (Id INT PRIMARY KEY)")
    assert read_tables(session, rules(f"{database}.Orders")) == ()
    assert [table.columns[0].name for table in read_tables(session, rules(f"{database}.orders"))] == ["Id"]
    assert read_tables(session, rules("oceanbase.*", "mysql.*", "sys_external_tbs.*")) == ()

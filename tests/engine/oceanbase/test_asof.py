"""Rows by key as of a commit version, on the engine."""

from __future__ import annotations

from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.oceanbase.asof import values_as_of
from obsync_tui.engine.oceanbase.catalog import read_table
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName
from tests.servers import OceanBaseServer


def test_values_of_keys_of_several_types(oceanbase: OceanBaseServer, database: str) -> None:
    long = "长" * 10_000
    oceanbase.execute(
        f"CREATE TABLE {database}.page (k VARCHAR(20), at DATETIME(3), d DECIMAL(10,2), b VARBINARY(4),"
        " body LONGTEXT CHARSET gbk, doc JSON, PRIMARY KEY (k, at, d, b))",
        f"INSERT INTO {database}.page VALUES ('it''s', '2024-01-02 03:04:05.678', -1.50, x'00ff', '{long}', '{{\"a\": 1}}'),"
        f" ('é', '2024-01-02 03:04:05', 2, x'01', NULL, NULL)",
    )
    source = OceanBaseSource("ob1", "127.0.0.1", "root@sys", oceanbase.port)
    with connect(source, Secret(""), read_timeout_s=60, character_set_results_null=True) as connection:
        table = read_table(connection, TableName(database, "page"))
        assert table is not None
        scn = int(str(query(connection, "SELECT CURRENT_SCN()")[0][0]))
        oceanbase.execute(f"DELETE FROM {database}.page")
        first = (b"it's", b"2024-01-02 03:04:05.678", b"-1.50", b"\0\xff")
        second = ("é".encode(), b"2024-01-02 03:04:05", b"2.00", b"\1")
        absent = (b"none", *second[1:])

        def ask(at_scn: int) -> object:
            return values_as_of(connection, table, (4, 5), (first, second, absent), at_scn, "ob1")

        assert ask(scn) == {first: (long.encode("gbk"), b'{"a": 1}'), second: (None, None)}
        assert ask(int(str(query(connection, "SELECT CURRENT_SCN()")[0][0]))) == {}
        # Before the table was made.
        assert ask(scn - 3_600 * 10**9) is None

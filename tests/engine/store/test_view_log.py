"""The view-log Store on OceanBase's engine: transactions, values, keys, gaps, ownership."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import Any

import pytest

from obsync_tui.engine.errors import LogGap, SchemaChanged, SourceUnfit
from obsync_tui.engine.formats.default import DEFAULT
from obsync_tui.engine.formats.plan import Identity, RecordKind
from obsync_tui.engine.mysql.keysql import column_expression
from obsync_tui.engine.mysql.resultset import RawResults
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, Routing
from obsync_tui.engine.store.mlog import poll
from obsync_tui.engine.store.mlog.catalog import read_logs
from obsync_tui.engine.store.mlog.ownership import claim, drop, lob_limits, owned_of
from obsync_tui.engine.store.mlog.windows import windows
from obsync_tui.engine.store.store import LogBatch, RowGroup, TextShape, WireShape
from obsync_tui.model.message import Lanes
from obsync_tui.model.position import scn_gtid
from obsync_tui.model.project import DmlKind, KeyForm, new_project_id
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName, TableVersion
from tests.contract.sources import ViewLogSource
from tests.engine.store.driving import Driver, changes
from tests.servers import OceanBaseServer

Json = dict[str, Any]
INSERT, UPDATE, DELETE = DmlKind.INSERT, DmlKind.UPDATE, DmlKind.DELETE


@pytest.fixture
def source(oceanbase: OceanBaseServer) -> ViewLogSource:
    return ViewLogSource(oceanbase)


def followed(source: ViewLogSource, *statements: str, transaction: bool = False) -> Driver:
    """What a Store gives for statements."""
    driver = Driver(source)
    source.run(*statements, transaction=transaction)
    driver.reach(source.executed())
    return driver


def test_transactions_over_tables_and_partitions_come_as_one(source: ViewLogSource) -> None:
    source.run(
        "CREATE TABLE p (a INT, c INT, b VARCHAR(9), PRIMARY KEY (a, c)) PARTITION BY HASH(a) PARTITIONS 3"
    )
    source.take()
    driver = followed(
        source,
        "INSERT INTO p VALUES (1,1,'x'), (2,1,'y'), (3,1,'z')",
        "INSERT INTO t VALUES (7,'t')",
        "UPDATE p SET b = 'u'",
        "DELETE FROM p WHERE a = 2",
        transaction=True,
    )
    assert len({change.gtid for change in driver.changes}) == 1
    assert [c.table for c in driver.changes] == ["p"] * 7 + ["t"]
    for key in ("1", "2", "3"):
        history = [
            (c.kind, (c.after or c.before)[2]) for c in driver.changes if (c.after or c.before)[0] == key
        ]
        first = {"1": "x", "2": "y", "3": "z"}[key]
        assert history[:2] == [(INSERT, first), (UPDATE, "u")]
        assert history[2:] == ([(DELETE, "u")] if key == "2" else [])


def test_key_changes_and_upserts_are_delete_and_insert(source: ViewLogSource) -> None:
    driver = followed(
        source,
        "INSERT INTO t VALUES (1,'a'), (2,'b')",
        "UPDATE t SET id = id + 10",
        "REPLACE INTO t VALUES (11,'c')",
        "INSERT INTO t VALUES (12,'d') ON DUPLICATE KEY UPDATE v = 'e'",
    )
    assert [(c.kind, c.before, c.after) for c in driver.changes] == [
        (INSERT, (), ("1", "a")),
        (INSERT, (), ("2", "b")),
        (DELETE, ("1", "a"), ()),
        (DELETE, ("2", "b"), ()),
        (INSERT, (), ("11", "a")),
        (INSERT, (), ("12", "b")),
        (DELETE, ("11", "a"), ()),
        (INSERT, (), ("11", "c")),
        (DELETE, ("12", "b"), ()),
        (INSERT, (), ("12", "e")),
    ]


def test_tables_without_a_key_in_one_piece_and_in_partitions(source: ViewLogSource) -> None:
    source.run(
        "CREATE TABLE k (a INT, b VARCHAR(9))",
        "CREATE TABLE kp (a INT, b VARCHAR(9)) PARTITION BY HASH(a) PARTITIONS 3",
    )
    source.take()
    for table in ("k", "kp"):
        driver = followed(
            source,
            f"INSERT INTO {table} VALUES (1,'a'), (2,'b'), (3,'c')",
            f"UPDATE {table} SET b = CONCAT(b, 'x')",
            f"DELETE FROM {table} WHERE a = 2",
        )
        kinds = [change.kind for change in driver.changes]
        assert kinds == [INSERT] * 3 + [UPDATE] * 3 + [DELETE]
        updates = {(c.before, c.after) for c in driver.changes if c.kind is UPDATE}
        assert updates == {((a, b), (a, b + "x")) for a, b in (("1", "a"), ("2", "b"), ("3", "c"))}
        assert driver.changes[-1].before == ("2", "bx")


TYPES = """CREATE TABLE types (
    id BIGINT UNSIGNED, code VARCHAR(20) COLLATE utf8mb4_bin, ti TINYINT, bu BIGINT UNSIGNED, z INT ZEROFILL,
    de DECIMAL(30,10), fl FLOAT, db DOUBLE, bi BIT(12), y YEAR, d DATE, dt DATETIME(3), ts TIMESTAMP(6) NULL, tm TIME(2),
    ch CHAR(10), gb VARCHAR(20) CHARACTER SET gbk, bn BINARY(4), vb VARBINARY(20), e ENUM('a','b c','ü'), s SET('x','y'),
    te TEXT, bl BLOB, j JSON, PRIMARY KEY (code, id)
) DEFAULT CHARACTER SET utf8mb4"""
VALUES = (
    "(18446744073709551615, 'é', -128, 18446744073709551615, 42, -1234567890.0123456789, 16777216, 1e-7, b'101', 2024,"
    " '2024-02-29', '2024-02-29 23:59:59.120', '2024-03-31 02:30:00.000100', '-12:30:01.50', 'ch ', '中文', 'a\\0', 'b\\0\\0',"
    " 'ü', 'x,y', REPEAT('ж', 3000), x'00FF', '{\"a\": [1, 2.50, \"ü\"]}')",
    "(0, '', 0, 0, 0, 0, -0.1, 0, b'0', 0, '1000-01-01', '1000-01-01', '1970-01-02 00:00:01', '00:00:00', '', '', '', '',"
    " 'a', '', '', '', 'null')",
    "(5, 'nulls'" + ", NULL" * 21 + ")",
)


def messages(table: TableVersion, shape: WireShape, kind: RecordKind, bodies: list[bytes]) -> list[Json]:
    plans = tuple(
        (one, DEFAULT.row(table, one, Identity("MYSQL", "x"))) for one in dict.fromkeys((kind, *RecordKind))
    )
    plans = plans if kind is RecordKind.UPDATE else plans[:1]
    routing = Routing(KeyForm.NONE, (), (), 1, fixed_partition=0)
    lanes: Lanes = [[]]
    plan = compile_row_plan(PlanRequest(table, shape, kind, plans, routing))
    plan(bodies, 0, 1, "g:1", 1, 0, lanes, 0, lambda key: True)
    return [json.loads(message["value"]) for message in lanes[0]]


def test_values_have_the_text_of_a_full_read(source: ViewLogSource) -> None:
    source.run(TYPES)
    source.take()
    driver = Driver(source)
    source.run(
        f"INSERT INTO types VALUES {', '.join(VALUES)}",
        "UPDATE types SET ti = 1",
        "DELETE FROM types WHERE id = 7",
    )
    table = next(one for one in driver.tables if one.name.table == "types")
    session = connect(source.source, Secret(""), read_timeout_s=60, character_set_results_null=True)
    columns = ", ".join(column_expression(column) for column in table.columns)
    with session:
        sql = f"SELECT {columns} FROM {table.name.quoted} t ORDER BY id"
        rows = [row for some in RawResults(session, "ob1").rows(sql) for row in some]
    read = messages(table, TextShape(len(table.columns)), RecordKind.ROW, rows)
    source.run("DELETE FROM types")
    store, found = source.store(), []
    end = source.executed()
    for batch in driver.batches(store):
        found += [item for item in batch.items if isinstance(item, RowGroup)]
        if source.behind(batch.executed, end):
            break
    store.stop()
    given = {
        group.kind: messages(table, group.shape, RecordKind(str(group.kind)), group.bodies) for group in found
    }

    def structs(kind: DmlKind, struct: str) -> list[Json]:
        rows = [message[struct] for message in given[kind]]
        return sorted(rows, key=lambda row: int(str(row["id"])))

    full = [message["postStruct"] for message in read]
    assert structs(UPDATE, "postStruct") == structs(DELETE, "prevStruct") == full
    before = [{**row, "ti": old} for row, old in zip(full, (0, None, -128), strict=True)]
    assert structs(INSERT, "postStruct") == structs(UPDATE, "prevStruct") == before


def test_lob_columns_are_logged_up_to_the_stated_size(source: ViewLogSource) -> None:
    source.run(
        "CREATE TABLE l1 (id INT PRIMARY KEY, a LONGTEXT)",
        "CREATE TABLE l2 (id INT PRIMARY KEY, a LONGTEXT, b LONGBLOB)",
    )
    source.take()
    limits = {one.table.table: one.lob_bytes for one in owned_of(source.records.values()).values()}
    assert limits == {"t": 0, "l1": 786_432, "l2": 524_288}
    assert any("786,432 bytes" in line for line in lob_limits(owned_of(source.records.values()).values()))
    driver = followed(
        source, "INSERT INTO l1 VALUES (1, REPEAT('é', 350000))", "UPDATE l1 SET a = REPEAT('x', 700000)"
    )
    assert [len(change.after[1] or "") for change in driver.changes] == [350_000, 700_000]


def test_a_transaction_larger_than_a_window_is_streamed(
    source: ViewLogSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poll, "WINDOW_ROWS", 100)
    monkeypatch.setattr(poll, "windows", partial(windows, rows=100))
    source.run("CREATE TABLE u (id INT PRIMARY KEY, v INT) PARTITION BY HASH(id) PARTITIONS 2")
    source.take()
    driver = Driver(source)
    rows = ",".join(f"({i},0)" for i in range(150))
    small = [f"INSERT INTO t VALUES ({i}, 's')" for i in range(30)]
    source.run(*small)
    source.run(
        f"INSERT INTO u VALUES {rows}",
        "UPDATE u SET v = v + 1",
        "INSERT INTO t VALUES (99,'x')",
        transaction=True,
    )
    source.run("UPDATE u SET v = 7 WHERE id < 20", "DELETE FROM t WHERE id < 30")
    driver.reach(source.executed())
    streamed = driver.changes
    monkeypatch.undo()
    driver.changes, driver.position = (
        [],
        driver.position.__class__(f"{streamed[0].gtid[:36]}:1-{int(streamed[0].gtid[37:]) - 1}"),
    )
    driver.reach(source.executed())
    assert streamed == driver.changes
    assert len(streamed) == 30 + 301 + 20 + 30 and len({change.gtid for change in streamed}) == 33


def test_windows_are_bounded() -> None:
    rows = {10: 40, 11: 50, 12: 250, 13: 10, 14: 95}
    inside = {12_000_000_000 + i: n for i, n in enumerate((30, 60, 150, 10))}

    def histogram(after: int, upto: int, width: int) -> dict[int, int]:
        return inside if width == 1 else rows

    found = list(windows(histogram, 9_999_999_999, 20_000_000_000, rows=100))
    assert [count for _, count in found] == [90, 90, 150, 20, 95]
    assert [bound for bound, _ in found] == sorted({bound for bound, _ in found})
    assert found[2][0] == 12_000_000_002 and found[-1][0] == 20_000_000_000


def test_logs_dropped_made_anew_or_purged_by_others_are_gaps(source: ViewLogSource) -> None:
    name = f"{source.database}.t"
    for statements, what in (
        ((f"CALL DBMS_MVIEW.PURGE_LOG('{name}')",), "purged"),
        (("DROP MATERIALIZED VIEW LOG ON t",), "gone"),
        (
            ("CREATE MATERIALIZED VIEW LOG ON t WITH PRIMARY KEY, ROWID, SEQUENCE (v) INCLUDING NEW VALUES",),
            "created again",
        ),
    ):
        driver = Driver(source)
        source.run("INSERT INTO t VALUES (FLOOR(RAND() * 1e9), 'x')", *statements)
        with pytest.raises(LogGap, match=what) as raised:
            driver.reach(source.executed())
        assert name in raised.value.where


@pytest.mark.parametrize(
    "statement", ["CALL DBMS_MVIEW.PURGE_LOG('{}.t')", "DROP MATERIALIZED VIEW LOG ON t"]
)
def test_a_gap_under_way_is_seen_before_it_is_passed(source: ViewLogSource, statement: str) -> None:
    driver, ended = Driver(source), []
    reached, lost = threading.Event(), threading.Event()

    def hold(batch: LogBatch) -> bool:
        reached.set()
        lost.wait()
        return False

    def follow() -> None:
        with pytest.raises(LogGap) as raised:
            driver.follow(hold)
        ended.append(raised.value)

    thread = threading.Thread(target=follow)
    thread.start()
    # Held before it reads on: what is purged behind a reader is no gap.
    assert reached.wait(60)
    try:
        source.run("INSERT INTO t VALUES (1, 'x')")
        source.run(statement.format(source.database))
    finally:
        lost.set()
    thread.join(120)
    assert len(ended) == 1


def test_an_added_column_stops_with_the_cure(source: ViewLogSource) -> None:
    driver = Driver(source)
    source.run("ALTER TABLE t ADD COLUMN w INT")
    with pytest.raises(SchemaChanged, match=r"does not hold: w.*--resync"):
        driver.reach(source.executed())


def test_a_second_project_is_refused_and_told_the_owner(source: ViewLogSource) -> None:
    tables = source.tables()
    with source.connect() as connection:
        with pytest.raises(SourceUnfit, match="project orders owns"):
            claim(connection, new_project_id(), tables, {}, lambda facts: "orders", "ob1")
        with pytest.raises(SourceUnfit, match="no project on this machine owns"):
            claim(connection, new_project_id(), tables, {}, lambda facts: "", "ob1")
        mine = owned_of(source.records.values())
        assert claim(connection, source.project_id, tables, mine, lambda facts: "", "ob1") == ()
        assert drop(connection, mine.values(), "ob1") == ((TableName(source.database, "t"),), ())
        assert drop(connection, mine.values(), "ob1") == ((), (TableName(source.database, "t"),))
        assert TableName(source.database, "t") not in read_logs(connection, "ob1")


def test_what_a_log_cannot_hold_is_refused_before_anything_is_made(source: ViewLogSource) -> None:
    source.run("CREATE TABLE g (id INT PRIMARY KEY, a INT, b INT AS (a + 1) STORED)")
    with pytest.raises(SourceUnfit, match="generated columns: b"):
        source.take()


def test_the_gtid_of_an_scn_is_the_same_for_ever() -> None:
    assert str(scn_gtid(1795380095544785000)) == "6f627379-6e63-5000-8000-7669657764ff:1795380095544785000"


def test_changes_of_a_batch_name_their_transaction(source: ViewLogSource) -> None:
    driver = Driver(source)
    source.run("INSERT INTO t VALUES (1,'a')")
    store = source.store()
    found = [change for batch in [next(iter(driver.batches(store)))] for change in changes(batch)]
    store.stop()
    assert [(c.kind, c.after) for c in found] == [(INSERT, ("1", "a"))]

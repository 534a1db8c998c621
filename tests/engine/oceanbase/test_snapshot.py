"""Every row of every kind of table is read once, as of one commit version, on the engine."""

from __future__ import annotations

import threading
import time
from collections import Counter

import msgspec
import pytest

from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.full.keys import chunk_key
from obsync_tui.engine.full.ranges import Region, TableRecord
from obsync_tui.engine.full.reader import ChunkRequest
from obsync_tui.engine.mysql.keysql import select_rows, select_split_point
from obsync_tui.engine.oceanbase.flashback import flashback_place
from obsync_tui.engine.oceanbase.snapshot import OceanBaseSnapshots
from obsync_tui.model.datasource import LogChoice
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import executed_scn
from obsync_tui.model.project import Full, Objects
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName
from tests.engine.full.driving import select
from tests.engine.full.test_reading import KEYS, NUMBERS, Writer, make
from tests.engine.oceanbase.conftest import source
from tests.engine.oceanbase.driving import OceanBaseRun, agrees, rows_as_of, snapshots
from tests.servers import OceanBaseServer

PARTITIONINGS = {
    "hash": "PARTITION BY HASH (id) PARTITIONS 5",
    "key": "PARTITION BY KEY (id) PARTITIONS 3",
    "range": "PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (-60000), PARTITION `p 1` VALUES LESS THAN (0),"
    " PARTITION `P``2` VALUES LESS THAN MAXVALUE)",
    "sub": "PARTITION BY RANGE (id) SUBPARTITION BY HASH (id) SUBPARTITIONS 2"
    " (PARTITION p0 VALUES LESS THAN (0), PARTITION p1 VALUES LESS THAN MAXVALUE)",
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.usefixtures("numbers")
def test_rows_are_read_once(oceanbase: OceanBaseServer, database: str, kind: str) -> None:
    count = make(oceanbase, database, kind)
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=3, range_rows=count // 11), seed=1)
    run.drive()
    name = TableName(database, "t")
    assert agrees(run, name) == count
    version = run.version(name)
    assert chunk_key(version) == tuple(KEYS[kind][1].split(", "))
    record = TableRecord.decode(run.records[f"table:{database}.t"])
    assert record == TableRecord(name, chunk_key(version), (Region(None, 1),), count)


@pytest.mark.parametrize("partitioning", PARTITIONINGS.values(), ids=PARTITIONINGS)
@pytest.mark.usefixtures("numbers")
def test_partitioned_tables_are_read_once(
    oceanbase: OceanBaseServer, database: str, partitioning: str
) -> None:
    count = make(oceanbase, database, "int", partitioning)
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=3, range_rows=9_000), seed=3)
    run.aborts = 0.1
    ranges: Counter[int] = Counter()
    run.drive(
        lambda number: ranges.update(
            {len(run.progress._tables[TableName(database, "t")].ranges._segments): 1}
        )
    )
    assert agrees(run, TableName(database, "t")) == count
    assert max(ranges) >= 3


@pytest.mark.parametrize("kind", ["int", "composite", "string", "datetime"])
@pytest.mark.usefixtures("numbers")
def test_conditions_read_a_range_of_the_key(oceanbase: OceanBaseServer, database: str, kind: str) -> None:
    make(oceanbase, database, kind)
    snapshot = snapshots(oceanbase, f"{database}.*", 1).open(1)
    table, key = snapshot.tables[0], chunk_key(snapshot.tables[0])
    whole = ChunkRequest(table, key, None, None, 0)
    after, upto = snapshot.readers[0].split_point(whole, 100), snapshot.readers[0].split_point(whole, 300)
    request = ChunkRequest(table, key, after, upto, 0)
    place = flashback_place(request, snapshot.cut, ())
    rows = select_rows(request, place)
    for sql in (rows, select_split_point(request, 50, place)):
        plan = b"\n".join(row[0] or b"" for row in select(oceanbase, database, "EXPLAIN " + sql))
        assert b"TABLE RANGE SCAN" in plan and b"SORT" not in plan
        assert len(select(oceanbase, database, sql)) == (200 if sql == rows else 1)
    snapshot.close()


@pytest.mark.parametrize("partitioning", ["", "PARTITION BY HASH (a) PARTITIONS 4"])
@pytest.mark.usefixtures("numbers")
def test_tables_without_a_key_come_by_partition_in_the_hidden_keys_order(
    oceanbase: OceanBaseServer, database: str, partitioning: str
) -> None:
    oceanbase.execute(
        f"CREATE TABLE {database}.t (a INT, b VARCHAR(100)) {partitioning}",
        f"INSERT INTO {database}.t SELECT n MOD 5000, REPEAT('x', n MOD 100) FROM ({NUMBERS % 20}) s",
        f"CREATE TABLE {database}.e (e ENUM('z', 'a', 'm'), n INT, PRIMARY KEY (e, n))",
        f"INSERT INTO {database}.e SELECT 1 + n MOD 3, n FROM ({NUMBERS % 5}) s",
        f"CREATE TABLE {database}.empty (a INT)",
    )
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=2), seed=7)
    run.aborts = 0.3
    run.drive()
    name = TableName(database, "t")
    assert agrees(run, name) == 20_000
    assert agrees(run, TableName(database, "e")) == 5_000
    assert agrees(run, TableName(database, "empty")) == 0
    parts = [f" PARTITION (p{i})" for i in range(4)] if partitioning else [""]
    in_order = [
        row
        for part in parts
        for row in select(
            oceanbase,
            database,
            f"SELECT /*+ opt_param('hidden_column_visible','true') */ a, b FROM t{part} ORDER BY __pk_increment",
        )
    ]
    assert run.rows[name] == in_order
    assert run.record(name) == TableRecord(name, (), (Region(None, 1),), 20_000, first_cut=1, rows_cut=1)


@pytest.mark.usefixtures("numbers")
def test_a_snapshot_is_one_point_of_time(oceanbase: OceanBaseServer, database: str) -> None:
    """Each transaction adds 1 to a row and writes a journal: at any point both agree."""
    oceanbase.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, v INT)",
        f"INSERT INTO {database}.t SELECT n, 0 FROM ({NUMBERS % 5}) s",
        f"CREATE TABLE {database}.journal (n INT PRIMARY KEY AUTO_INCREMENT, id INT)",
    )
    writer = Writer(oceanbase, database)
    run = OceanBaseRun(oceanbase, f"{database}.*", Full(connections=2, range_rows=700))
    with writer:
        while writer.count < 50:
            time.sleep(0.01)
        run.drive(lambda _: time.sleep(0.02))
    seen = Counter(row[1] for row in run.rows[TableName(database, "journal")])
    assert 50 <= sum(seen.values()) < writer.count
    assert {key: int(v or 0) for key, v in run.rows[TableName(database, "t")] if v != b"0"} == seen
    cut = run.cut(1)
    assert cut.scn == cut.commit_us * 1000 + 999
    assert abs(cut.taken_s - cut.commit_us / 1e6) < 1 and cut.executed == ""


def test_a_cut_waits_for_ddl_to_pass(oceanbase: OceanBaseServer, database: str) -> None:
    oceanbase.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, a INT)", f"INSERT INTO {database}.t VALUES (1, 2)"
    )
    done = threading.Event()

    def alter() -> None:
        for i in range(12):
            oceanbase.execute(f"ALTER TABLE {database}.t ADD COLUMN c{i} INT DEFAULT {i}")
        done.set()

    thread = threading.Thread(target=alter)
    thread.start()
    for _ in range(3):
        snapshot = snapshots(oceanbase, f"{database}.*", 1).open(1)
        names = [column.name for column in snapshot.tables[0].columns]
        assert names == ["id", "a", *(f"c{i}" for i in range(len(names) - 2))]
        snapshot.close()
    thread.join()
    assert done.is_set()
    snapshot = snapshots(oceanbase, f"{database}.*", 1).open(1)
    values = [str(n).encode() for n in (1, 2, *range(12))]
    assert rows_as_of(oceanbase, snapshot.tables[0], snapshot.cut) == [tuple(values)]
    snapshot.close()


def test_a_start_point_is_a_cut_without_connections(oceanbase: OceanBaseServer, database: str) -> None:
    oceanbase.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY)")
    start = snapshots(oceanbase, f"{database}.*").start_point()
    assert [table.name for table in start.tables] == [TableName(database, "t")]
    assert start.cut.scn == start.cut.commit_us * 1000 + 999
    oceanbase.execute(f"INSERT INTO {database}.t VALUES (1)")
    assert rows_as_of(oceanbase, start.tables[0], start.cut) == []


def test_view_logs_are_read_from_the_cut_on(oceanbase: OceanBaseServer, database: str) -> None:
    oceanbase.execute(f"CREATE TABLE {database}.t (id INT PRIMARY KEY)")
    by_logs = msgspec.structs.replace(source(oceanbase), log=LogChoice.VIEW_LOG)
    rules = ObjectRules(Objects((f"{database}.*",)))
    start = OceanBaseSnapshots(by_logs, Secret(""), rules, 1).start_point()
    assert (executed_scn(start.cut.executed), start.cut.commit_us) == (start.cut.scn, 0)


def test_nothing_opens_after_stop(oceanbase: OceanBaseServer, database: str) -> None:
    stopped = snapshots(oceanbase, f"{database}.*")
    stopped.stop()
    with pytest.raises(EngineError):
        stopped.open(1)

"""Purging view logs: no row lost or twice, whoever writes, whenever the reader dies."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from obsync_tui.engine.errors import LogGap, SourceUnreachable
from obsync_tui.engine.mysql.privileges import read_rights
from obsync_tui.engine.oceanbase.rights import missing_grants
from obsync_tui.engine.store.mlog import stream
from obsync_tui.engine.store.mlog.purge import PURGE_DONE, PurgeRun, intent_of, purge_runs
from obsync_tui.engine.store.store import LogBatch
from obsync_tui.model.datasource import LogChoice
from obsync_tui.model.position import LogPosition, executed_scn
from obsync_tui.model.project import DmlKind, Step
from tests.contract.sources import ViewLogSource
from tests.engine.store.driving import Change, Driver, Fields, changes
from tests.servers import OceanBaseServer

_KEYS = 60


@pytest.fixture
def source(oceanbase: OceanBaseServer) -> ViewLogSource:
    source = ViewLogSource(oceanbase)
    source.run("CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY, v INT)")
    source.take()
    source.purge_rows = 200
    return source


def replay(found: list[Change]) -> dict[str, dict[str, Fields]]:
    """The tables that the changes make; fails when a change does not follow from those before it."""
    tables: dict[str, dict[str, Fields]] = {"a": {}, "b": {}, "t": {}}
    for change in found:
        rows = tables[change.table]
        if change.kind is not DmlKind.INSERT:
            assert rows.pop(str(change.before[0]), None) == change.before, change
        if change.kind is not DmlKind.DELETE:
            assert str(change.after[0]) not in rows, change
            rows[str(change.after[0])] = change.after
    return tables


def content(source: ViewLogSource) -> dict[str, dict[str, Fields]]:
    """The tables as they are."""
    tables: dict[str, dict[str, Fields]] = {}
    for name in ("a", "b", "t"):
        with source.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT id, v FROM {source.database}.{name}")
            tables[name] = {str(row[0]): (str(row[0]), str(row[1])) for row in cursor.fetchall()}
    return tables


def write(source: ViewLogSource, enough: threading.Event, seed: int) -> None:
    """Transactions over both tables until it is enough: insert, update, upsert, key change, delete."""
    choose = random.Random(seed)
    with source.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"USE {source.database}")
        while not enough.wait(0.01):
            cursor.execute("BEGIN")
            key, other = sorted(choose.sample(range(seed * _KEYS, (seed + 1) * _KEYS), 2))
            for table in ("a", "b"):
                cursor.execute(f"INSERT INTO {table} VALUES ({key}, 0) ON DUPLICATE KEY UPDATE v = v + 1")
                cursor.execute(f"UPDATE {table} SET v = v + 1 WHERE id BETWEEN {key} AND {key + 5}")
                if choose.random() < 0.4:
                    cursor.execute(f"DELETE FROM {table} WHERE id = {other}")
                    cursor.execute(f"UPDATE {table} SET id = {other} WHERE id = {key}")
            cursor.execute("COMMIT")


def test_no_row_is_lost_or_twice_with_writers_over_purges(source: ViewLogSource) -> None:
    driver, enough = Driver(source), threading.Event()
    writers = [threading.Thread(target=write, args=(source, enough, seed)) for seed in (1, 2, 3)]
    for writer in writers:
        writer.start()
    try:
        # Every second purge is followed by another reader.
        for purges in (2, 4, 6):
            driver.follow(lambda batch, purges=purges: driver.purges >= purges)  # type: ignore[misc]
    finally:
        enough.set()
        for writer in writers:
            writer.join()
    driver.reach(source.executed())
    assert driver.purges >= 6
    assert replay(driver.changes) == content(source)


def intended(driver: Driver) -> LogBatch:
    """Commit up to a batch that has the intent of a purge, which is returned and not committed."""
    store = driver.source.store()
    for batch in driver.batches(store):
        if batch.whole and intent_of(batch.records):
            store.stop()
            return batch
        driver.commit(batch, store)
    raise AssertionError("unreachable")


def died_after_intent(driver: Driver) -> LogBatch:
    """The batch that has the intent of a purge, which was the last thing that a reader made durable."""
    batch = intended(driver)
    driver.changes += changes(batch)
    driver.source.keep(batch.records)
    driver.position = LogPosition(batch.executed)
    return batch


def write_more(source: ViewLogSource, number: int) -> None:
    source.run(
        f"INSERT INTO a VALUES ({number}, 1)",
        f"INSERT INTO b VALUES ({number}, 1)",
        "UPDATE a SET v = v + 1 WHERE id < 9",
    )


def fill(source: ViewLogSource) -> None:
    for table in ("a", "b"):
        source.run(f"INSERT INTO {table} VALUES " + ",".join(f"({i}, 0)" for i in range(250)))


def nothing(source: ViewLogSource, batch: LogBatch) -> None:
    pass


def purge_one(source: ViewLogSource, batch: LogBatch) -> None:
    """What a reader has done that died between two purges."""
    source.run(f"CALL DBMS_MVIEW.PURGE_LOG('{source.database}.a')")


def purge_both(source: ViewLogSource, batch: LogBatch) -> None:
    purge_one(source, batch)
    write_more(source, 1001)
    source.run(f"CALL DBMS_MVIEW.PURGE_LOG('{source.database}.b')")


@pytest.mark.parametrize("done", [nothing, purge_one, purge_both])
def test_a_reader_that_dies_after_the_intent_goes_on(
    source: ViewLogSource, done: Callable[[ViewLogSource, LogBatch], None]
) -> None:
    driver = Driver(source)
    fill(source)
    batch = died_after_intent(driver)
    write_more(source, 1000)
    done(source, batch)
    write_more(source, 1002)
    driver.reach(source.executed())
    assert replay(driver.changes) == content(source)


def test_a_purge_begun_is_never_carried_on_behind_a_later_cut(source: ViewLogSource) -> None:
    """A table read again before the restart holds all up to its cut; its changes after it come under later names."""
    driver = Driver(source)
    fill(source)
    batch = died_after_intent(driver)
    purge_one(source, batch)
    source.run("INSERT INTO t VALUES (1, '1')")
    cut_scn = executed_scn(source.executed())
    write_more(source, 1000)
    driver.reach(source.executed())
    named = [int(change.gtid.rpartition(":")[2]) for change in driver.changes if change.table == "t"]
    assert len(named) == 1 and named[0] <= cut_scn
    assert replay(driver.changes) == content(source)


def test_a_purge_of_an_earlier_run_is_waited_for(source: ViewLogSource) -> None:
    driver = Driver(source)
    fill(source)
    batch = died_after_intent(driver)
    purge_one(source, batch)
    with source.connect() as running, source.connect() as asking:
        running._execute_command(0x03, "SELECT SLEEP(2) /* PURGE_LOG */")
        deadline_s = time.monotonic() + 2
        while not purge_runs(asking, "ob1"):
            assert time.monotonic() < deadline_s
        with pytest.raises(SourceUnreachable, match="a purge of a view log is still running"):
            next(iter(driver.batches(source.store())))
        running._read_query_result()
    driver.reach(source.executed())


def test_a_reader_that_dies_before_the_intent_is_durable_has_not_purged(source: ViewLogSource) -> None:
    driver = Driver(source)
    fill(source)
    intended(driver)
    write_more(source, 1000)
    driver.reach(source.executed())
    assert replay(driver.changes) == content(source)


def purged(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> list[LogBatch]:
    """Follow, with a clock that stands still, up to a purge; the batches of its transaction, not committed."""
    store = driver.source.store()
    for batch in driver.batches(store):
        if PURGE_DONE in batch.records:
            store.stop()
            monkeypatch.undo()
            return [batch]
        intent = intent_of(batch.records)
        if intent is not None:
            monkeypatch.setattr(stream, "current_scn", lambda connection, where, scn=intent.scn: scn)
            write_more(driver.source, 1000)
        driver.commit(batch, store)
    raise AssertionError("unreachable")


def test_the_transaction_of_a_purge_comes_again_the_same_and_can_be_resumed_inside(
    source: ViewLogSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = Driver(source)
    fill(source)
    first = purged(driver, monkeypatch)
    inside = [change for batch in first for change in changes(batch)]
    assert [(c.table, c.kind) for c in inside] == [
        *[("a", DmlKind.INSERT)],
        *[("a", DmlKind.UPDATE)] * 9,
        ("b", DmlKind.INSERT),
    ]
    write_more(source, 1003)
    for rows in (0, 4):
        driver.position = LogPosition(driver.position.executed, inside[0].gtid if rows else "", rows)
        again = source.store()
        batch = next(iter(driver.batches(again)))
        again.stop()
        assert list(changes(batch)) == inside and batch.executed == first[0].executed
    driver.reach(source.executed())
    assert replay(driver.changes) == content(source)


def test_a_transaction_that_a_reader_died_in_comes_again_under_its_name_from_a_purged_log(
    source: ViewLogSource,
) -> None:
    """Polls go on while a purge runs, so the position may lie inside a transaction that the purge has taken."""
    driver = Driver(source)
    fill(source)
    batch = died_after_intent(driver)
    source.run("UPDATE a SET v = 7 WHERE id < 5", "DELETE FROM b WHERE id < 5", transaction=True)
    write_more(source, 1000)
    reader = source.store()
    polled = list(changes(next(iter(driver.batches(reader)))))
    reader.stop()
    purge_both(source, batch)
    died_in = [change for change in polled if change.gtid == polled[0].gtid]
    assert [c.table for c in died_in] == ["a"] * 5 + ["b"] * 5
    driver.position = LogPosition(driver.position.executed, died_in[0].gtid, 3)
    known = len(driver.changes)
    driver.reach(source.executed())
    again = driver.changes[known:]
    assert again[:10] == died_in
    # The rest of what the purge took is one transaction, at its point.
    gtids = [change.gtid for change in again[10 : len(polled)]]
    assert set(gtids) == {gtids[0]} and gtids[0] > polled[-1].gtid
    assert replay(driver.changes) == content(source)


def test_polls_go_on_while_a_purge_runs(source: ViewLogSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transaction keeps its own name, also those that are committed while a purge runs."""
    driver, written, is_over = Driver(source), 0, PurgeRun.is_over
    monkeypatch.setattr(PurgeRun, "is_over", lambda run, wait_s=0.0: is_over(run, wait_s) and written > 8)
    store = source.store()
    fill(source)
    for batch in driver.batches(store):
        driver.commit(batch, store)
        if driver.purges:
            break
        source.run(f"INSERT INTO a VALUES ({2000 + written}, 0)")
        written += 1
    store.stop()
    driver.reach(source.executed())
    later = [change.gtid for change in driver.changes if int(change.after[0] or 0) >= 2000]
    assert written > 8 and len(later) == len(set(later)) == written
    assert replay(driver.changes) == content(source)


def test_purges_of_others_beside_ours_are_a_gap(source: ViewLogSource) -> None:
    driver = Driver(source)
    fill(source)
    batch = died_after_intent(driver)
    write_more(source, 1000)
    purge_one(source, batch)
    write_more(source, 1001)
    purge_one(source, batch)
    with pytest.raises(LogGap, match="also purged by somebody else"):
        driver.reach(source.executed())


def test_nothing_is_lost_when_somebody_else_purges_after_an_intent(source: ViewLogSource) -> None:
    driver = Driver(source)
    fill(source)
    batch = intended(driver)
    driver.reach(source.executed())
    source.keep(batch.records)
    assert executed_scn(driver.position.executed) > executed_scn(batch.executed)
    write_more(source, 1000)
    purge_one(source, batch)
    write_more(source, 1001)
    driver.reach(source.executed())
    assert replay(driver.changes) == content(source)


def test_the_rights_that_are_asked_for_suffice_for_all_of_it(source: ViewLogSource) -> None:
    user = f"u_{source.database}"
    source.run(f"CREATE USER {user} IDENTIFIED BY ''")
    source.source = replace(source.source, user=f"{user}@sys")
    with source.connect() as connection:
        rights = read_rights(connection)
    source.run(*missing_grants(rights, Step.INCREMENTAL, LogChoice.VIEW_LOG, (), (source.database,)))
    source.run("CREATE TABLE l (id INT PRIMARY KEY, v TEXT)")
    source.take()
    driver = Driver(source)
    fill(source)
    batch = died_after_intent(driver)
    write_more(source, 1000)
    purge_one(source, batch)
    driver.reach(source.executed())
    assert replay(driver.changes) == content(source)

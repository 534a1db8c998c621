"""Materialized view logs: the engine's own change capture, which stands for libobcdc here.

They hold every column but generated ones, with the threshold for LOB values as high as the engine lets it be: a longer
value makes the application's statement fail, as Binlog Service never would. They tell no order between tables within
a transaction, nor between partitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pymysql

from tests.servers.binlogservice.columns import Column, quoted
from tests.servers.binlogservice.engine import Engine, Row
from tests.servers.binlogservice.tables import Table

_THRESHOLDS = (786432, 393216, 262144, 131072, 65536, 32768)
_TOGETHER = 50
_EXISTS = (1050, 5019)
_MISSING = (1146, 1051, 1235)
_HIDDEN_KEY = "M_ROW$$"
_FIXED_FIELDS = 4


def create_log(engine: Engine, table: Table) -> None:
    """Create the table's log if there is none; raises pymysql.MySQLError."""
    logged = [c for c in table.columns if not c.stored and c.name not in table.key]
    columns = f" ({', '.join(quoted(column.name) for column in logged)})" if logged else ""
    try:
        engine.run(
            f"CREATE MATERIALIZED VIEW LOG ON {table.quoted}"
            f" WITH PRIMARY KEY, ROWID, SEQUENCE{columns} INCLUDING NEW VALUES"
        )
    except pymysql.MySQLError as error:
        if error.args[0] not in _EXISTS:
            raise
        return
    if any(column.lob for column in logged):
        _raise_threshold(engine, table)


def _raise_threshold(engine: Engine, table: Table) -> None:
    for size in _THRESHOLDS:
        try:
            engine.run(f"ALTER MATERIALIZED VIEW LOG ON {table.quoted} LOB_INROW_THRESHOLD = {size}")
        except pymysql.MySQLError:
            # The columns together are too long for one row.
            continue
        return


def drop_log(engine: Engine, table: Table) -> None:
    """Drop the table's log; nothing when it has none."""
    try:
        engine.run(f"DROP MATERIALIZED VIEW LOG ON {table.quoted}")
    except pymysql.MySQLError as error:
        if error.args[0] not in _MISSING:
            raise


def purge_log(engine: Engine, table: Table) -> None:
    """Let the log forget all its rows."""
    engine.run(f"CALL DBMS_MVIEW.PURGE_LOG('{table.database}.{table.name}')")


def existing_logs(engine: Engine) -> set[str]:
    """Tables that have a log, as `database.table`."""
    rows = engine.texts(
        "SELECT o.OWNER, o.OBJECT_NAME FROM oceanbase.__all_mlog m"
        " JOIN oceanbase.DBA_OBJECTS o ON o.OBJECT_ID = m.mlog_id"
    )
    return {f"{owner}.{name.removeprefix('mlog$_')}" for owner, name in rows}


def changed_tables(engine: Engine, tables: Sequence[Table], after_scn: int, upto_scn: int) -> dict[int, int]:
    """How many rows of each table's log were committed in the range, by the table's place; only those with some."""
    found: dict[int, int] = {}
    for start in range(0, len(tables), _TOGETHER):
        some = tables[start : start + _TOGETHER]
        counts = " UNION ALL ".join(
            f"SELECT {start + place}, COUNT(*) FROM {table.log} t WHERE {_range(after_scn, upto_scn)}"
            for place, table in enumerate(some)
        )
        found.update({int(place): int(count) for place, count in engine.texts(counts) if count != "0"})
    return found


class Change:
    """One row change: images in the table's columns, as the engine prints them."""

    __slots__ = ("after", "before", "place", "scn", "sequence")

    def __init__(self, scn: int, place: int, sequence: int, before: Row | None, after: Row | None) -> None:
        self.scn = scn
        self.place = place
        self.sequence = sequence
        self.before = before
        self.after = after


def read_changes(engine: Engine, table: Table, place: int, after_scn: int, upto_scn: int) -> list[Change]:
    """The changes committed in the range, in no order."""
    rows = engine.run(
        f"SELECT t.ORA_ROWSCN, t.DMLTYPE$$, t.OLD_NEW$$, t.SEQUENCE$$, {_fields(table)} FROM {table.log} t"
        f" WHERE {_range(after_scn, upto_scn)}"
    )
    return list(_paired(rows, place, len(table.key) or 1))


def _paired(rows: Iterable[Row], place: int, key_fields: int) -> Iterable[Change]:
    """INSERT and DELETE are one row each, UPDATE two of one key, the old one first by their numbers."""
    start = _FIXED_FIELDS + key_fields
    old_ones: dict[tuple[object, ...], tuple[int, Row]] = {}
    for row in sorted(rows, key=lambda row: (int(row[0] or 0), int(row[3] or 0), row[2] != b"O")):
        scn, kind, side, sequence = int(row[0] or 0), row[1], row[2], int(row[3] or 0)
        key, image = (scn, *row[_FIXED_FIELDS:start]), row[start:]
        if kind == b"I":
            yield Change(scn, place, sequence, None, image)
        elif kind == b"D":
            yield Change(scn, place, sequence, image, None)
        elif side == b"O":
            old_ones[key] = (sequence, image)
        else:
            first, before = old_ones.pop(key)
            yield Change(scn, place, first, before, image)
    if old_ones:
        raise RuntimeError(f"half of an UPDATE is missing in a view log: {next(iter(old_ones))}")


def _fields(table: Table) -> str:
    by_name: dict[str, Column] = {column.name: column for column in table.columns}
    key = [quoted(name) for name in table.key if name in by_name] or [quoted(_HIDDEN_KEY)]
    return ", ".join([*key, *(column.expression for column in table.columns)])


def _range(after_scn: int, upto_scn: int) -> str:
    return f"t.ORA_ROWSCN > {after_scn} AND t.ORA_ROWSCN <= {upto_scn}"

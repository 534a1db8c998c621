"""The position of view logs at a point of time: an scn is the time itself, in nanoseconds."""

from collections.abc import Collection, Iterable, Mapping

import pymysql

from obsync_tui.engine.errors import LogGap
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.store.logpoint import LogPoint, check_kept, check_past
from obsync_tui.engine.store.mlog.catalog import LogFacts, current_scn, log_name, read_logs
from obsync_tui.engine.store.mlog.ownership import Owned
from obsync_tui.model.position import scn_executed
from obsync_tui.model.table import TableName

_MICROSECOND = 1000
_SCN = "t.ORA_ROWSCN"


def find_point(
    connection: pymysql.Connection,
    owned: Mapping[TableName, Owned],
    tables: Collection[TableName],
    at_us: int,
    where: str,
) -> LogPoint:
    """The point in the tables' logs; ConfigError when the time is to come, LogGap when a log begins later.

    Raises SourceError.
    """
    now_scn = current_scn(connection, where)
    now_us = now_scn // _MICROSECOND
    check_past(at_us, now_us, where)
    floor_scn = max(_floors(owned, read_logs(connection, where), tables, where), default=now_scn)
    earliest_us = floor_scn // _MICROSECOND + 1
    check_kept(at_us, earliest_us, where)
    scn = at_us * _MICROSECOND - 1
    _, first_scn, _ = committed(connection, tables, scn, now_scn, where)
    following_us = first_scn // _MICROSECOND if first_scn else None
    return LogPoint(
        scn_executed(scn), scn_executed(now_scn), scn // _MICROSECOND, following_us, earliest_us, now_us
    )


def _floors(
    owned: Mapping[TableName, Owned],
    there: Mapping[TableName, LogFacts],
    tables: Iterable[TableName],
    where: str,
) -> Iterable[int]:
    """Up to which scn rows of each log may be missing."""
    for table in tables:
        mine, facts = owned.get(table), there.get(table)
        if mine is None or facts is None or mine.log_id != facts.log_id:
            raise LogGap(
                "the table's view log is gone, or was created again",
                where=f"{where}, {table}",
                cure="Read the table again with it: --resync of obsync project retime.",
            )
        yield max(facts.purged_scn, mine.floor_scn)


def committed(
    connection: pymysql.Connection, tables: Collection[TableName], after_scn: int, upto_scn: int, where: str
) -> tuple[int, int, int]:
    """How many transactions are in the tables' logs between two scns, and the first and last of them, else 0."""
    if not tables or upto_scn <= after_scn:
        return 0, 0, 0
    scns = " UNION ".join(
        f"SELECT {_SCN} AS s FROM {log_name(table).quoted} t WHERE {_SCN} > {after_scn} AND {_SCN} <= {upto_scn}"
        for table in sorted(tables)
    )
    sql = f"SELECT COUNT(*), COALESCE(MIN(s), 0), COALESCE(MAX(s), 0) FROM ({scns}) c"
    count, first, last = (int(str(value)) for value in query(connection, sql, where=where)[0])
    return count, first, last

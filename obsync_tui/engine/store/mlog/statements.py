"""SELECTs on view logs.

The rows of all of them begin alike: scn, DMLTYPE$$, OLD_NEW$$, SEQUENCE$$, then the fields of the row's key, then the
columns in the table's order. A log is stored by (key, SEQUENCE$$): every range of scn is a full scan.
"""

from collections.abc import Sequence

import msgspec

from obsync_tui.engine.mysql.keysql import column_expression
from obsync_tui.engine.store.mlog.catalog import LogFacts
from obsync_tui.engine.store.store import TextShape
from obsync_tui.model.table import TableVersion, quote_identifier

_SCN = "t.ORA_ROWSCN"
_HIDDEN_KEY = "M_ROW$$"
_SECOND = 1_000_000_000


class ViewLog(msgspec.Struct, frozen=True):
    """A log to read: its table with the columns it holds, and the wire shape that is its alone.

    `partitions` are those of a table without primary key: its hidden key is unique only within one. It need not hold
    what was committed up to `floor_scn`.
    """

    facts: LogFacts
    table: TableVersion
    shape: TextShape
    partitions: tuple[str, ...] = ()
    floor_scn: int = 0

    @property
    def key_fields(self) -> int:
        """How many fields of a row make its key."""
        return len(self.table.primary_key) or (2 if self.partitions else 1)


def select_changes(log: ViewLog, after_scn: int, upto_scn: int, ordered: bool = False) -> str:
    """The rows committed after one scn up to another; `ordered` by SEQUENCE$$."""
    condition = _range(log, after_scn, upto_scn)
    parts = [
        f"SELECT {_head(log, _SCN, part)} FROM {_source(log, part)} t WHERE {condition}"
        for part in _parts(log)
    ]
    return " UNION ALL ".join(parts) + (" ORDER BY 4" if ordered else "")


def select_difference(log: ViewLog, before_scn: int, at_scn: int, as_scn: int) -> str:
    """The rows that were there at one point and not at one before, with `as_scn` for theirs.

    Flashback reads do not give a row's own scn (error 1235).
    """
    keys = log.table.primary_key or (_HIDDEN_KEY,)
    same = " AND ".join(f"o.{_quoted(name)} = t.{_quoted(name)}" for name in (*keys, "SEQUENCE$$"))
    given = f"'{as_scn}'"
    parts = [
        f"SELECT {_head(log, given, part)} FROM {_source(log, part, at_scn)} t WHERE NOT EXISTS"
        f" (SELECT 1 FROM {_source(log, part, before_scn)} o WHERE {same})"
        for part in _parts(log)
    ]
    return " UNION ALL ".join(parts)


def select_count_at(log: ViewLog, scn: int) -> str:
    """How many rows the log had at a point."""
    return f"SELECT COUNT(*) FROM {log.facts.name.quoted} AS OF SNAPSHOT {scn} t"


def select_counts(logs: Sequence[ViewLog], after_scn: int | None = None, upto_scn: int = 0) -> str:
    """For each log, by its place in the sequence, how many rows it has, all or committed in a range."""

    def where(log: ViewLog) -> str:
        return "" if after_scn is None else f" WHERE {_range(log, after_scn, upto_scn)}"

    return " UNION ALL ".join(
        f"SELECT {place}, COUNT(*) FROM {log.facts.name.quoted} t{where(log)}"
        for place, log in enumerate(logs)
    )


def select_histogram(logs: Sequence[ViewLog], after_scn: int, upto_scn: int, width: int = _SECOND) -> str:
    """How many rows all logs have in each stretch of `width` scns; in no order."""
    stretches = f"{_SCN} DIV {width}" if width > 1 else _SCN
    counts = " UNION ALL ".join(
        f"SELECT {stretches} AS s, COUNT(*) AS n FROM {log.facts.name.quoted} t"
        f" WHERE {_range(log, after_scn, upto_scn)} GROUP BY 1"
        for log in logs
    )
    return f"SELECT s, SUM(n) FROM ({counts}) c GROUP BY s"


def _range(log: ViewLog, after_scn: int, upto_scn: int) -> str:
    # A range that begins before the log was created is refused (1210).
    return f"{_SCN} > {max(after_scn, log.floor_scn)} AND {_SCN} <= {upto_scn}"


def _parts(log: ViewLog) -> tuple[str, ...]:
    return log.partitions or ("",)


def _source(log: ViewLog, partition: str, scn: int = 0) -> str:
    text = log.facts.name.quoted
    if partition:
        text += f" PARTITION ({_quoted(partition)})"
    return text + (f" AS OF SNAPSHOT {scn}" if scn else "")


def _head(log: ViewLog, scn: str, partition: str) -> str:
    fields = [scn, *(f"t.{_quoted(name)}" for name in ("DMLTYPE$$", "OLD_NEW$$", "SEQUENCE$$"))]
    by_name = {column.name: column for column in log.table.columns}
    if log.table.primary_key:
        fields += [column_expression(by_name[name]) for name in log.table.primary_key]
    else:
        if partition:
            fields.append(f"'{log.partitions.index(partition)}'")
        fields.append(f"t.{_quoted(_HIDDEN_KEY)}")
    return ", ".join([*fields, *(column_expression(column) for column in log.table.columns)])


def _quoted(name: str) -> str:
    return quote_identifier(name)

"""Full-Import of the engine in small, and what the engine itself has as of a cut."""

from __future__ import annotations

from collections import Counter

from obsync_tui.engine.full.keys import Key, key_columns
from obsync_tui.engine.full.ranges import TableRecord
from obsync_tui.engine.full.reader import Cut
from obsync_tui.engine.mysql.keysql import column_expression
from obsync_tui.engine.oceanbase.snapshot import OceanBaseSnapshots
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Objects
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName, TableVersion
from tests.engine.full.driving import Row, Run, select
from tests.engine.oceanbase.conftest import source
from tests.servers import OceanBaseServer


def snapshots(server: OceanBaseServer, include: str, connections: int = 3) -> OceanBaseSnapshots:
    return OceanBaseSnapshots(source(server), Secret(""), ObjectRules(Objects((include,))), connections)


class OceanBaseRun(Run):
    """A run whose source is the engine."""

    server: OceanBaseServer

    def source(self) -> OceanBaseSnapshots:
        return snapshots(self.server, self.include, self.settings.connections)

    def version(self, name: TableName) -> TableVersion:
        return self.progress._tables[name].version

    def record(self, name: TableName) -> TableRecord:
        return self.progress._tables[name].ranges.committed

    def cut(self, cut_id: int) -> Cut:
        return self.progress._cuts[cut_id]


def rows_as_of(server: OceanBaseServer, table: TableVersion, cut: Cut) -> list[Row]:
    """What a plain client finds in a table as of a cut."""
    columns = ", ".join(column_expression(column) for column in table.columns)
    sql = f"SELECT {columns} FROM {table.name.quoted} AS OF SNAPSHOT {cut.scn} t"
    return select(server, table.name.database, sql)


def key_of(table: TableVersion, names: tuple[str, ...], row: Row) -> Key:
    return tuple(row[table.column_index(name)] or b"" for name in names)


def expected(run: OceanBaseRun, name: TableName) -> Counter[Row]:
    """Of each range the rows that the engine has in it as of its cut; the engine places the keys."""
    table, record = run.version(name), run.record(name)
    if not record.key:
        return Counter(rows_as_of(run.server, table, run.cut(record.regions[-1].cut)))
    cuts = [region.cut for region in record.regions]
    boundaries = [region.upto for region in record.regions if region.upto is not None]
    ranker = run.snapshots.ranker()
    found: Counter[Row] = Counter()
    for cut_id in set(cuts):
        rows = rows_as_of(run.server, table, run.cut(cut_id))
        keys = [key_of(table, record.key, row) for row in rows]
        places = (
            ranker.rank(key_columns(table, record.key), boundaries, keys) if boundaries else [0] * len(keys)
        )
        found.update(row for row, place in zip(rows, places, strict=True) if cuts[place] == cut_id)
    ranker.close()
    return found


def agrees(run: OceanBaseRun, name: TableName) -> int:
    """Hold the rows read against the engine's; answers how many there are."""
    read, theirs = Counter(run.rows[name]), expected(run, name)
    assert not (read - theirs), (
        f"{sum((read - theirs).values())} rows that are not there: {list(read - theirs)[:3]}"
    )
    assert not (theirs - read), f"{sum((theirs - read).values())} rows missing: {list(theirs - read)[:3]}"
    return sum(read.values())

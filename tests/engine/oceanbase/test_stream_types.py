"""Values of every type through Binlog Service and through view logs: what the stream says against the snapshot."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from obsync_tui.engine.oceanbase.snapshot import OceanBaseSnapshots
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.secret import Secret
from tests.engine.oceanbase.test_snapshot_types import NOT_HERE, insert
from tests.servers import BinlogService
from tests.types.agreement import agree, by_row
from tests.types.columns import kinds
from tests.types.pipeline import Reader
from tests.types.tables import COLUMNS, RandomTable, session

DATABASE = "streamtypes"
ROWS = 25
# The service takes its rows from view logs. They hold no generated columns, JSON comes back from them as text, which does
# not tell a DECIMAL in it from a double, and numbers of DOUBLE(20,4) come unrounded.
_NOT_THROUGH = ("JSON", "DOUBLE(20,4)")


class ServiceReader(Reader):
    """Reads the tenant behind Binlog Service as a project would."""

    def __init__(self, server: BinlogService, include: str) -> None:
        super().__init__(server, include)  # type: ignore[arg-type]
        self._source = OceanBaseSource("types", "127.0.0.1", "root@sys#obcluster", server.port)  # type: ignore[assignment]

    def snapshots(self) -> OceanBaseSnapshots:  # type: ignore[override]
        source: OceanBaseSource = self._source  # type: ignore[assignment]
        return OceanBaseSnapshots(source, Secret(""), ObjectRules(self.project.objects), 2)


def tables(rng: random.Random) -> Iterator[RandomTable]:
    chosen = [kind for kind in kinds() if kind.sql not in NOT_HERE and not kind.sql.startswith(_NOT_THROUGH)]
    chosen = [kind for kind in chosen if " AS (" not in kind.sql]
    rng.shuffle(chosen)
    for number, start in enumerate(range(0, len(chosen), COLUMNS - 1)):
        columns = tuple(
            (f"c{i}", kind, kind.nullable if kind.nullable is not None else rng.random() < 0.7)
            for i, kind in enumerate(chosen[start : start + COLUMNS - 1])
        )
        yield RandomTable(DATABASE, f"t{number}", columns)


@pytest.mark.timeout(280)
def test_binlog_service_and_snapshot_agree(binlog_service: BinlogService) -> None:
    rng = random.Random(436)
    reader = ServiceReader(binlog_service, f"{DATABASE}.*")
    with binlog_service.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        cursor.execute(f"CREATE DATABASE {DATABASE} DEFAULT CHARACTER SET utf8mb4")
        made = list(tables(rng))
        for table in made:
            cursor.execute(table.create())
        made = [t for t in made if f"{DATABASE}.{t.name}" not in binlog_service.refused]
        binlog_service.drain()
        start = reader.start_point()
        for table in made:
            for row in range(1, ROWS + 1):
                insert(cursor, table, rng, row)
        rows = by_row(reader.full(), after=True)
        for table in made:
            cursor.execute(f"DELETE FROM {table.quoted}")
        binlog_service.drain()
        stream = list(reader.changes(start))
        cursor.execute(f"DROP DATABASE {DATABASE}")
    told = {kind: [one for one in stream if one.body.recordType == kind] for kind in ("INSERT", "DELETE")}
    values = agree(by_row(told["INSERT"], after=True), rows, made, "INSERT")
    assert agree(by_row(told["DELETE"], after=False), rows, made, "DELETE") == values
    assert values > 2_000

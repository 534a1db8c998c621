"""A view log that is being made: it waits for open transactions, and is none until they have ended."""

from __future__ import annotations

import threading
import uuid

import pytest

from obsync_tui.engine.errors import SourceUnreachable
from obsync_tui.engine.oceanbase.catalog import read_tables
from obsync_tui.engine.store.mlog.catalog import read_logs
from obsync_tui.engine.store.mlog.ownership import claim, create, drop, owned_of
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Objects
from obsync_tui.model.table import TableName
from tests.engine.resident import until
from tests.servers import OceanBaseServer

WAIT_S = 60


def test_a_log_that_an_earlier_run_still_makes_is_waited_for(oceanbase: OceanBaseServer) -> None:
    database = f"d{uuid.uuid4().hex[:8]}"
    name = TableName(database, "item")
    oceanbase.execute(f"CREATE DATABASE {database}", f"CREATE TABLE {name} (id INT PRIMARY KEY, n INT)")
    with oceanbase.connect() as writer, oceanbase.connect() as first, oceanbase.connect() as second:
        tables = read_tables(second, ObjectRules(Objects((f"{database}.*",))))
        owned = owned_of(claim(second, "np_aaaaaaaaaaaa", tables, {}, lambda _: "", "tenant"))
        writer.begin()
        cursor = writer.cursor()
        cursor.execute(f"INSERT INTO {name} VALUES (1, 1)")
        made: list[tuple[Record, ...]] = []
        given_up = threading.Thread(
            target=lambda: made.append(create(first, tables, owned, frozenset(), "tenant"))
        )
        given_up.start()
        until(lambda: name in read_logs(second, "tenant"), "the log is being made")
        with pytest.raises(SourceUnreachable, match="still being made by an earlier run"):
            create(second, tables, owned, frozenset(), "tenant", (name,))
        with pytest.raises(SourceUnreachable, match="still being made by an earlier run"):
            drop(second, owned.values(), "tenant")
        assert not made
        writer.commit()
        given_up.join(WAIT_S)
        assert create(second, tables, owned, frozenset(), "tenant", (name,)) == made[0]
        (log,) = owned_of(made[0]).values()
        assert log.log_id and log.floor_scn, "what was open before lies behind no cut"
        assert drop(second, [log], "tenant") == ((name,), ())
    oceanbase.execute(f"DROP DATABASE {database}")

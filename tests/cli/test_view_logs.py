"""`obsync source logs` as a process: whose the logs are, and only orphans are dropped."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from obsync_tui.config.paths import Paths
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.mlog.ownership import owned_of
from obsync_tui.model.project import new_project_id
from tests.cli.conftest import Obsync
from tests.contract.sources import ViewLogSource
from tests.servers import OceanBaseServer


def test_logs_are_listed_with_their_owners_and_orphans_go(
    obsync: Obsync, home: Path, oceanbase: OceanBaseServer
) -> None:
    mine, gone, foreign = (ViewLogSource(oceanbase) for _ in range(3))
    obsync("source", "add", "ob1", "--kind", "oceanbase", "--host", "127.0.0.1", "--port", str(oceanbase.port), "--user", "root@sys")  # fmt: skip
    obsync("source", "add", "k1", "--kind", "kafka", "--endpoint", "127.0.0.1:1")
    # Whose project it is counts, not where it reads.
    obsync("source", "add", "m1", "--kind", "mysql", "--host", "127.0.0.1", "--user", "u")
    obsync("project", "create", "orders", "--from", "m1", "--to", "k1", "--objects", f"{mine.database}.*")
    project_id = json.loads(obsync("project", "show", "orders", "--json").stdout)["id"]
    lost_id = new_project_id()
    with StateFile(Paths.of({"OBSYNC_HOME": str(home)}).state_file) as state:
        for source, owner in ((mine, project_id), (gone, lost_id)):
            owned = owned_of(source.records.values()).values()
            state.save(owner, [replace(one, project_id=owner).record for one in owned])

    def listed(*options: str) -> dict[str, tuple[str, bool]]:
        found = json.loads(obsync("source", "logs", "ob1", "--json", *options).stdout)
        return {log["table"]["database"]: (log["owner"], log["orphan"]) for log in found}

    ours = {mine.database, gone.database, foreign.database}
    assert {name: log for name, log in listed().items() if name in ours} == {
        mine.database: ("orders", False),
        gone.database: (lost_id, True),
        foreign.database: ("", False),
    }
    text = obsync("source", "logs", "ob1").stdout
    assert text.splitlines()[0].split("  ")[0] == "TABLE"
    assert f"{lost_id} (gone)" in text and "not known here" in text
    left = listed("--drop-orphans")
    assert set(left) & ours == {mine.database, foreign.database}

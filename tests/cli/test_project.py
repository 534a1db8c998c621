"""`obsync project`, as a process, with its files and its state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.metrics import Failure, Phase, Status
from obsync_tui.model.project import (
    Delivery,
    DmlKind,
    Format,
    Full,
    Guarantee,
    Message,
    Objects,
    PartitionRule,
    Project,
    Step,
    TableRule,
    TooLarge,
    TopicMode,
    Topics,
)
from tests.cli.conftest import Obsync

CREATE = ("project", "create", "second", "--from", "shop", "--to", "events")


def project_of(home: Path, name: str = "orders") -> Project:
    return ConfigFiles(Paths.of({"OBSYNC_HOME": str(home)})).project(name)


def test_create_writes_every_option(shop: Obsync, home: Path) -> None:
    shop(*CREATE, "--objects", "shop.*,a.b", "--objects", "c.?", "--exclude", "shop.tmp_*", "--topic", "t_${table}",
         "--format", "DefaultExtendColumnType", "--partition-rule", "Table", "--partitions", "8", "--replication", "2",
         "--topics", "existing", "--delivery", "at-least-once", "--dml", "insert,DELETE", "--steps", "full,incremental",
         "--connections", "5", "--rows-per-s", "6", "--bytes-per-s", "7", "--ddl", "--heartbeat-s", "9", "--merge-upserts",
         "--table", "shop.item=items", "--sharding", "shop.item=a;b", "--sharding", "shop.other=c",
         "--too-large", "dead-letter", "--dead-letter-topic", "dead")  # fmt: skip
    project = project_of(home, "second")
    assert project == Project(
        project.id,
        "second",
        "shop",
        "events",
        Objects(
            ("shop.*", "a.b", "c.?"),
            ("shop.tmp_*",),
            (DmlKind.INSERT, DmlKind.DELETE),
            True,
            9,
            tables=(TableRule("shop.item", "items", ("a", "b")), TableRule("shop.other", "", ("c",))),
            merge_upserts=True,
        ),
        (Step.FULL, Step.INCREMENTAL),
        Message("t_${table}", Format.DEFAULT_EXTEND_COLUMN_TYPE, partition=PartitionRule.TABLE),
        Topics(TopicMode.EXISTING, 8, 2),
        Delivery(Guarantee.AT_LEAST_ONCE, TooLarge.DEAD_LETTER, "dead"),
        Full(5, rows_per_s=6, bytes_per_s=7),
    )


def test_create_needs_little(shop: Obsync, home: Path) -> None:
    project = project_of(home)
    assert project == Project(project.id, "orders", "shop", "events", Objects(("shop.*",)))
    assert set(tomllib.loads((home / "config/projects/orders.toml").read_text())) == {"id", "name", "from", "to", "objects"}  # fmt: skip
    shown = json.loads(shop("project", "show", "orders", "--json").stdout)
    assert (shown["topics"]["partitions"], shown["delivery"]["guarantee"]) == (3, "exactly-once")
    assert tomllib.loads(shop("project", "show", "orders").stdout) == shown
    assert "the project 'orders' exists" in shop(*("project", "create", "orders", *CREATE[3:]), "--objects", "a.b", code=3).stderr  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--objects", ","), "project create --objects: include names no objects"),
        (("--objects", "a.b", "--partitions", "0"), "project create --partitions: Expected `int` >= 1"),
        (("--objects", "a.b", "--connections", "65"), "project create --connections: Expected `int` <= 64"),
        (("--objects", "a.b", "--rows-per-s", "-1"), "project create --rows-per-s: Expected `int` >= 0"),
        (("--objects", "a.b", "--dml", "truncate"), "project create --dml: Invalid enum value 'TRUNCATE'"),
        (("--objects", "a.b", "--steps", "full,full"), "steps names each step once"),
        (("--objects", "a.b", "--too-large", "dead-letter"), "needs dead_letter_topic"),
        (
            ("--objects", "a.b", "--table", "shop.item"),
            "project create --table: expected DATABASE.TABLE=VALUE",
        ),
        (
            ("--objects", "a.b", "--table", "item=t"),
            "project create --table: the name of a table is database.table",
        ),
        (("--objects", "a.b", "--from", "none"), "there is no data source 'none'. Known: events, shop."),
        (
            ("--objects", "a.b", "--from", "events"),
            "events is no source to read from. Name one of kind mysql or oceanbase.",
        ),
        (("--objects", "a.b", "--to", "shop"), "shop is no destination to write to. Name one of kind kafka."),
    ],
)
def test_create_refuses(shop: Obsync, home: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in shop(*CREATE, *arguments, code=3).stderr
    assert not (home / "config/projects/second.toml").exists()


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "a b", "x" * 65, "a\n", "%s", "\x1b[2J"])
def test_hostile_names_are_refused(shop: Obsync, home: Path, name: str) -> None:
    before = sorted(home.rglob("*"))
    arguments = ("--from", "shop", "--to", "events", "--objects", "a.b")
    assert "is not a name. Use letters" in shop("project", "create", name, *arguments, code=3).stderr
    for command in ("show", "status", "check", "run", "reset", "release", "delete"):
        assert "is not a name" in shop("project", command, name, code=3).stderr
    assert sorted(home.rglob("*")) == before


def test_malformed_files_name_file_line_and_key(shop: Obsync, home: Path) -> None:
    path = home / "config/projects/orders.toml"
    good = path.read_text()
    path.write_text(good + "[full]\n# many\nconnections = 'a\x1b[2J'\n")
    lines = good.count("\n")
    said = shop("project", "run", "orders", code=3).stderr
    assert f"{path}, line {lines + 3}, column" not in said
    assert f"{path}, line {lines + 3}: is not TOML" in said
    path.write_text(good + "[full]\n# many\nconnections = 'a'\n")
    for command in ("show", "status", "check", "run", "reset", "delete"):
        said = shop("project", command, "orders", code=3).stderr
        assert f"obsync: {path}, line {lines + 3}, key full.connections: Expected `int`, got `str`. Correct the value.\n" == said  # fmt: skip
    assert "full.connections" in shop("project", "list", code=3).stderr


def test_status_of_a_project_that_never_ran(shop: Obsync, home: Path) -> None:
    shutil.rmtree(home / "state")
    assert shop("project", "status", "orders").stdout == "orders has not run yet\n"
    assert json.loads(shop("project", "status", "orders", "--json").stdout) == {
        "project": "orders", "id": project_of(home).id, "state": "Not Started", "running": False, "age_s": None, "status": None,
    }  # fmt: skip
    assert not (home / "state").exists(), "asking makes nothing"


def test_status_tells_the_living_from_the_dead(shop: Obsync, home: Path) -> None:
    project = project_of(home)

    def reported(status: Status) -> tuple[str, bool]:
        with StateFile(home / "state/state.db") as state:
            state.save_status(status)
        report = json.loads(shop("project", "status", "orders", "--json").stdout)
        assert report["age_s"] == pytest.approx(time.time() - status.at_s, abs=60)
        assert report["status"]["rows"] == 5
        return report["state"], report["running"]

    now = time.time()
    mine = Status(
        project.id,
        "orders",
        Phase.INCREMENTAL,
        now,
        os.getpid(),
        now,
        rows=5,
        source_lag_s=0.25,
        bottleneck="sink",
    )
    assert reported(mine) == ("Running", True)
    text = shop("project", "status", "orders").stdout
    for line in (
        "source lag        0.2s",
        "delivery latency  ?",
        "backlog           0 rows, 0B",
        "bottleneck        sink",
    ):
        assert line in text
    assert [line.split() for line in shop("project", "list").stdout.splitlines()][1] == ["orders", "shop", "events", "Running", "(incremental)", "0.2s", "?", "0"]  # fmt: skip

    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    assert reported(Status(project.id, "orders", Phase.FULL, now, gone.pid, now, rows=5)) == (
        "Paused, ended without a word",
        False,
    )
    # This process has the pid of one that wrote long before this one started.
    assert reported(Status(project.id, "orders", Phase.FULL, now - 10**8, os.getpid(), 1.0, rows=5)) == ("Paused, ended without a word", False)  # fmt: skip
    failure = Failure("LogGap", "purged \x1b[2J", "mysql", "Reset it.", False, now)
    assert reported(Status(project.id, "orders", Phase.FAILED, now, os.getpid(), now, rows=5, failure=failure)) == ("Failed", False)  # fmt: skip
    assert (
        r"failure           LogGap: mysql: purged \x1b[2J. Reset it."
        in shop("project", "status", "orders").stdout
    )


def test_delete_wants_the_name_and_removes_file_and_state(shop: Obsync, home: Path) -> None:
    project = project_of(home)
    path = home / "config/projects/orders.toml"
    with StateFile(home / "state/state.db") as state:
        state.save(project.id, [Record("position", b"1")])
        state.save("np_other0000000", [Record("position", b"2")])
    for given, arguments in (("no\n", ()), ("", ()), ("orders", ("--yes", "orderz"))):
        done = shop("project", "delete", "orders", "--local-only", *arguments, given=given, code=3)
        assert "not confirmed, nothing was changed" in done.stderr
        done = shop("project", "reset", "orders", *arguments, given=given, code=3)
        assert "not confirmed, nothing was changed" in done.stderr
    with ProjectLock(home / "state", project.id):
        done = shop("project", "delete", "orders", "--local-only", "--yes", "orders", code=14)
        assert f"process {os.getpid()} on this machine runs the project" in done.stderr
    assert path.exists()
    done = shop("project", "delete", "orders", "--local-only", given="orders\n")
    assert f"__obsync.{project.id} stays" in done.stderr
    assert not path.exists()
    with StateFile(home / "state/state.db") as state:
        assert state.records(project.id) == []
        assert state.records("np_other0000000") == [Record("position", b"2")]


def test_state_that_cannot_be_used_has_its_own_exit_code(shop: Obsync, home: Path) -> None:
    (home / "state").mkdir(exist_ok=True)
    (home / "state/state.db").write_bytes(b"no database" * 100)
    for command in (("status", "orders"), ("list",), ("delete", "orders", "--local-only", "--yes", "orders")):
        said = shop("project", *command, code=15).stderr
        assert "state.db: the state cannot be used: file is not a database. Move the file away" in said

"""A package that is replaced or removed under a running engine: what it runs is what it started with."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import obsync_tui
from obsync_tui.api import operations as op
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.operation import Operation, Request, Response
from obsync_tui.api.requests import (
    Confirmed,
    CreateProject,
    Events,
    ListProjects,
    Named,
    Nothing,
    PutDraft,
    PutSource,
    Rename,
    Seal,
    Start,
)
from obsync_tui.model.datasource import KafkaSource, OceanBaseSource, Sasl
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.project import Objects, Project, new_project_id
from tests.engine.conftest import NewEngine
from tests.engine.resident import ResidentEngine, until

# Writes down which modules are first looked for after the engine has answered.
RECORDER = """
import os, sys
class Recorder:
    def find_spec(self, name, path=None, target=None):
        if os.path.exists(os.environ["RECORD"]):
            with open(os.environ["RECORD"], "a") as file:
                file.write(name + chr(10))
        return None
sys.meta_path.insert(0, Recorder())
"""


def refused(engine: ResidentEngine, operation: Operation[Request, Response], request: Request) -> RemoteError:
    """The error of a call that has to fail, which is never an unexpected one."""
    with pytest.raises(RemoteError) as found:
        engine.call(operation, request)
    assert found.value.code != "Unexpected" and found.value.status != 500, found.value
    return found.value


def use(engine: ResidentEngine) -> None:
    """Something of every room, servers that are out of reach among them."""
    sealed = engine.call(op.SEAL, Seal("secret")).reference
    engine.call(op.PUT_SOURCE, PutSource(OceanBaseSource("tenant", "127.0.0.1", "u@t#c", 1, sealed)))
    engine.call(
        op.PUT_SOURCE, PutSource(KafkaSource("safe", "127.0.0.1:1", sasl=Sasl("SCRAM-SHA-512", "u", sealed)))
    )
    for name in ("shop", "tenant"):
        checks = engine.call(op.TEST_SOURCE, Named(name))
        assert any(check.outcome == "fail" for check in checks), checks
    refused(engine, op.DESCRIBE, Named("tenant"))
    refused(engine, op.VIEW_LOGS, Named("tenant"))
    refused(engine, op.DESCRIBE, Named("shop"))
    made = Project(new_project_id(), "orders", "shop", "events", Objects(("shop.*",)))
    engine.call(op.CREATE, CreateProject(made))
    checks = engine.call(op.CHECK, Named("orders"))
    assert any(check.outcome == "fail" for check in checks), checks
    engine.call(op.START, Start("orders"))
    until(lambda: engine.call(op.PROJECT, Named("orders")).status, "it tries")
    engine.call(op.PAUSE, Named("orders"))
    engine.call(op.RENAME, Rename("orders", "orders2"))
    engine.call(op.CLONE, Rename("orders2", "orders3"))
    engine.call(op.DELETE, Confirmed("orders3", "orders3"))
    (engine.paths.projects / "broken.toml").write_text("= not toml")
    refused(engine, op.START, Start("broken"))
    refused(engine, op.RESET, Confirmed("orders2", "other"))
    refused(engine, op.PROJECT, Named("nothing"))
    assert engine.call(op.EVENTS, Events("orders2"))
    engine.call(op.PUT_DRAFT, PutDraft("d", "source", "t", "{}"))
    assert len(engine.call(op.PROJECTS, ListProjects())) == 2
    engine.call(op.ENGINE, Nothing())
    with engine.client() as client:
        assert next(client.watch(("projects", "engine", "project:orders2"))).projects is not None


def test_the_package_is_gone(new_engine: NewEngine, tmp_path: Path) -> None:
    package = tmp_path / "installed" / "obsync_tui"
    shutil.copytree(Path(obsync_tui.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    record = tmp_path / "record"
    engine = new_engine(
        {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", "RECORD": str(record)},
        before=RECORDER,
    )
    engine.sources()
    engine.start()
    assert engine.process is not None
    maps = Path(f"/proc/{engine.process.pid}/maps").read_text()
    assert ("_kernel" not in maps and "native" not in maps) or str(package) in maps, "it runs the copy"
    record.touch()
    shutil.rmtree(package.parent)
    use(engine)
    looked_for = {name.partition(".")[0] for name in record.read_text().split()}
    assert "obsync_tui" not in looked_for
    late = {name for name in looked_for if name not in sys.stdlib_module_names}
    assert not late, "the libraries are loaded at the start too"
    assert engine.call(op.PROJECT, Named("orders2")).summary.state is ProjectState.PAUSED
    assert "ModuleNotFoundError" not in engine.said
    engine.stop()

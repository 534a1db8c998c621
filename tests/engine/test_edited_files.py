"""Files that a person edits under a running engine."""

from __future__ import annotations

import msgspec
import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.requests import ListProjects, Named, SaveProject, Start
from obsync_tui.model.project import Objects
from tests.engine.resident import ResidentEngine, until


def replace(engine: ResidentEngine, before: str, after: str) -> None:
    path = engine.paths.projects / "orders.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_an_edit_shows_and_acts_when_it_is_applied(engine: ResidentEngine) -> None:
    engine.project("orders")
    engine.call(op.START, Start("orders"))
    until(lambda: engine.call(op.PROJECT, Named("orders")).status, "it runs")
    assert not engine.call(op.PROJECT, Named("orders")).summary.file_changed
    assert engine.call(op.FILE, Named("orders")).diff == ""
    path = engine.paths.projects / "orders.toml"
    good = path.read_text()
    path.write_text(f"# limits\n{good}\n[full]\nrows_per_s = 7\n")
    assert engine.call(op.PROJECT, Named("orders")).summary.file_changed
    until(lambda: engine.call(op.PROJECTS, ListProjects())[0].file_changed, "the list shows it")
    found = engine.call(op.FILE, Named("orders"))
    changed = [line for line in found.diff.splitlines() if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert changed == ["+# limits", "+", "+[full]", "+rows_per_s = 7"]
    said = engine.command("project", "apply", "orders").stdout
    assert "+rows_per_s = 7" in said, "the command shows the difference"
    summary = engine.call(op.PROJECT, Named("orders")).summary
    assert (summary.file_changed, summary.running) == (False, True)
    assert engine.call(op.FILE, Named("orders")).diff == ""
    # What a running project can never take in is refused, and stays a difference.
    path.write_text(f'{good}\n[message]\nkey = "none"\n')
    refused = engine.command("project", "apply", "orders", code=3)
    assert "message.key" in refused.stdout + refused.stderr
    # Rules that cannot be read do not reach the run.
    path.write_text(good.replace('"shop.*"', '"shop"'))
    refused = engine.command("project", "apply", "orders", code=3)
    assert "rule 'shop': write <db>.<table>" in refused.stdout + refused.stderr
    summary = engine.call(op.PROJECT, Named("orders")).summary
    assert (summary.file_changed, summary.running) == (True, True)


def test_a_save_that_knows_another_file_is_a_conflict(engine: ResidentEngine) -> None:
    project = engine.project("orders")
    read = engine.call(op.FILE, Named("orders"))
    replace(engine, '"shop.*"', '"other.*"')
    mine = msgspec.structs.replace(project, objects=Objects(("mine.*",)))
    with pytest.raises(RemoteError, match="changed since it was read") as refused:
        engine.call(op.SAVE, SaveProject("orders", mine, read.digest))
    assert (refused.value.code, refused.value.status) == ("Conflict", 409)
    assert engine.call(op.PROJECT, Named("orders")).project.objects.include == ("other.*",)
    now = engine.call(op.FILE, Named("orders"))
    saved = engine.call(op.SAVE, SaveProject("orders", mine, now.digest))
    assert engine.call(op.PROJECT, Named("orders")).project == mine
    assert saved.digest == engine.call(op.FILE, Named("orders")).digest != now.digest
    # Comments are not written over unasked.
    replace(engine, "name =", "# ours\nname =")
    commented = engine.call(op.FILE, Named("orders"))
    with pytest.raises(RemoteError, match="has comments") as refused:
        engine.call(op.SAVE, SaveProject("orders", project, commented.digest))
    assert refused.value.code == "Conflict"
    engine.call(op.SAVE, SaveProject("orders", project, commented.digest, over_comments=True))
    assert "#" not in (engine.paths.projects / "orders.toml").read_text()


def test_a_file_that_breaks_and_one_that_goes(engine: ResidentEngine) -> None:
    engine.project("orders")
    engine.project("other")
    engine.call(op.START, Start("orders"))
    path = engine.paths.projects / "orders.toml"
    good = path.read_text()
    path.write_text(good + "\n= broken")
    until(lambda: engine.call(op.PROJECTS, ListProjects())[0].error, "the list says so")
    broken, other = engine.call(op.PROJECTS, ListProjects())
    assert "is not TOML" in broken.error and broken.name == "orders" and not other.error
    for operation in (op.PROJECT, op.PAUSE, op.APPLY):
        with pytest.raises(RemoteError, match="is not TOML") as refused:
            engine.call(operation, Named("orders"))
        assert (refused.value.code, refused.value.status) == ("ConfigError", 422)
    assert engine.call(op.FILE, Named("orders")).error
    path.write_text(good)
    assert engine.call(op.PROJECT, Named("orders")).summary.running, "what runs was left alone"
    path.unlink()
    with pytest.raises(RemoteError, match="there is no project 'orders'") as refused:
        engine.call(op.PROJECT, Named("orders"))
    assert refused.value.status == 404
    path.write_text(good)
    assert engine.call(op.PAUSE, Named("orders")).state == "Paused"


def test_the_file_of_a_running_project_is_gone_at_a_start(engine: ResidentEngine) -> None:
    engine.project("orders")
    engine.call(op.START, Start("orders"))
    path = engine.paths.projects / "orders.toml"
    good = path.read_text()
    engine.kill()
    path.write_text("= broken")
    engine.start()
    path.write_text(good)
    found = engine.call(op.PROJECT, Named("orders"))
    assert found.summary.state == "Failed" and not found.summary.running
    assert engine.call(op.RESUME, Start("orders")).state == "Running"

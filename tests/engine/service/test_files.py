"""Projects' files through the service: copies, names, drafts, and what a long list costs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from obsync_tui.api.requests import (
    Confirmed,
    CreateProject,
    DraftId,
    ListProjects,
    Named,
    Nothing,
    PutDraft,
    Rename,
    SaveProject,
    Start,
)
from obsync_tui.config.files import ConfigFiles
from obsync_tui.engine.errors import Conflict
from obsync_tui.engine.service import drafts, index, pictures, projects, runs
from obsync_tui.engine.service.index import ProjectIndex
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.project import Full
from obsync_tui.model.secret import Secret
from tests.engine.service.conftest import CALLER, House


def path_of(house: House, name: str) -> Path:
    return house.paths.projects / f"{name}.toml"


def test_renaming_keeps_id_progress_and_comments(house: House) -> None:
    project = house.project("orders", ProjectState.PAUSED)
    path = path_of(house, "orders")
    path.write_text(f"# ours\n{path.read_text()}# the end\n")
    projects.rename(house.service, Rename("orders", "sales"), CALLER)
    found = projects.project(house.service, Named("sales"), CALLER)
    assert found.project == msgspec.structs.replace(project, name="sales")
    assert found.summary.state is ProjectState.PAUSED
    text = path_of(house, "sales").read_text()
    assert text.startswith("# ours\n") and text.endswith("# the end\n") and 'name = "sales"' in text
    assert not path.exists() and stat.S_IMODE(path_of(house, "sales").stat().st_mode) == 0o600
    assert house.state.events(project.id)[-1].text == "renamed from orders"
    house.project("other")
    with pytest.raises(ConfigError, match="the project 'other' exists"):
        projects.rename(house.service, Rename("sales", "other"), CALLER)


def test_a_running_project_is_renamed_under_way(house: House) -> None:
    project = house.project("orders")
    runs.start(house.service, Start("orders"), CALLER)
    projects.rename(house.service, Rename("orders", "sales"), CALLER)
    assert pictures.details(house.service, "sales").summary.running
    assert runs.pause(house.service, Named("sales"), CALLER).state is ProjectState.PAUSED
    assert house.state_of(project) is ProjectState.PAUSED


def test_a_clone_is_another_project(house: House) -> None:
    project = house.project("orders", ProjectState.PAUSED, tags=("eu",), full=Full(rows_per_s=7))
    projects.clone(house.service, Rename("orders", "copy"), CALLER)
    found = projects.project(house.service, Named("copy"), CALLER)
    assert found.project == msgspec.structs.replace(project, id=found.project.id, name="copy")
    assert found.project.id != project.id and found.summary.state is ProjectState.NOT_STARTED
    assert stat.S_IMODE(path_of(house, "copy").stat().st_mode) == 0o600
    assert found.created_by == CALLER.who
    with pytest.raises(ConfigError, match="the project 'copy' exists"):
        projects.clone(house.service, Rename("orders", "copy"), CALLER)


def test_an_id_is_used_once(house: House) -> None:
    project = house.project("orders")
    with pytest.raises(ConfigError, match=project.id):
        projects.create(house.service, CreateProject(msgspec.structs.replace(project, name="twin")), CALLER)
    path_of(house, "twin").write_text(path_of(house, "orders").read_text().replace('"orders"', '"twin"'))
    house.supervisor.index.look()
    listed = pictures.summaries(house.service, ListProjects())
    assert [(one.name, one.id) for one in listed] == [("orders", ""), ("twin", "")]
    assert all(project.id in one.error and "A copy is another project" in one.error for one in listed)
    assert [one.error for one in pictures.summaries(house.service, ListProjects())] == [
        one.error for one in listed
    ]
    for name in ("orders", "twin"):
        with pytest.raises(ConfigError, match="has the id of"):
            runs.start(house.service, Start(name), CALLER)
    path_of(house, "twin").unlink()
    house.supervisor.index.look()
    assert [one.error for one in pictures.summaries(house.service, ListProjects())] == [""]
    # The id of a project that is gone is not taken again either while its state is there.
    runs.start(house.service, Start("orders"), CALLER)
    path_of(house, "orders").unlink()
    with pytest.raises(ConfigError, match="was another project's"):
        projects.create(house.service, CreateProject(msgspec.structs.replace(project, name="new")), CALLER)


def test_a_save_is_of_what_was_read(house: House) -> None:
    project = house.project("orders")
    digest = projects.file(house.service, Named("orders"), CALLER).digest
    for wrong in (
        msgspec.structs.replace(project, name="x"),
        msgspec.structs.replace(project, id="np_000000000000"),
    ):
        with pytest.raises(ConfigError, match="name and id stay"):
            projects.save(house.service, SaveProject("orders", wrong, digest), CALLER)
    lost = msgspec.structs.replace(project, source="nothing")
    with pytest.raises(ConfigError, match="there is no data source 'nothing'"):
        projects.save(house.service, SaveProject("orders", lost, digest), CALLER)
    with pytest.raises(Conflict):
        projects.save(house.service, SaveProject("orders", project, "0" * 32), CALLER)
    assert projects.file(house.service, Named("orders"), CALLER).digest == digest, "the file was left alone"


def test_a_number_sign_in_a_value_is_no_comment(house: House) -> None:
    house.project("orders", message=msgspec.structs.replace(house.project("x").message, topic="a#b"))
    digest = projects.file(house.service, Named("orders"), CALLER).digest
    project = house.files.project("orders")
    assert projects.save(house.service, SaveProject("orders", project, digest), CALLER).digest == digest


def test_drafts_have_limits(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 3)
    for name in ("a", "b", "c", "a"):
        drafts.put(house.service, PutDraft(name, "source", f"title {name}", "{}"), CALLER)
    with pytest.raises(ConfigError, match="there are 3 drafts"):
        drafts.put(house.service, PutDraft("d", "source", "t", "{}"), CALLER)
    assert [one.id for one in drafts.drafts(house.service, Nothing(), CALLER)] == ["a", "c", "b"]
    drafts.delete(house.service, DraftId("a"), CALLER)
    assert drafts.put(house.service, PutDraft("d", "project", "t", "{}"), CALLER).kind == "project"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"id": "a", "kind": "source", "title": "t", "body": "x" * 1_000_001}, PutDraft)


@pytest.mark.parametrize("end", ["deleted", "replaced"])
def test_a_draft_that_ends_leaves_no_secret(house: House, end: str) -> None:
    """The token is gone from every byte of the files, not only from the tables."""
    token = house.service.secrets.seal(Secret("hunter2")).removeprefix("sealed:")
    body = '{"password": "sealed:%s"}' % token + "x" * 9000
    for number in range(20):
        drafts.put(
            house.service, PutDraft(f"d{number}", "source", "t", body if number == 7 else "y" * 500), CALLER
        )
    files = [path for path in house.paths.state.iterdir() if path.name.startswith("state.db")]
    assert any(token.encode() in path.read_bytes() for path in files)
    if end == "deleted":
        drafts.delete(house.service, DraftId("d7"), CALLER)
    else:
        drafts.put(house.service, PutDraft("d7", "source", "t", "{}"), CALLER)
    for path in house.paths.state.iterdir():
        assert not (path.is_file() and token.encode() in path.read_bytes()), path
    assert len(drafts.drafts(house.service, Nothing(), CALLER)) == (19 if end == "deleted" else 20)


def test_a_thousand_projects_cost_a_look_at_each(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = house.project("p0")
    text = path_of(house, "p0").read_text()
    for number in range(1, 1000):
        named = text.replace('"p0"', f'"p{number}"').replace(first.id, f"np_{number:012}")
        path_of(house, f"p{number}").write_text(named)
    counts = {"stat": 0, "read": 0}
    real_stat, real_read = os.stat, ConfigFiles.read_project

    def counted_stat(*args: object, **kwargs: object) -> os.stat_result:
        counts["stat"] += 1
        return real_stat(*args, **kwargs)  # type: ignore[arg-type]

    def counted_read(self: ConfigFiles, name: str) -> object:
        counts["read"] += 1
        return real_read(self, name)

    house.supervisor.stop()  # its own looks would be counted
    monkeypatch.setattr(index.os, "stat", counted_stat)
    monkeypatch.setattr(ConfigFiles, "read_project", counted_read)
    found = ProjectIndex(house.files)
    found.look()
    assert len(found.entries()) == 1000 and counts["read"] == 1000
    first_look = counts["stat"]
    found.look()
    assert counts == {"stat": first_look + 1000, "read": 1000}, "what did not change is not read again"
    for _ in range(50):
        assert len(found.entries()) == 1000
    assert counts["stat"] <= first_look + 2000, "a list that is asked for often is looked at once a second"
    path_of(house, "p5").write_text(
        f'tags = ["x"]\n{text.replace(chr(34) + "p0", chr(34) + "p5").replace(first.id, f"np_{5:012}")}'
    )
    found.look()
    assert counts["read"] == 1001
    changed = found.entries()["p5"].project
    assert changed is not None and changed.tags == ("x",)


def test_deleted_is_gone(house: House) -> None:
    project = house.project("orders")
    projects.delete(house.service, Confirmed("orders", "orders"), CALLER)
    assert pictures.summaries(house.service, ListProjects()) == ()
    assert house.supervisor.life(project.id) is None
    with pytest.raises(ConfigError, match="there is no project 'orders'"):
        projects.project(house.service, Named("orders"), CALLER)

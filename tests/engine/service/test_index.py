"""The engine's picture of the projects' files: who asks for one sees it as it is, and no question looks at all of them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.paths import Paths
from obsync_tui.engine.service.index import ProjectIndex
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.project import Objects, Project, new_project_id


@pytest.fixture
def files(tmp_path: Path) -> ConfigFiles:
    return ConfigFiles(Paths.of({"OBSYNC_HOME": str(tmp_path)}))


@pytest.fixture
def index(files: ConfigFiles) -> ProjectIndex:
    for name in ("a", "b"):
        files.write_project(Project(new_project_id(), name, "shop", "events", Objects((f"{name}.*",))))
    index = ProjectIndex(files, kept=True)
    index.look()
    return index


def _copy(files: ConfigFiles, name: str, to: str) -> None:
    """As a person does with an editor: the copy has the id of the original."""
    text = (files.paths.projects / f"{name}.toml").read_text()
    (files.paths.projects / f"{to}.toml").write_text(text.replace(f'name = "{name}"', f'name = "{to}"'))


def test_a_list_is_as_of_the_last_look(files: ConfigFiles, index: ProjectIndex) -> None:
    (files.paths.projects / "a.toml").unlink()
    assert list(index.entries()) == ["a", "b"]
    index.look()
    assert list(index.entries()) == ["b"]


def test_who_asks_for_one_sees_it_as_it_is(files: ConfigFiles, index: ProjectIndex) -> None:
    before = index.entry("a")
    assert index.entry("a") is before
    assert before.project is not None
    files.write_project(msgspec.structs.replace(before.project, objects=Objects(("shop.*",))))
    after = index.entry("a")
    assert after.project is not None
    assert after.project.objects == Objects(("shop.*",))
    assert index.entries()["a"] is after
    files.write_project(Project(new_project_id(), "c", "shop", "events", Objects(("c.*",))))
    assert index.entry("c").project is not None
    assert list(index.entries()) == ["a", "b", "c"]
    (files.paths.projects / "a.toml").unlink()
    with pytest.raises(ConfigError, match="there is no project 'a'"):
        index.entry("a")
    assert list(index.entries()) == ["b", "c"]


@pytest.mark.parametrize("name", ["../a", ".a", ""])
def test_no_file_elsewhere_is_a_project(index: ProjectIndex, name: str) -> None:
    with pytest.raises(ConfigError):
        index.entry(name)


def test_a_copy_that_is_asked_for_shows_both_as_twins(files: ConfigFiles, index: ProjectIndex) -> None:
    _copy(files, "a", "copy")
    with pytest.raises(ConfigError, match=r"has the id of|also has"):
        index.project("copy")
    entries = index.entries()
    assert "has the id of copy.toml" in entries["a"].error
    assert "has the id of a.toml" in entries["copy"].error
    assert entries["a"].project is None
    (files.paths.projects / "copy.toml").unlink()
    index.look()
    assert index.entry("a").project is not None


def test_a_look_does_not_undo_what_was_seen_meanwhile(
    files: ConfigFiles, index: ProjectIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look reads `a`, then `a` is edited and asked for, then the look ends."""
    project = index.project("a")
    files.write_project(msgspec.structs.replace(project, tags=("early",)))
    read = files.read_project

    def meanwhile(name: str) -> tuple[str, Project]:
        found = read(name)
        if found[1].tags == ("early",):
            files.write_project(msgspec.structs.replace(project, tags=("late",)))
            later = index.entry("a").project
            assert later is not None
            assert later.tags == ("late",)
        return found

    monkeypatch.setattr(ConfigFiles, "read_project", lambda _, name: meanwhile(name))
    index.look()
    shown = index.entries()["a"].project
    assert shown is not None
    assert shown.tags == ("late",)


def test_a_look_that_took_long_is_taken_less_often(files: ConfigFiles, index: ProjectIndex) -> None:
    index._read_s -= 2
    index._took_s = 1.0
    (files.paths.projects / "a.toml").unlink()
    index.keep()
    assert "a" in index.entries()
    index._took_s = 0.05
    index.keep()
    assert "a" not in index.entries()

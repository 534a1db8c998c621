"""One registry: its ids and keys, the docs made from it, the user's keymap over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from obsync_tui.keys.action import Level, Scope
from obsync_tui.keys.keymap import DEFAULT, VIEWS, clashes, load_keymap
from obsync_tui.keys.page import keymap_page
from obsync_tui.keys.registry import ACTIONS, BY_ID, RESERVED, actions_in
from obsync_tui.model import lifecycle
from obsync_tui.model.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def test_the_docs_are_the_registry() -> None:
    page = (ROOT / "docs" / "keymap.md").read_text()
    assert page == keymap_page(), "python -m obsync_tui.keys.page > docs/keymap.md"


def test_ids_are_unique_and_every_action_has_a_view() -> None:
    assert len(BY_ID) == len(ACTIONS)
    shown = {action.id for scopes in VIEWS.values() for action in actions_in(scopes)}
    assert shown == set(BY_ID)


def test_no_key_means_two_things_in_a_view() -> None:
    assert clashes(DEFAULT) == []
    assert clashes({**DEFAULT, "export": ("x",)}), "a clash is seen"


def test_no_key_is_one_that_terminals_take() -> None:
    taken = {key for action in ACTIONS for key in action.keys}
    assert not taken & RESERVED
    assert not [key for key in taken if key.startswith("alt+")]


def test_operations_are_those_of_the_lifecycle() -> None:
    named = {action.operation for action in ACTIONS if action.operation}
    assert named <= {str(action) for action in lifecycle.Action}


def test_what_cannot_be_undone_is_dangerous() -> None:
    for name in (
        "project.release",
        "project.delete",
        "project.reset",
        "source.delete",
        "quit.stop",
        "component.rerun",
    ):
        assert BY_ID[name].level is Level.DANGER


def test_a_view_finds_its_own_actions_first() -> None:
    found = actions_in((Scope.COMPONENTS, Scope.LIST, Scope.ALL))
    assert found[-1].scopes == (Scope.ALL,)
    assert {"component.pause", "open", "quit"} <= {action.id for action in found}
    assert "project.pause" not in {action.id for action in found}


def test_the_file_wins_over_the_registry(tmp_path: Path) -> None:
    file = tmp_path / "keymap.toml"
    assert load_keymap(file) == DEFAULT
    file.write_text('[keys]\n"project.pause" = "P"\npalette = [":", "ctrl+g"]\n')
    keymap = load_keymap(file)
    assert keymap["project.pause"] == ("P",)
    assert keymap["palette"] == ("colon", "ctrl+g")
    assert keymap["project.start"] == ("s",)


@pytest.mark.parametrize(
    ("text", "what", "cure"),
    [
        ('[keys]\n"project.pose" = "P"', "no action 'project.pose'", "project.pause"),
        ('[keys]\nexport = "ctrl+s"', "ctrl+s cannot be the key of export", "Choose another"),
        ('[keys]\nexport = "alt+e"', "alt+e cannot", "Choose another"),
        ("[keys]\nexport = 5", "not a key", "export"),
        ('[keys]\nexport = "y"', "'y' is both", "another key"),
        ("[keys", "not TOML", "Repair"),
        ("keys = 1", "not a table", "[keys]"),
    ],
)
def test_a_wrong_file_says_what_and_how(tmp_path: Path, text: str, what: str, cure: str) -> None:
    file = tmp_path / "keymap.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_keymap(file)
    assert what in caught.value.what and cure in caught.value.cure and caught.value.where == str(file)

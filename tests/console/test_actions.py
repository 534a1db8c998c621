"""Every action of the registry is done in every view that it names, and nothing is done that it does not name."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from obsync_tui.api import operations as api
from obsync_tui.keys.keymap import VIEWS
from obsync_tui.keys.registry import BY_ID, actions_in
from obsync_tui.screens.help import HelpView
from obsync_tui.screens.navigation import VIEWS as PLACES
from obsync_tui.screens.text import TextView
from obsync_tui.screens.view import View
from tests.console.driving import console, run, running
from tests.console.figures import details
from tests.fakes.console_client import FakeClient

CLASSES: list[type[View]] = [
    HelpView, TextView, *(getattr(importlib.import_module(f"obsync_tui.screens.{module}"), name) for module, name in PLACES.values()),
]  # fmt: skip


@pytest.mark.parametrize("view", CLASSES, ids=lambda view: view.__name__)
def test_a_view_does_what_its_keys_say(view: type[View]) -> None:
    assert view.SCOPES in VIEWS.values()
    missing = [
        action.id
        for action in actions_in(view.SCOPES)
        if not hasattr(view, "do_" + action.id.replace(".", "_"))
    ]
    assert not missing


def test_no_method_is_without_an_action() -> None:
    known = {"do_" + name.replace(".", "_") for name in BY_ID}
    done = {name for view in CLASSES for name in dir(view) if name.startswith("do_")}
    assert done <= known


def test_every_view_has_its_help_with_all_its_keys(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient((running("orders"),)), tmp_path, size=(120, 80)) as it:
            await it.press("question_mark")
            await it.sees(
                "Every project with its state",
                "Release: end the links for good",
                "not now: the project runs: pause it first",
            )
            assert all(action.text in it.text for action in actions_in(VIEWS["Projects"]))
            await it.press("question_mark")
            await it.sees("Projects (1)")

    run(test)


def test_the_palette_finds_actions_and_projects(tmp_path: Path) -> None:
    async def test() -> None:
        projects = tuple(running(f"p{n}", n) for n in range(30))
        client = FakeClient(projects)
        client.answers[api.PROJECT.name] = details(projects[17], started_s=None)
        client.answers[api.EVENTS.name] = ()
        async with console(client, tmp_path) as it:
            await it.press("colon")
            await it.type("freez")
            await it.sees("Freeze and unfreeze the picture")
            await it.press("enter")
            await it.sees(" FROZEN ")
            await it.press("colon")
            await it.type("release")
            await it.sees("not now: the project runs")
            await it.press("escape", "p", "colon")
            await it.type("p17")
            await it.press("enter")
            await it.sees("obsync › p17")

    run(test)


def test_keys_of_the_keymap_win(tmp_path: Path) -> None:
    async def test() -> None:
        keymap = {**{name: action.keys for name, action in BY_ID.items()}, "project.pause": ("P",)}
        async with console(FakeClient((running("orders"),)), tmp_path, keymap=keymap) as it:
            assert "P pause" in it.text
            await it.press("x")
            assert "Pause orders?" not in it.text
            await it.press("P")
            await it.sees("Pause orders?")

    run(test)


def test_views_go_back_and_forth(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient((running("orders"),)), tmp_path) as it:
            await it.press("5")
            await it.sees("obsync › Engine")
            await it.press("1")
            await it.sees("Projects (1)")
            await it.press("minus")
            await it.sees("obsync › Engine")
            await it.press("minus")
            await it.sees("Projects (1)")
            await it.press("escape")
            await it.sees("q quits the console; the engine and its projects go on")
            await it.press("q")
            await it.until(lambda: not it.app.is_running)
            assert it.app.return_value == 0

    run(test)


def test_copies_and_exports_say_where_they_went(tmp_path: Path) -> None:
    async def test() -> None:
        async with console(FakeClient((running("=cmd", tags=("a",)), running("orders", 1))), tmp_path) as it:
            await it.press("Y")
            await it.sees("copied: OSC 52")
            assert '"name":"=cmd"' in (tmp_path / "clipboard.txt").read_text()
            await it.press("E")
            await it.sees("2 rows in")
            (table,) = (tmp_path / "exports").glob("*.csv")
            assert table.read_text().splitlines()[1].startswith("'=cmd,RUN incr,2s,3s,1.3k,1.2k,40")
            assert table.with_suffix(".json").exists() and table.stat().st_mode & 0o777 == 0o600

    run(test)

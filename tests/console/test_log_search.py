"""A log of megabytes, searched to its beginning through the real engine, by keyboard and by command."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from obsync_tui.engine.history.logreading import LOOKED_AT_BYTES
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Component, Level
from tests.console.terminal import Emulated
from tests.engine.resident import ResidentEngine

NEEDLE = "the first word \x1b[31m"


def test_a_log_is_searched_to_its_beginning(tmp_path: Path) -> None:
    with closing(ResidentEngine(tmp_path / "home")) as home:
        home.sources()
        project = home.project("orders")
        logs = ComponentLogs(home.paths.logs)
        logs.write(project.id, Component.STORE, Level.WARNING, NEEDLE)
        logs.write(project.id, Component.STORE, Level.DEBUG, NEEDLE)
        for number in range(2 * LOOKED_AT_BYTES // 4000):
            logs.write(project.id, Component.STORE, Level.INFO, f"{number} {'hay' * 1330}")
            if number % 500 == 499:
                assert logs.flush(60)
        logs.close()
        assert logs.dropped_lines == 0 and home.paths.logs.joinpath(project.id, "store.log.1").exists()
        found = home.command(
            "project", "logs", "orders", "--component", "store", "--search", "First Word", "--json"
        )
        page = json.loads(found.stdout)
        assert [(line["level"], line["text"]) for line in page["lines"]] == [
            ("WARNING", NEEDLE.replace("\x1b", r"\x1b"))
        ]
        assert page["older"] == "" and page["looked_bytes"] > 2 * LOOKED_AT_BYTES
        home.start()
        with Emulated(["--zone", "utc"], module="obsync_tui", OBSYNC_HOME=str(home.home)) as it:
            it.sees("Projects (1)", "orders")
            it.type("l")
            it.sees("project  level INFO")
            it.type("c")
            it.sees("store  level INFO", "hayhay")
            it.type("S")
            it.sees("Search the whole log")
            it.type("first word\r")
            it.sees("1 line in the whole log", r"WARN  the first word \x1b[31m")
            it.loses("hayhay")

"""What tests of component logs say and read."""

from __future__ import annotations

from pathlib import Path

from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.model.history import Component, Level, LogPage

A, B = "np_aaaaaaaaaaaa", "np_bbbbbbbbbbbb"
STORE, ENGINE = Component.STORE, Component.ENGINE
WAIT_S = 60.0


def small(tmp_path: Path, file_bytes: int = 2000, files: int = 4) -> ComponentLogs:
    return ComponentLogs(tmp_path / "logs", file_bytes, files)


def say(logs: ComponentLogs, *texts: str, level: Level = Level.INFO) -> None:
    for text in texts:
        logs.write(A, STORE, level, text)
    assert logs.flush(WAIT_S)


def texts(page: LogPage) -> list[str]:
    return [line.text for line in page.lines]


def everything(logs: ComponentLogs, limit: int = 7, search: str = "") -> list[str]:
    """All lines, page by page from the newest."""
    found: list[str] = []
    before = ""
    while True:
        page = logs.newest(A, STORE, limit=limit, before=before, search=search)
        assert len(page.lines) <= limit
        found = texts(page) + found
        before = page.older
        if not before:
            return found

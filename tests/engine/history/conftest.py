"""Logs in a directory of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from obsync_tui.engine.history.logs import ComponentLogs


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[ComponentLogs]:
    opened = ComponentLogs(tmp_path / "logs")
    yield opened
    opened.close()

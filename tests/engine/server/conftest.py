"""One engine for all tests of a file, where other users can reach it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_directory() -> Iterator[Path]:
    """A directory that every user may pass; pytest's own are closed."""
    made = Path(tempfile.mkdtemp(prefix="obsync-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)

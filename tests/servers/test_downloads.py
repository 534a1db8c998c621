"""The cache is filled once, whole or not at all; what is missing on the machine is named with its cure."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers.downloads import MissingPrerequisite, Prerequisite, cached, require


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OBSYNC_TEST_CACHE", str(tmp_path))
    return tmp_path


def test_parallel_runs_download_once(cache: Path) -> None:
    calls = []

    def make(directory: Path) -> None:
        calls.append(directory)
        (directory / "file").write_text("whole")

    with ThreadPoolExecutor(4) as pool:
        places = list(pool.map(lambda _: cached("program", make), range(4)))
    assert set(places) == {cache / "program"}
    assert len(calls) == 1
    assert (cache / "program/file").read_text() == "whole"


def test_failed_download_leaves_nothing(cache: Path) -> None:
    def fail(directory: Path) -> None:
        (directory / "file").write_text("half")
        raise RuntimeError("no network")

    with pytest.raises(RuntimeError, match="no network"):
        cached("program", fail)
    assert [path.name for path in cache.iterdir()] == ["program.lock"]
    assert cached("program", lambda directory: None) == cache / "program"


def test_missing_prerequisite_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingPrerequisite) as error:
        require(
            Prerequisite("java", "default-jdk-headless", lambda: False),
            Prerequisite("sh", "dash", lambda: True),
        )
    assert "need java, missing" in str(error.value)
    assert str(error.value).endswith("sudo apt-get update && sudo apt-get install -y default-jdk-headless")

"""Where the engine binds: in a directory of its own, and no other is touched."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from obsync_tui.api.endpoint import Endpoint
from obsync_tui.api.errors import NotOurEngine
from obsync_tui.engine.server.listener import Listener


async def nothing(scope: object, receive: object, send: object) -> None:
    """An application that is never asked."""


def bind(directory: Path, *, shared: bool = False) -> tuple[int, int]:
    """The modes of directory and socket while the engine listens."""
    at = Endpoint(directory / "engine.sock", os.getuid())

    async def listen() -> tuple[int, int]:
        listener = Listener(nothing, at, lambda: shared)
        await listener.start()
        found = tuple(stat.S_IMODE(path.stat().st_mode) for path in (directory, at.path))
        listener.close()
        return found[0], found[1]

    return asyncio.run(listen())


@pytest.mark.parametrize("mode", [0o755, 0o1777, 0o750, 0o722])
def test_a_directory_of_others_is_refused_and_left_as_it_is(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(NotOurEngine, match=f"{mode:04o}.*OBSYNC_SOCKET"):
        bind(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == mode
    assert list(directory.iterdir()) == []


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(NotOurEngine, match="not a directory of this user"):
        bind(tmp_path / "run")


def test_a_directory_of_its_own_opens_for_others_to_pass_only(tmp_path: Path) -> None:
    assert bind(tmp_path / "a" / "run") == (0o700, 0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert bind(tmp_path / "a" / "run", shared=True) == (0o711, 0o666)
    assert bind(tmp_path / "a" / "run") == (0o700, 0o600)

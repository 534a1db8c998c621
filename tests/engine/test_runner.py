"""A run's end, when it comes at the moment at which somebody gives the run up."""

from __future__ import annotations

import threading
from pathlib import Path

from obsync_tui.engine.runner import Runner
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.engine.threads import ThreadPool
from obsync_tui.model.project import Objects, Project
from tests.engine.service.conftest import IdleRun

WAIT_S = 60
PROJECT = Project("np_abcdefabcdef", "orders", "shop", "events", Objects(("shop.*",)))


def test_a_run_that_ends_while_it_is_given_up_is_told_of_once(tmp_path: Path) -> None:
    tells, go_on = threading.Event(), threading.Event()
    told: list[BaseException | None] = []

    def ended(_: Runner, error: BaseException | None) -> None:
        tells.set()
        assert go_on.wait(WAIT_S)
        told.append(error)

    pool = ThreadPool()
    with ProjectLock(tmp_path, PROJECT.id) as lock:
        runner = Runner(PROJECT, IdleRun(PROJECT), lock, pool, ended)  # type: ignore[arg-type]
        runner.start()
        runner.stop()
        assert tells.wait(WAIT_S)
        seen: list[tuple[bool, int]] = []
        gives_up = threading.Thread(target=lambda: seen.append((runner.abandon(), len(told))))
        gives_up.start()
        go_on.set()
        gives_up.join(WAIT_S)
    assert seen == [(False, 1)] and runner.over and pool.abandoned == ()

"""The watch stream of a real engine: what changed, when it changed, and a heartbeat."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.client import EngineClient
from obsync_tui.api.errors import EngineAway, RemoteError
from obsync_tui.api.requests import Confirmed, Named, Nothing, Rename, Start
from obsync_tui.model.frames import Frame
from tests.engine.conftest import NewEngine
from tests.engine.resident import ResidentEngine, until

# Beside others a frame may come late; one that should not come at all is waited for this long.
QUIET_S = 2.5


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentEngine]:
    with closing(ResidentEngine(tmp_path_factory.mktemp("w") / "h")) as made:
        made.sources()
        made.project("orders")
        made.start()
        yield made


class Watcher:
    """Reads a stream on a thread of its own, and keeps its frames with the time they came."""

    def __init__(self, engine: ResidentEngine, *topics: str, every_s: float = 0.25) -> None:
        self.frames: list[Frame] = []
        self.came_s: list[float] = []
        self.error: Exception | None = None
        self._client = EngineClient(engine.at)
        self._stream = self._client.watch(topics, every_s)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for frame in self._stream:
                self.frames.append(frame)
                self.came_s.append(time.monotonic())
        except (EngineAway, RemoteError) as error:
            self.error = error

    def until(self, count: int) -> list[Frame]:
        until(lambda: len(self.frames) >= count, f"{count} frames, there are {self.frames}")
        return self.frames


def test_a_frame_comes_when_something_changed_and_only_then(engine: ResidentEngine) -> None:
    watcher = Watcher(engine, "projects")
    first = watcher.until(1)[0]
    assert first.projects is not None and [one.name for one in first.projects] == ["orders"]
    time.sleep(QUIET_S)
    assert len(watcher.frames) == 1, "nothing happened, nothing is told"
    engine.project("second")
    frames = watcher.until(2)
    assert frames[1].projects is not None
    assert [one.name for one in frames[1].projects] == ["orders", "second"]
    engine.call(op.RENAME, Rename("second", "third"))
    until(
        lambda: [one.name for one in watcher.frames[-1].projects or ()] == ["orders", "third"],
        "the rename shows",
    )
    engine.call(op.DELETE, Confirmed("third", "third"))
    until(lambda: [one.name for one in watcher.frames[-1].projects or ()] == ["orders"], "the deletion shows")


def test_a_stream_without_news_beats(engine: ResidentEngine) -> None:
    watcher = Watcher(engine, "projects")
    first, beat = watcher.until(2)[:2]
    assert first.projects is not None
    assert (beat.projects, beat.details, beat.engine, beat.gone) == (None, None, None, "")
    assert watcher.came_s[1] - watcher.came_s[0] > 4, "every five seconds, not more often"
    assert beat.at_s > first.at_s


def test_a_project_with_all_that_it_does(engine: ResidentEngine) -> None:
    engine.project("mine")
    watcher = Watcher(engine, "project:mine", "engine")
    first = watcher.until(1)[0]
    assert first.details is not None and first.details.summary.state == "Not Started"
    assert first.engine is not None and first.engine.pid == engine.process.pid  # type: ignore[union-attr]
    engine.call(op.START, Start("mine"))
    until(lambda: any(one.details and one.details.summary.running for one in watcher.frames), "it runs")
    engine.call(op.PAUSE, Named("mine"))
    until(
        lambda: [one.details for one in watcher.frames if one.details][-1].summary.state == "Paused",
        "it is paused",
    )
    (engine.paths.projects / "mine.toml").unlink()
    until(lambda: any(one.gone == "mine" for one in watcher.frames), "it is gone")
    assert sum(one.gone == "mine" for one in watcher.frames) == 1, "that is told once"


def test_a_project_that_was_never_there(engine: ResidentEngine) -> None:
    watcher = Watcher(engine, "project:nothing")
    assert watcher.until(1)[0].gone == "nothing"
    engine.project("nothing")
    found = watcher.until(2)[1]
    assert found.details is not None and found.details.project.name == "nothing"
    engine.call(op.DELETE, Confirmed("nothing", "nothing"))


def test_two_clients_see_the_same(engine: ResidentEngine) -> None:
    one, two = Watcher(engine, "projects"), Watcher(engine, "projects")
    one.until(1), two.until(1)
    before = engine.call(op.ENGINE, Nothing()).clients
    assert before >= 2
    for number in range(3):
        engine.project(f"p{number}")
        until(lambda n=number: all(f"p{n}" in str(w.frames[-1].projects) for w in (one, two)), "both see it")  # type: ignore[misc]
        assert one.frames[-1].projects == two.frames[-1].projects


@pytest.mark.parametrize(
    ("topics", "every_s", "what"),
    [
        ((), 1.0, "name 1 to 3 topics"),
        (("projects",) * 4, 1.0, "name 1 to 3 topics"),
        (("nonsense",), 1.0, "no such topic"),
        (("project:../etc",), 1.0, "no such topic"),
        (("project:a", "project:b"), 1.0, "watches one project"),
    ],
    ids=["none", "many", "unknown", "path", "two"],
)
def test_what_cannot_be_watched(
    engine: ResidentEngine, topics: tuple[str, ...], every_s: float, what: str
) -> None:
    with engine.client() as client, pytest.raises(RemoteError, match=what) as refused:
        next(client.watch(topics, every_s))
    assert (refused.value.code, refused.value.status) == ("ConfigError", 422)


def test_nobody_is_told_more_often_than_four_times_a_second(engine: ResidentEngine) -> None:
    for asked in (0.0, float("nan")):
        watcher = Watcher(engine, "engine", every_s=asked)  # the engine's load always differs
        watcher.until(6)
        assert watcher.came_s[5] - watcher.came_s[1] > 0.8, asked


def test_streams_end_with_the_engine(new_engine: NewEngine) -> None:
    engine = new_engine()
    engine.start()
    stopped = Watcher(engine, "engine")
    stopped.until(1)
    engine.stop()
    until(lambda: stopped.error, "the client is told")
    assert isinstance(stopped.error, EngineAway)
    engine.start()
    killed = Watcher(engine, "engine")
    killed.until(1)
    engine.kill()
    until(lambda: killed.error, "the client is told")
    assert isinstance(killed.error, EngineAway)

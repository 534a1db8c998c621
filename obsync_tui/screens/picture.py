"""The newest of what the engine has told, and how long it has been silent."""

from collections.abc import Callable

from obsync_tui.api.errors import EngineAway
from obsync_tui.model.frames import Frame
from obsync_tui.model.views import EngineFacts, Hello, ProjectSummary
from obsync_tui.presenters.trend import Trend


class Picture:
    """Projects and engine as last heard of; `now` is UTC epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.projects: tuple[ProjectSummary, ...] = ()
        self.engine: EngineFacts | None = None
        self.hello: Hello | None = None
        self.at_s: float | None = None
        self.trend = Trend()
        self.is_known = False
        self._away_since_s: float | None = None
        self.away_error: EngineAway | None = None

    def take(self, frame: Frame) -> None:
        """Take a frame in: it stands for what changed."""
        self.at_s = self._now()
        if frame.projects is not None:
            self.projects, self.is_known = frame.projects, True
            self.trend.keep({summary.name for summary in frame.projects})
        if frame.engine is not None:
            self.engine = frame.engine
        for summary in self.projects:
            if summary.running:
                self.trend.add(summary.name, self.at_s, summary.rows_per_s)

    def project(self, name: str) -> ProjectSummary | None:
        """A project's line."""
        return next((summary for summary in self.projects if summary.name == name), None)

    @property
    def away_s(self) -> float | None:
        """For how long the engine has been away."""
        return None if self._away_since_s is None else max(self._now() - self._away_since_s, 0.0)

    def away(self, error: EngineAway) -> None:
        """The engine no longer answers."""
        if self._away_since_s is None:
            self._away_since_s = self._now()
        self.away_error = error

    def back(self, hello: Hello) -> None:
        """The engine answers."""
        self.hello, self._away_since_s, self.away_error = hello, None, None

"""A project's run: attempts from the checkpoint until it is complete, stopped, or fails for good."""

import os
import random
import threading
from time import monotonic, time

from obsync_tui.engine.errors import (
    CheckpointError,
    EngineError,
    Fenced,
    ProjectOwned,
    SinkError,
    SourceError,
    Stopped,
)
from obsync_tui.engine.history.journal import Journal, ProjectJournal
from obsync_tui.engine.metrics.meter import Meter, rss_bytes
from obsync_tui.engine.pipeline.attempt import Attempt
from obsync_tui.engine.pipeline.ending import failed_phase, failure_of
from obsync_tui.engine.pipeline.parts import Parts
from obsync_tui.engine.pipeline.sampler import Sampler
from obsync_tui.engine.pipeline.source import Secrets
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.datasource import KafkaSource, SqlSource
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Component, Level
from obsync_tui.model.metrics import Failure, FullStatus, Phase, Status
from obsync_tui.model.project import Project, Step

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_HELD_S = 300.0


class ProjectRun:
    """Runs one project in this process.

    `run` blocks and raises EngineError; `stop` and `status` may be called from any thread.
    """

    def __init__(
        self,
        project: Project,
        source: SqlSource,
        destination: KafkaSource,
        secrets: Secrets,
        state: StateFile,
        take_over: bool = False,
        journal: Journal | None = None,
    ) -> None:
        self._project = project
        self._journal = journal or ProjectJournal(project.id, state)
        self._take_over = take_over
        self._started_s = time()
        self._meter = Meter()
        self._parts = Parts(project, source, destination, secrets, state, self._started_s, self._journal)
        self._sampler = Sampler(self._parts.source.probe, self._meter, self._position)
        self._asked = threading.Event()
        self._attempt: Attempt | None = None
        self._failure: Failure | None = None
        self._phase: Phase | None = Phase.STARTING

    def run(self) -> None:
        """Run until complete; Stopped when asked to stop, EngineError when it cannot go on."""
        threading.Thread(target=self._sampler.run, args=(self._asked,), name="sampler", daemon=True).start()
        self._journal.line(Component.PROJECT, f"started in process {os.getpid()}")
        wait_s = _FIRST_WAIT_S
        try:
            while True:
                began = monotonic()
                try:
                    self._once()
                    self._phase = Phase.COMPLETED
                    self._journal.event(Component.PROJECT, EventKind.RUN, "the project is complete")
                    return
                except EngineError as error:
                    if isinstance(error, Stopped) or self._asked.is_set():
                        self._phase = Phase.STOPPED
                        self._journal.line(Component.PROJECT, "stopped at its checkpoint")
                        raise Stopped("the project was stopped at its checkpoint") from error
                    self._fail(error)
                    if not error.retryable:
                        raise
                    progressed = self._attempt is not None and self._attempt.progressed
                    wait_s = _FIRST_WAIT_S if progressed and monotonic() - began > 10 else wait_s
                self._phase = Phase.RETRYING
                self._meter.restart()
                self._asked.wait(wait_s * random.uniform(0.8, 1.2))
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        finally:
            self._asked.set()
            self._parts.close()

    def _once(self) -> None:
        if self._asked.is_set():
            raise Stopped("the project was stopped")
        attempt = self._attempt = Attempt(
            self._project, self._parts, self._meter, self._journal, self._sampler.check
        )
        self._phase = None
        if self._asked.is_set():
            attempt.stop()
        attempt.run(self._take_over, self._opened)
        if self._asked.is_set():
            raise Stopped("the project was stopped")

    def _position(self) -> str:
        attempt = self._attempt
        return attempt.position if attempt else ""

    def _opened(self) -> None:
        """Others are replaced once: whoever replaces this process later wins."""
        self._take_over = False

    def _fail(self, error: EngineError) -> None:
        self._failure = failure_of(error)
        self._phase = Phase.RETRYING if error.retryable else failed_phase(error)
        text = f"{'trying again' if error.retryable else 'failed'}: {error}"
        level = Level.WARNING if error.retryable else Level.ERROR
        component = self._component(error)
        if isinstance(error, Fenced | ProjectOwned):
            self._journal.line(component, text, level)
        else:
            self._journal.event(component, EventKind.RUN, text, level)

    def _component(self, error: EngineError) -> Component:
        """Whose log an error stands in."""
        if isinstance(error, SourceError):
            full = self._attempt is not None and self._attempt.step is Step.FULL
            return Component.FULL_IMPORT if full else Component.STORE
        return Component.CONNECTOR if isinstance(error, SinkError | CheckpointError) else Component.PROJECT

    def stop(self) -> None:
        """Ask for a stop at a checkpoint."""
        self._asked.set()
        attempt = self._attempt
        if attempt is not None:
            attempt.stop()

    def status(self) -> Status:
        """The numbers of this moment."""
        meter, attempt, now = self._meter, self._attempt, time()
        rates = meter.rates()
        source_lag_s, delivery_lag_s = meter.lags()
        phase = self._phase or (attempt.phase if attempt else Phase.STARTING)
        return Status(
            project_id=self._project.id,
            project=self._project.name,
            phase=phase,
            at_s=now,
            pid=os.getpid(),
            started_s=self._started_s,
            step=attempt.step if attempt else None,
            source_lag_s=source_lag_s,
            delivery_lag_s=delivery_lag_s,
            source_lag_age_s=now - meter.read_at_s if meter.read_at_s else None,
            delivery_lag_age_s=now - meter.acknowledged_at_s if meter.acknowledged_at_s else None,
            idle=meter.caught_up and rates.rows == 0,
            backlog_rows=max(0, meter.read_rows - meter.acknowledged_rows),
            backlog_bytes=max(0, meter.read_bytes - meter.acknowledged_bytes),
            behind_transactions=self._sampler.behind(attempt.position) if attempt else None,
            behind_age_s=now - meter.behind_at_s if meter.behind_at_s else None,
            rows=meter.acknowledged_rows,
            bytes=meter.acknowledged_bytes,
            rows_per_s=rates.rows,
            bytes_per_s=rates.bytes,
            read_rows=meter.all_read_rows,
            read_bytes=meter.all_read_bytes,
            read_rows_per_s=rates.read_rows,
            read_bytes_per_s=rates.read_bytes,
            commit_s=rates.commit_s,
            commit_total_s=meter.commit_s,
            log_fill=meter.log_fill,
            message_fill=meter.message_fill,
            messages=meter.messages,
            commits=meter.commits,
            restarts=meter.restarts,
            rss_bytes=rss_bytes(),
            bottleneck=meter.bottleneck(),
            position=attempt.position if attempt else "",
            clock_offset_s=meter.clock_offset_s,
            purge_left_s=meter.purge_left_s,
            full=attempt.full if attempt else FullStatus(),
            warnings=attempt.warnings if attempt else (),
            failure=self._failure if phase in (Phase.FAILED, Phase.GAP, Phase.RETRYING) else None,
        )

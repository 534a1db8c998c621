"""A project's run: attempts from the checkpoint until it is complete, stopped, or fails for good."""

import os
import random
import threading
from collections.abc import Iterable
from functools import partial
from time import monotonic, time

from obsync_tui.engine.errors import ConfigError, EngineError, Fenced, ProjectOwned, Stopped
from obsync_tui.engine.full.limits import Limits
from obsync_tui.engine.history.journal import Journal, ProjectJournal
from obsync_tui.engine.metrics.meter import Meter, rss_bytes
from obsync_tui.engine.pipeline.attempt import Attempt
from obsync_tui.engine.pipeline.changes import classify
from obsync_tui.engine.pipeline.components import Components, Scene, log_of
from obsync_tui.engine.pipeline.ending import failed_phase, failure_of
from obsync_tui.engine.pipeline.gates import Gates
from obsync_tui.engine.pipeline.objectviews import object_views
from obsync_tui.engine.pipeline.parts import Parts
from obsync_tui.engine.pipeline.rerun import Rerun
from obsync_tui.engine.pipeline.sampler import SAMPLE_EVERY_S, Sampler
from obsync_tui.engine.pipeline.source import Secrets
from obsync_tui.engine.pipeline.trace import Trace
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.threads import ThreadPool
from obsync_tui.model.applied import Applied
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.datasource import KafkaSource, SqlSource
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Component as LogOf
from obsync_tui.model.history import Level
from obsync_tui.model.metrics import Failure, FullStatus, Phase, Status
from obsync_tui.model.objectchange import ChangeState
from obsync_tui.model.objects import ObjectRules, Scope
from obsync_tui.model.project import Project, Step
from obsync_tui.model.table import TableName
from obsync_tui.model.views import ObjectView

# While an attempt opens the servers again, why the one before failed is still the news.
_SHOWS_FAILURE = (Phase.STARTING, Phase.RETRYING, Phase.FAILED, Phase.GAP)
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_SAMPLE_ENDS_S = 0.5


class ProjectRun:
    """Runs one project in this process.

    `run` blocks and raises EngineError; everything else may be called from any thread, and does not wait for what it
    asks for. A component that is paused stays paused over runs, until it is started. `trace` tells of single rows.
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
        threads: ThreadPool | None = None,
    ) -> None:
        self._project = project
        self._journal = journal or ProjectJournal(project.id, state)
        self._ends = (source, destination, secrets)
        self._state = state
        self._take_over = take_over
        self._threads = threads or ThreadPool()
        self._started_s = time()
        self._meter = Meter()
        self.trace = Trace(project)
        self._gates = Gates(state, project.id)
        self._limits = Limits(project.store.rows_per_s, project.store.bytes_per_s)
        self._components = Components(self._gates, self._meter)
        self._parts = self._make_parts(project)
        self._sampler = Sampler(self._parts.source.probe, self._meter, self._position)
        self._asked = threading.Event()
        self._again = threading.Event()
        self._lock = threading.Lock()
        self._attempt: Attempt | None = None
        self._rerun: Rerun | None = None
        self._renewed = False
        self._failure: Failure | None = None
        self._retry_at = 0.0
        self._phase: Phase | None = Phase.STARTING

    def _make_parts(self, project: Project) -> Parts:
        source, destination, secrets = self._ends
        full_paused = partial(self._gates.closed, (Component.FULL_IMPORT,))
        held = (self._state, self._started_s, self._journal, full_paused, self._threads, self.trace)
        return Parts(project, source, destination, secrets, *held)

    def run(self) -> None:
        """Run until complete; Stopped when asked to stop, EngineError when it cannot go on."""
        sampling = self._threads.schedule.every(
            SAMPLE_EVERY_S, f"{self._project.name}.sampler", self._sampler.sample
        )
        self._journal.line(LogOf.PROJECT, f"started in process {os.getpid()}")
        wait_s = _FIRST_WAIT_S
        try:
            while True:
                began = monotonic()
                try:
                    if self._once():
                        return
                    continue
                except EngineError as error:
                    attempt = self._attempt
                    ended = attempt is not None and attempt.ending and not self._asked.is_set()
                    if ended and (error.retryable or isinstance(error, Stopped)):
                        self._meter.rewind()
                        continue  # It was ended to go on otherwise.
                    if isinstance(error, Stopped) or self._asked.is_set():
                        self._phase = Phase.STOPPED
                        self._journal.line(LogOf.PROJECT, "stopped at its checkpoint")
                        raise Stopped("the project was stopped at its checkpoint") from error
                    self._fail(error)
                    if not error.retryable:
                        raise
                    progressed = attempt is not None and attempt.progressed
                    wait_s = _FIRST_WAIT_S if progressed and monotonic() - began > 10 else wait_s
                self._phase = Phase.RETRYING
                self._meter.restart()
                self._wait(wait_s * random.uniform(0.8, 1.2))
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
        finally:
            self._asked.set()
            self._parts.close()
            self._threads.collect(sampling.cancel(), _SAMPLE_ENDS_S)
            self._sampler.close()

    def _once(self) -> bool:
        """One attempt; whether the project is complete."""
        with self._lock:
            self._again.clear()
            if self._renewed:
                self._renewed = False
                self._parts.close()
                self._parts = self._make_parts(self._project)
                self._sampler.renew(self._parts.source.probe)
            rerun, before = self._rerun, self._attempt
            attempt = Attempt(
                self._project,
                self._parts,
                self._meter,
                self._journal,
                self._sampler.check,
                self._gates,
                self._limits,
            )
            if before is not None and self._phase is None:
                attempt.follow(before)
            self._attempt, self._phase = attempt, None
        if self._asked.is_set():
            raise Stopped("the project was stopped")
        attempt.run(self._take_over, rerun, self._opened, self._rerun_kept)
        if self._asked.is_set():
            raise Stopped("the project was stopped")
        with self._lock:
            if self._rerun is not None:
                return False
            self._phase = Phase.COMPLETED
        self._notice(LogOf.PROJECT, "the project is complete")
        return True

    def _wait(self, seconds: float) -> None:
        """Wait before the next attempt, unless somebody asks for something meanwhile."""
        self._retry_at = monotonic() + seconds
        self._again.wait(seconds)

    def _position(self) -> str:
        attempt = self._attempt
        return attempt.position if attempt else ""

    def _opened(self) -> None:
        """Others are replaced once: whoever replaces this process later wins."""
        self._take_over = False

    def _rerun_kept(self) -> None:
        with self._lock:
            self._rerun = None

    def _fail(self, error: EngineError) -> None:
        self._failure = failure_of(error)
        self._phase = Phase.RETRYING if error.retryable else failed_phase(error)
        text = f"{'trying again' if error.retryable else 'failed'}: {error}"
        level = Level.WARNING if error.retryable else Level.ERROR
        log = log_of(error, self._attempt.step if self._attempt else None)
        self._components.failed(error, self._failure, self._attempt.step if self._attempt else None)
        if isinstance(error, Fenced | ProjectOwned):
            self._journal.line(log, text, level)
        else:
            self._journal.event(log, EventKind.RUN, text, level)

    def _notice(self, log: LogOf, text: str) -> None:
        self._journal.event(log, EventKind.RUN, text)

    def stop(self) -> None:
        """Ask for a stop at a checkpoint."""
        self._asked.set()
        with self._lock:
            self._parts.stop()
        self._go_on()

    def _go_on(self) -> None:
        """End the attempt, or the wait for it: the next one does what is wanted now."""
        self._again.set()
        attempt = self._attempt
        if attempt is not None:
            attempt.end()

    def pause(self, component: Component) -> None:
        """Have a component wait at a checkpoint (Full-Import: behind what it reads now) until it is started.

        ConfigError when the project has no such component, or it is done; StateError.
        """
        self._check_component(component)
        if self._gates.close(component):
            self._notice(LogOf(component), f"{component} is paused")
        attempt = self._attempt
        if attempt is not None:
            attempt.pausing(component)

    def start(self, component: Component) -> None:
        """Have a component go on, and try at once what an error would try later. Raises as `pause` does."""
        self._check_component(component)
        if self._gates.open(component):
            self._notice(LogOf(component), f"{component} is started")
        self._again.set()

    def restart(self, component: Component) -> None:
        """End a component at its checkpoint and start it with new connections. Raises as `pause` does.

        Full-Import goes on with what it has not committed, on MySQL under another cut.
        """
        self._check_component(component)
        self._gates.open(component)
        attempt = self._attempt
        step = attempt.step if attempt is not None else None
        if step is (Step.FULL if component is Component.FULL_IMPORT else Step.INCREMENTAL):
            self._notice(LogOf(component), f"{component} is restarted")
            with self._lock:
                self._renewed = self._renewed or component is Component.FULL_IMPORT
            self._go_on()
        self._again.set()

    def rerun_full(self, tables: Iterable[TableName] = ()) -> None:
        """Read tables again, all by default, under a later cut; the stream then goes on from its position.

        That a row was deleted between this position and the cut is not told. Full-Import is started when it was
        paused. ConfigError names tables that the project does not follow.
        """
        named = frozenset(tables)
        attempt, rules = self._attempt, ObjectRules(self._project.objects)
        known = attempt.tables if attempt is not None else frozenset()
        strangers = sorted(name for name in named if not rules.matches(name) or (known and name not in known))
        if strangers:
            raise ConfigError(
                f"not a table of this project: {', '.join(map(str, strangers))}",
                where=f"project {self._project.name}",
                cure="Name tables that it follows, as database.table.",
            )
        self._gates.open(Component.FULL_IMPORT)
        with self._lock:
            all_of_them = not named or (self._rerun is not None and not self._rerun.tables)
            before = self._rerun.tables if self._rerun else frozenset()
            self._rerun = Rerun() if all_of_them else Rerun(named | before)
        self._go_on()

    def apply(self, project: Project) -> Applied:
        """Take over an edited project: at once, or by a restart at the checkpoint, or not at all; see `Applied`."""
        with self._lock:
            attempt = self._attempt
            in_full = attempt is not None and attempt.step is Step.FULL
            applied = classify(self._project, project, in_full=in_full)
            if not applied.done:
                return applied
            self._project = project
            self._parts.adjust(project)
            self._limits.adjust(project.store.rows_per_s, project.store.bytes_per_s)
            # The parts that read a setting when they are made are made anew by the next attempt.
            self._renewed = self._renewed or not (in_full and not applied.restart)
        if applied.live or applied.restart:
            self._notice(
                LogOf.PROJECT,
                f"settings changed: {', '.join(c.key for c in (*applied.live, *applied.restart))}",
            )
        if applied.restart:
            self._notice(
                LogOf.PROJECT, f"restarting at the checkpoint for {', '.join(c.key for c in applied.restart)}"
            )
            self._go_on()
        return applied

    def change(self, scope: Scope) -> ChangeState:
        """How far the run is with these rules; Modifying while it has others."""
        attempt = self._attempt
        return attempt.change if attempt and attempt.scope == scope else ChangeState.MODIFYING

    def _check_component(self, component: Component) -> None:
        found = {one.component: one.state for one in self.components()}
        if component not in found:
            what = f"the project has no {component}"
        elif found[component] is ComponentState.COMPLETED:
            what = f"{component} has completed"
        else:
            return
        cure = "Full synchronization can be run again." if component is Component.FULL_IMPORT else ""
        raise ConfigError(what, where=f"project {self._project.name}", cure=cure)

    def components(self) -> tuple[ComponentStatus, ...]:
        """Every component as it is now."""
        attempt = self._attempt
        phase = self._phase or (attempt.phase if attempt else Phase.STARTING)
        if attempt is None:
            return self._components.view(Scene(self._project, phase))
        return self._components.view(
            Scene(
                self._project,
                phase,
                step=attempt.step,
                working=attempt.working,
                full_done=attempt.full_done,
                conveyor=attempt.conveyor,
                full=attempt.full,
                full_waits=self._parts.full_waits,
                start=attempt.start,
                position=attempt.position,
                retry_s=max(0.0, self._retry_at - monotonic()),
            )
        )

    def paused(self) -> tuple[Component, ...]:
        """The components that wait to be started again."""
        views = self.components() if self._gates.closed(tuple(Component)) else ()
        return tuple(one.component for one in views if one.state is ComponentState.PAUSED)

    def objects(self) -> tuple[ObjectView, ...]:
        """Every table that this run has met, by name."""
        attempt = self._attempt
        if attempt is None:
            return ()
        return object_views(
            self._project, attempt.tables, attempt.progress, self._meter.tables, attempt.full_done
        )

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
            idle=meter.caught_up and rates.rows == 0 and not meter.backlog_rows,
            backlog_rows=meter.backlog_rows,
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
            failure=self._failure if phase in _SHOWS_FAILURE else None,
        )

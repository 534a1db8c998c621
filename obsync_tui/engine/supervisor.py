"""Runs the projects of a home: starts them, watches them, and takes up after a restart what was running."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from obsync_tui.config.files import ConfigFiles
from obsync_tui.config.secrets import SecretResolver
from obsync_tui.engine.errors import EngineError, Refused, StateError, Stopped
from obsync_tui.engine.garbage import Sweep
from obsync_tui.engine.history.journal import ProjectJournal
from obsync_tui.engine.history.logs import ComponentLogs
from obsync_tui.engine.history.metrics import MetricHistory
from obsync_tui.engine.objectchanges import follow, stand
from obsync_tui.engine.pipeline.ending import final_status
from obsync_tui.engine.pipeline.run import ProjectRun
from obsync_tui.engine.pipeline.scope import rules_of
from obsync_tui.engine.refusal import require
from obsync_tui.engine.runner import Runner
from obsync_tui.engine.service.index import Entry, ProjectIndex
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.state.lock import ProjectLock
from obsync_tui.engine.state.objectchanges import ChangeTable
from obsync_tui.engine.state.projects import Begun, Life, ProjectTable
from obsync_tui.engine.threads import ThreadPool
from obsync_tui.model.applied import Applied
from obsync_tui.model.errors import ConfigError
from obsync_tui.model.event import EventKind
from obsync_tui.model.history import Component, Level
from obsync_tui.model.lifecycle import ALLOWED, LEADS_TO, Action, ProjectState, state_after
from obsync_tui.model.metrics import Status
from obsync_tui.model.objectchange import ObjectChange

TICK_S = 1.0
# A run that has not ended by then waits in a call to a server that does not answer.
STOP_TIMEOUT_S = 4.0
SAVE_EVERY_S = 10.0


class Supervisor:
    """Safe to use from any thread. Raises Refused, ConfigError, ProjectOwned, StateError."""

    def __init__(
        self,
        files: ConfigFiles,
        secrets: SecretResolver,
        state: StateFile,
        logs: ComponentLogs,
    ) -> None:
        self.index = ProjectIndex(files, kept=True)
        self.state = state
        self.table = ProjectTable(state)
        self.changes = ChangeTable(state)
        self._files = files
        self._secrets = secrets
        self.logs = logs
        # As of the last look: a client that watches must not walk the directories each second.
        self.logs_bytes = 0
        self.history = MetricHistory(state)
        self.threads = ThreadPool()
        self._mutex = threading.Lock()
        # One action on a project at a time; one that waits for a run to settle holds up no other project.
        self._acting_on: dict[str, threading.Lock] = {}
        self._runners: dict[str, Runner] = {}
        self._lives = self.table.all()
        self._last: dict[str, Status | None] = {}
        self._changing: frozenset[str] = frozenset()
        self._saved_s = 0.0
        self._sweep = Sweep()
        self._ending = threading.Event()
        self._ticker = threading.Thread(target=self._tick_until_end, name="supervisor", daemon=True)

    def start(self) -> None:
        """Take up every project that was running, then watch."""
        self.index.look()
        entries = {e.project.id: e for e in self.index.entries().values() if e.project}
        for project_id in entries:
            self._adopt(project_id)
        taken: list[tuple[Entry, Runner]] = []
        for life in list(self._lives.values()):
            if life.state is ProjectState.RUNNING:
                if one := self._taken_up(life, entries.get(life.id)):
                    taken.append(one)
            elif life.state is ProjectState.RELEASING:
                text = "the release was interrupted: release it again"
                self._move(life.id, frozenset((ProjectState.RELEASING,)), ProjectState.FAILED, "", text)
        if taken:
            self._launch(*taken)
        self._open_changes()
        self._ticker.start()

    def _adopt(self, project_id: str) -> None:
        """Learn where a run in the foreground that could not tell (kill -9) left a project."""
        life = self.life(project_id)
        if life is not None and life.state is not ProjectState.NOT_STARTED:
            return
        status = self.last_status(project_id)
        if status is not None or self.state.records(project_id):
            to = state_after(status.phase) if status else ProjectState.PAUSED
            self._move(project_id, ALLOWED[Action.START], to, "", "ran in the foreground")

    def _taken_up(self, life: Life, entry: Entry | None) -> tuple[Entry, Runner] | None:
        """A new run of a project that was running, to be launched; None where it is not possible any more."""
        try:
            if entry is None:
                raise ConfigError(
                    "the file of a project that was running is gone or wrong",
                    where=str(self._files.paths.projects),
                    cure=f"Put back the project with id {life.id}, then resume it.",
                )
            with self._lock_on_failure(life.id) as lock:
                return entry, self._runner_of(entry, lock, take_over=False)
        except EngineError as error:
            self._log(Level.ERROR, f"{entry.name if entry else life.id} is not taken up: {error}")
            self._move(life.id, frozenset((ProjectState.RUNNING,)), ProjectState.FAILED, "", str(error))
            return None

    def run(self, name: str, action: Action, who: str, *, take_over: bool = False) -> ProjectState:
        """Start or resume a project; answers its state."""
        entry = self.index.entry(name)
        project = entry.project or self.index.project(name)
        self._refuse(self.life(project.id), action, name)
        with self._acting(project.id):
            self._refuse(self.life(project.id), action, name)
            self._settled(project.id)
            with self._lock_on_failure(project.id) as lock:
                runner = self._runner_of(entry, lock, take_over=take_over)
                self._must_move(project.id, action, name, who)
                self._launch((entry, runner))
        return ProjectState.RUNNING

    def pause(self, name: str, who: str) -> ProjectState:
        """Ask a project to stop at a checkpoint; it may settle for some seconds."""
        project = self.index.project(name)
        self._refuse(self.life(project.id), Action.PAUSE, name)
        with self._acting(project.id):
            self._must_move(project.id, Action.PAUSE, name, who)
            runner = self._runners.get(project.id)
        if runner is not None:
            runner.stop()
        return ProjectState.PAUSED

    def apply(self, name: str, who: str) -> Applied:
        """Let a running project take its edited file in: live, by a restart at its checkpoint, or not at all."""
        entry = self.index.entry(name)
        project = entry.project or self.index.project(name)
        runner = self.runner(project.id)
        if runner is None:
            raise Refused(
                "the project does not run", where=f"project {name}", cure="It takes its file in at its start."
            )
        rules_of(project)  # One that cannot be read must not end the run.
        applied = runner.run.apply(project)
        if applied.done:
            self.table.runs_with(Begun(project.id, entry.digest, entry.text))
            self.reload(project.id)
            self.state.add_event(project.id, EventKind.CONFIGURATION, "edited file applied", who=who)
        return applied

    def runner(self, project_id: str) -> Runner | None:
        """The run of a project that has not ended."""
        found = self._runners.get(project_id)
        return None if found is None or found.over else found

    def life(self, project_id: str) -> Life | None:
        """Where a project is in its life."""
        return self._lives.get(project_id)

    def last_status(self, project_id: str) -> Status | None:
        """The figures of a project that does not run, from memory where they are known."""
        if project_id not in self._last:
            self._last[project_id] = self.state.status(project_id)
        return self._last[project_id]

    def changing(self, project_id: str) -> bool:
        """Whether an object change was under way at the last look, a second ago at most; no disk is asked."""
        return project_id in self._changing

    def lives(self) -> dict[str, Life]:
        """Every project's life by id; not to be changed."""
        return self._lives

    def forget(self, project_id: str) -> None:
        """The project is gone."""
        with self._mutex:
            self._lives = {known: life for known, life in self._lives.items() if known != project_id}
            self._runners.pop(project_id, None)
            self._last.pop(project_id, None)
            self._acting_on.pop(project_id, None)
        self.history.delete(project_id)
        self.logs.delete(project_id)
        self.index.look()

    def reload(self, project_id: str) -> None:
        """Read a project's life again after somebody else moved it."""
        with self._mutex:  # what was read first must not overwrite what was read later
            found = self.table.life(project_id)
            self._last.pop(project_id, None)
            if found is not None:
                self._lives = {**self._lives, project_id: found}

    def stop(self) -> None:
        """Stop every project at its checkpoint; those that do not come back are left to the end of the process."""
        self._ending.set()
        with self._mutex:
            runners = [one for one in self._runners.values() if not one.over]
        for runner in runners:
            runner.stop()
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        for runner in runners:
            if not runner.wait(max(0.0, deadline_s - time.monotonic())):
                self._log(
                    Level.WARNING,
                    f"{runner.project.name} did not stop in time; it goes on from its checkpoint",
                )
        if self._ticker.is_alive():
            self._ticker.join(TICK_S)
        try:
            self._save(self.statuses())
            self.history.close()
        except StateError as error:  # figures are lost with a full disk, the end is not held up
            self._log(Level.ERROR, str(error))

    @property
    def running(self) -> int:
        """How many runs have not ended."""
        return sum(not one.over for one in list(self._runners.values()))

    def statuses(self) -> list[Status]:
        """This moment's figures of every run."""
        return [one.run.status() for one in list(self._runners.values()) if not one.over]

    def _log(self, level: Level, text: str) -> None:
        self.logs.write("", Component.ENGINE, level, text)

    def _refuse(self, life: Life | None, action: Action, name: str) -> None:
        state = life.state if life else ProjectState.NOT_STARTED
        require(state, action, name, cure=f"It is {state}.")

    def settle(self, project_id: str) -> None:
        """Wait for a run that was asked to stop; one that does not come back is given up."""
        with self._acting(project_id):
            self._settled(project_id)

    def _settled(self, project_id: str) -> None:
        runner = self._runners.get(project_id)
        if runner is None or runner.over or runner.stop_asked_s is None:
            return
        if not runner.wait(max(0.0, runner.stop_asked_s + STOP_TIMEOUT_S - time.monotonic())):
            self._give_up(runner)

    def _give_up(self, runner: Runner) -> None:
        """Let go of a run that does not come back from a call: nothing counts of it that is not committed."""
        if not runner.abandon():
            return
        self._log(
            Level.WARNING,
            f"{runner.project.name}: a call to a server does not return; its thread is left",
        )
        self._save([final_status(runner.run.status(), None)])

    def _must_move(self, project_id: str, action: Action, name: str, who: str) -> None:
        before = self._move(project_id, ALLOWED[action], LEADS_TO[action], who)
        require(before, action, name, cure=f"It is {before}.")

    def _move(
        self, project_id: str, expected: frozenset[ProjectState], to: ProjectState, who: str, text: str = ""
    ) -> ProjectState:
        before = self.table.move(project_id, expected, to, who, text)
        self.reload(project_id)
        return before

    def _acting(self, project_id: str) -> threading.Lock:
        with self._mutex:
            return self._acting_on.setdefault(project_id, threading.Lock())

    @contextmanager
    def _lock_on_failure(self, project_id: str) -> Iterator[ProjectLock]:
        """The project's lock, which is let go of again when the run does not come about."""
        lock = ProjectLock(self._files.paths.state, project_id).__enter__()
        try:
            yield lock
        except BaseException:
            lock.release()
            raise

    def _runner_of(self, entry: Entry, lock: ProjectLock, *, take_over: bool) -> Runner:
        project = entry.project
        assert project is not None
        source, destination = self._files.source_of(project), self._files.destination_of(project)
        journal = ProjectJournal(project.id, self.state, self.logs)
        run = ProjectRun(
            project,
            source,
            destination,
            self._secrets.resolve,
            self.state,
            take_over=take_over,
            journal=journal,
            threads=self.threads,
        )
        return Runner(project, run, lock, self.threads, self._ended)

    def _launch(self, *begun: tuple[Entry, Runner]) -> None:
        self.table.started(*(Begun(runner.project.id, entry.digest, entry.text) for entry, runner in begun))
        for _, runner in begun:
            self.reload(runner.project.id)
            with self._mutex:
                self._runners[runner.project.id] = runner
            runner.start()

    def _ended(self, runner: Runner, error: BaseException | None) -> None:
        """A run is over: where the project stands now."""
        project_id, running = runner.project.id, frozenset((ProjectState.RUNNING,))
        stopped = isinstance(error, Stopped)
        try:
            self._save([final_status(runner.run.status(), None if stopped else error)])
            if error is None:
                self._move(project_id, running, ProjectState.COMPLETED, "")
            elif not stopped:
                self._log(Level.ERROR, f"{runner.project.name} failed: {error}")
                self._move(project_id, running, ProjectState.FAILED, "", str(error))
            elif not self._ending.is_set() and runner.stop_asked_s is None:
                self._move(project_id, running, ProjectState.PAUSED, "", str(error))
        except StateError as broken:
            self._log(Level.ERROR, f"{runner.project.name}: {broken}")

    def _tick_until_end(self) -> None:
        while not self._ending.wait(TICK_S):
            try:
                self._tick()
            except EngineError as error:
                self._log(Level.ERROR, str(error))

    def _tick(self) -> None:
        with self._mutex:
            # A run that is over holds its trace and queues as long as somebody holds it.
            for project_id in [of for of, one in self._runners.items() if one.over]:
                del self._runners[project_id]
        self._sweep.when_due()
        for runner in list(self._runners.values()):
            asked_s = runner.stop_asked_s
            if asked_s is not None and time.monotonic() - asked_s > STOP_TIMEOUT_S:
                self._give_up(runner)
        statuses = self.statuses()
        for status in statuses:
            self.history.record(status)
        self._follow_changes()
        self.index.keep()
        if time.monotonic() - self._saved_s >= SAVE_EVERY_S:
            self._saved_s = time.monotonic()
            self._save(statuses)
            self.history.flush()
            self.logs_bytes = self.logs.size_bytes()

    def _follow_changes(self) -> None:
        """Write down how far object changes are that are open."""
        for change in self._open_changes():
            runner, life = self.runner(change.project_id), self.life(change.project_id)
            state = life.state if life else ProjectState.NOT_STARTED
            if runner is not None and runner.stop_asked_s is None:
                follow(self.changes, change, runner.run.change(change.after))
            elif runner is None:
                stand(self.changes, change, state, self.last_status(change.project_id))

    def _open_changes(self) -> list[ObjectChange]:
        found = self.changes.open()
        self._changing = frozenset(one.project_id for one in found if one.under_way)
        return found

    def _save(self, statuses: Sequence[Status]) -> None:
        if statuses:
            self.state.save_status(*statuses)
            self._last.update((status.project_id, status) for status in statuses)

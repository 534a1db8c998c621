"""The components' view of a run, from what its threads count."""

import threading
from time import time

import msgspec

from obsync_tui.engine.errors import CheckpointError, EngineError, SinkError, SourceError
from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.pipeline.conveyor import Conveyor
from obsync_tui.engine.pipeline.gates import Gates
from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.model.history import Component as LogOf
from obsync_tui.model.metrics import Failure, FullStatus, Phase
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import Project, Step

_ENDED = (Phase.STOPPED, Phase.FAILED, Phase.GAP, Phase.COMPLETED)
_TROUBLED = (Phase.FAILED, Phase.GAP, Phase.RETRYING)


class Scene(msgspec.Struct, frozen=True):
    """What a run is doing now. `working`: the step's threads run. `full_done`: the stream has its start."""

    project: Project
    phase: Phase
    step: Step | None = None
    working: bool = False
    full_done: bool = False
    conveyor: Conveyor | None = None
    full: FullStatus = FullStatus()
    full_waits: str = ""
    start: LogPosition | None = None
    position: str = ""
    retry_s: float = 0.0


class Components:
    """Knows since when each component stands as it does, and its last error; safe for threads."""

    def __init__(self, gates: Gates, meter: Meter) -> None:
        self._gates = gates
        self._meter = meter
        self._lock = threading.Lock()
        self._since: dict[Component, tuple[ComponentState, float]] = {}
        self._errors: dict[Component, Failure] = {}
        self._troubled: Component | None = None

    def failed(self, error: EngineError, failure: Failure, step: Step | None) -> None:
        """An attempt ended in an error of that step."""
        self._troubled = component = _blamed(error, step)
        self._errors[component] = failure

    def view(self, scene: Scene) -> tuple[ComponentStatus, ...]:
        """Every component that the project has, as of now."""
        if scene.working:
            self._troubled = None
        steps = scene.project.steps
        found = []
        if Step.INCREMENTAL in steps:
            found += [self._store(scene), self._connector(scene)]
        if Step.FULL in steps or scene.step is Step.FULL:
            found.append(self._full(scene))
        return tuple(found)

    def state(self, scene: Scene, component: Component) -> ComponentState:
        """How a component stands."""
        own = Step.FULL if component is Component.FULL_IMPORT else Step.INCREMENTAL
        at_work = scene.working and scene.step is own
        if component is Component.FULL_IMPORT and scene.full_done and scene.step is not Step.FULL:
            return ComponentState.COMPLETED
        # The stream ends before it counts as paused; readers hand on what they have.
        if self._gates.closed((component,)) and not (at_work and own is Step.INCREMENTAL):
            return ComponentState.PAUSED
        if self._troubled is component and (scene.phase in _TROUBLED or not scene.working):
            return ComponentState.ABNORMAL
        return ComponentState.STOPPED if scene.phase in _ENDED else ComponentState.RUNNING

    def _store(self, scene: Scene) -> ComponentStatus:
        meter, conveyor = self._meter, scene.conveyor
        rate = meter.rates().read_rows if scene.step is Step.INCREMENTAL else 0.0
        status = self._stream(scene, Component.STORE)
        lag_s, _ = meter.lags()
        waits = status.waits_for
        if conveyor is not None and not waits and status.state is ComponentState.RUNNING:
            waits = conveyor.source_waits or ("source has nothing" if meter.caught_up else "")
        queued, queue_bytes, fill = 0, 0, 0.0
        if conveyor is not None and scene.step is Step.INCREMENTAL and scene.working:
            queue_bytes = conveyor.input.held_bytes
            fill = conveyor.input.fill
            queued = round(queue_bytes * meter.read_rows / meter.read_bytes) if meter.read_bytes else 0
        return msgspec.structs.replace(
            status,
            waits_for=waits,
            rows_in_per_s=rate,
            rows_out_per_s=rate,
            position=(conveyor.pulled if conveyor else "") or scene.position,
            reached_s=_seconds(meter.read_commit_us),
            lag_s=lag_s,
            queue_rows=queued,
            queue_bytes=queue_bytes,
            queue_fill=fill,
        )

    def _connector(self, scene: Scene) -> ComponentStatus:
        meter, conveyor = self._meter, scene.conveyor
        streaming = scene.step is Step.INCREMENTAL
        status = self._stream(scene, Component.CONNECTOR)
        _, lag_s = meter.lags()
        waits = status.waits_for
        if conveyor is not None and not waits and status.state is ComponentState.RUNNING:
            waits = conveyor.connector_waits or ("store has nothing" if conveyor.input.empty() else "")
        queued, queue_bytes, fill = 0, 0, 0.0
        if conveyor is not None and streaming and scene.working:
            messages, queue_bytes = conveyor.messages.waiting()
            queued, fill = sum(out.rows for out in messages), conveyor.messages.fill
        return msgspec.structs.replace(
            status,
            waits_for=waits,
            rows_in_per_s=meter.rates().read_rows if streaming else 0.0,
            rows_out_per_s=meter.rates().rows if streaming else 0.0,
            position=scene.position,
            reached_s=_seconds(meter.acknowledged_commit_us),
            lag_s=lag_s,
            queue_rows=queued,
            queue_bytes=queue_bytes,
            queue_fill=fill,
        )

    def _stream(self, scene: Scene, component: Component) -> ComponentStatus:
        """What Store and Connector have in common."""
        state = self.state(scene, component)
        waits = ""
        other = Component.CONNECTOR if component is Component.STORE else Component.STORE
        if state is ComponentState.PAUSED:
            waits = "paused"
        elif state is ComponentState.RUNNING:
            if self._gates.closed((component,)):
                waits = "pausing at a checkpoint"
            elif scene.phase is Phase.RETRYING:
                waits = f"trying again in {scene.retry_s:.0f} s"
            elif not scene.full_done and scene.step is Step.FULL:
                waits = "full-import is reading"
            elif self._gates.closed((other,)):
                waits = f"{other} is paused"
            elif not (scene.working and scene.step is Step.INCREMENTAL):
                waits = "starting"
        start = scene.start
        return ComponentStatus(
            component,
            state,
            self._since_s(component, state),
            waits_for=waits,
            start=start.executed if start else "",
            start_s=_seconds(start.commit_us) if start else None,
            error=self._errors.get(component),
        )

    def _full(self, scene: Scene) -> ComponentStatus:
        component, full, conveyor = Component.FULL_IMPORT, scene.full, scene.conveyor
        state = self.state(scene, component)
        reading = scene.step is Step.FULL and scene.working
        waits = ""
        if state is ComponentState.PAUSED:
            waits = "paused"
        elif state is ComponentState.RUNNING:
            waits = scene.full_waits if reading else "starting"
            if scene.phase is Phase.RETRYING:
                waits = f"trying again in {scene.retry_s:.0f} s"
        rows_s = self._meter.rates().read_rows if reading else 0.0
        queued, queue_bytes, fill = 0, 0, 0.0
        if conveyor is not None and reading:
            batches, queue_bytes = conveyor.input.waiting()
            queued = sum(batch.rows for batch in batches if isinstance(batch, ChunkBatch))
            fill = conveyor.input.fill
        done = state is ComponentState.COMPLETED
        # An estimate may be too low: only what is committed whole is done.
        part = min(0.999, full.rows / full.rows_estimated) if full.rows_estimated else None
        return ComponentStatus(
            component,
            state,
            self._since_s(component, state),
            waits_for=waits,
            rows_in_per_s=rows_s,
            rows_out_per_s=full.rows_per_s if reading else 0.0,
            queue_rows=queued,
            queue_bytes=queue_bytes,
            queue_fill=fill,
            progress=1.0 if done else part,
            error=self._errors.get(component),
        )

    def _since_s(self, component: Component, state: ComponentState) -> float:
        with self._lock:
            before, since_s = self._since.get(component, (None, 0.0))
            if before is not state:
                since_s = time()
                self._since[component] = (state, since_s)
            return since_s


def log_of(error: EngineError, step: Step | None) -> LogOf:
    """Whose log an error stands in."""
    if isinstance(error, SourceError):
        return LogOf.FULL_IMPORT if step is Step.FULL else LogOf.STORE
    return LogOf.CONNECTOR if isinstance(error, SinkError | CheckpointError) else LogOf.PROJECT


def _blamed(error: EngineError, step: Step | None) -> Component:
    """Whose error it is: everything of full synchronization is Full-Import's."""
    if step is Step.FULL:
        return Component.FULL_IMPORT
    return Component.STORE if isinstance(error, SourceError) else Component.CONNECTOR


def _seconds(commit_us: int) -> float | None:
    return commit_us / 1e6 if commit_us else None

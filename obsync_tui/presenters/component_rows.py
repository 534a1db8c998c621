"""A project's components: how each stands, what it waits for, how full its queue is."""

from obsync_tui.model.component import Component, ComponentState, ComponentStatus
from obsync_tui.presenters.project_details import failure_lines
from obsync_tui.presenters.project_rows import percent
from obsync_tui.presenters.quantities import count_text, duration_text, lag_cell, size_text
from obsync_tui.presenters.spans import Line, Role, Span, line
from obsync_tui.presenters.sparks import progress_bar
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.symbols import Symbols

NAMES = {Component.STORE: "Store", Component.CONNECTOR: "Connector", Component.FULL_IMPORT: "Full-Import"}
_STATES = {
    ComponentState.RUNNING: Span("RUN", Role.GOOD),
    ComponentState.PAUSED: Span("PAUSED", Role.WARN),
    ComponentState.STOPPED: Span("stopped", Role.DIM),
    ComponentState.ABNORMAL: Span("ABNORMAL", Role.BAD),
    ComponentState.COMPLETED: Span("done", Role.GOOD),
}
_BAR = 6
# A queue this full says that what takes from it is slow.
_FULL = 0.5


def state_cell(of: ComponentStatus) -> Span:
    """The state as a word."""
    return _STATES[of.state]


def far_cell(of: ComponentStatus) -> Span:
    """How far it is: a share of the rows, or a lag."""
    if of.progress is not None:
        return Span(percent(of.progress))
    late = of.lag_s is not None and of.lag_s >= 30
    return Span("" if of.lag_s is None else lag_cell(of.lag_s), Role.WARN if late else Role.PLAIN)


def reached_cell(of: ComponentStatus, now_s: float, zone: Zone) -> Span:
    """The commit time that it has reached."""
    return Span("" if of.reached_s is None else zone.short(of.reached_s, now_s))


def rate_span(rows_per_s: float, of: ComponentStatus) -> Span:
    """Rows per second; nothing while it does not run."""
    return Span(count_text(rows_per_s) if of.state is ComponentState.RUNNING else "")


def queue_cell(of: ComponentStatus, symbols: Symbols) -> Span:
    """How full the queue behind it is; a full one means that the next component is slow."""
    bar = progress_bar(of.queue_fill, _BAR, symbols)
    return Span(f"{bar} {percent(of.queue_fill):>4}", Role.WARN if of.queue_fill >= _FULL else Role.PLAIN)


def waits_cell(of: ComponentStatus) -> Span:
    """What it waits for, or its error while it is not running."""
    if of.error is not None and of.state is ComponentState.ABNORMAL:
        return Span(of.error.what, Role.BAD)
    return Span(of.waits_for or ("works" if of.state is ComponentState.RUNNING else ""), Role.PLAIN)


def component_lines(of: ComponentStatus, now_s: float, zone: Zone) -> list[Line]:
    """A component in full: since when, from where to where, its queue, its last error."""
    lines = [
        line(
            Span(" since     ", Role.DIM),
            f"{zone.moment(of.since_s)} ({duration_text(max(now_s - of.since_s, 0))})",
        )
    ]
    if of.start or of.start_s is not None:
        lines.append(line(Span(" from      ", Role.DIM), _place(of.start, of.start_s, zone)))
    if of.position or of.reached_s is not None:
        lines.append(line(Span(" reached   ", Role.DIM), _place(of.position, of.reached_s, zone)))
    queue = f"{count_text(of.queue_rows)} rows, {size_text(of.queue_bytes)}, {percent(of.queue_fill)} full"
    lines.append(line(Span(" queue     ", Role.DIM), queue))
    if of.waits_for:
        lines.append(line(Span(" waits for ", Role.DIM), of.waits_for))
    if of.error is not None:
        lines += failure_lines(of.error, now_s, zone)
    return lines


def _place(position: str, at_s: float | None, zone: Zone) -> str:
    return "  ".join(part for part in ("" if at_s is None else zone.moment(at_s), position) if part)


def action_reason(of: ComponentStatus, action: str) -> str:
    """Why start, pause, restart or rerun is not possible in the component's state; empty when it is."""
    running = of.state is ComponentState.RUNNING
    done = of.state is ComponentState.COMPLETED
    if action == "rerun":
        return "" if of.component is Component.FULL_IMPORT else "only Full-Import can be run again"
    if done:
        return f"{NAMES[of.component]} is complete"
    if action == "start":
        return f"{NAMES[of.component]} runs already" if running else ""
    if action == "pause":
        return "" if running else f"{NAMES[of.component]} does not run"
    return ""

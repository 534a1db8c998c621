"""A project's line in the list: cells, order, and the summary over all lines."""

from collections.abc import Sequence

from obsync_tui.model.lifecycle import ProjectState
from obsync_tui.model.metrics import Phase
from obsync_tui.model.views import ProjectSummary
from obsync_tui.presenters.quantities import count_text, duration_text, lag_cell
from obsync_tui.presenters.spans import Line, Role, Span

# A run writes its figures each second; what is older than three of them is old.
FRESH_S = 4.0
_WORDS = {
    ProjectState.NOT_STARTED: ("new", Role.DIM),
    ProjectState.PAUSED: ("PAUSED", Role.WARN),
    ProjectState.FAILED: ("FAILED!", Role.BAD),
    ProjectState.COMPLETED: ("done", Role.GOOD),
    ProjectState.RELEASING: ("releasing", Role.NOTE),
    ProjectState.RELEASED: ("released", Role.DIM),
}
_PHASES = {
    Phase.STARTING: "start",
    Phase.SCHEMA: "schema",
    Phase.FULL: "full",
    Phase.INCREMENTAL: "incr",
    Phase.RETRYING: "retry",
    Phase.GAP: "GAP",
}


def age_s(summary: ProjectSummary, now_s: float) -> float | None:
    """How old the figures are, None while they are fresh or there are none to expect."""
    if not summary.running or summary.at_s is None or now_s - summary.at_s < FRESH_S:
        return None
    return now_s - summary.at_s


def state_cell(summary: ProjectSummary) -> Span:
    """State and what it is at: `RUN incr`, `RUN full 45%`, `PAUSED`, `FAILED!`."""
    if summary.error:
        return Span("BAD FILE", Role.BAD)
    if summary.settling:
        return Span("stopping", Role.NOTE)
    if summary.state is not ProjectState.RUNNING:
        return Span(*_WORDS[summary.state])
    if summary.phase is None:
        return Span("RUN", Role.GOOD)
    if summary.phase is Phase.RETRYING:
        return Span("RUN retry", Role.WARN)
    if summary.paused_components:
        return Span(f"RUN {_PHASES.get(summary.phase, '')} held", Role.WARN)
    if summary.phase is Phase.FULL and summary.full_progress is not None:
        return Span(f"RUN full {percent(summary.full_progress)}", Role.GOOD)
    return Span(f"RUN {_PHASES.get(summary.phase, str(summary.phase))}", Role.GOOD)


def searched_text(summary: ProjectSummary) -> str:
    """What a filter looks at."""
    named = f"{summary.name} {state_cell(summary).text} {summary.source} {summary.destination}"
    return f"{named} {' '.join(summary.tags)} {summary.bottleneck} {summary.error}"


def state_order(summary: ProjectSummary) -> str:
    """What needs a look comes first."""
    order = ["Failed", "Paused", "Running"]
    place = 0 if summary.error else order.index(summary.state) + 1 if summary.state in order else 9
    return f"{place}{summary.state}{summary.phase or ''}"


def percent(share: float) -> str:
    """A share as whole percent; 100 only when it is whole."""
    return f"{100 if share >= 1 else min(int(share * 100), 99)}%"


def lag_span(lag_s: float | None, summary: ProjectSummary, now_s: float) -> Span:
    """A lag; nothing for a project that does not run, dim when old."""
    if not summary.running:
        return Span("", Role.DIM)
    if age_s(summary, now_s) is not None:
        return Span(lag_cell(lag_s), Role.DIM)
    late = lag_s is not None and lag_s >= 30
    return Span(lag_cell(lag_s), Role.WARN if late else Role.PLAIN)


def figure_span(figure: float, summary: ProjectSummary, now_s: float) -> Span:
    """A count; nothing for a project that does not run, dim when old."""
    if not summary.running:
        return Span("", Role.DIM)
    return Span(count_text(figure), Role.DIM if age_s(summary, now_s) is not None else Role.PLAIN)


def reason_cell(summary: ProjectSummary, now_s: float) -> Span:
    """What is slowest, or what else the user should know about this line."""
    if summary.error:
        return Span(summary.error, Role.BAD)
    if summary.failure is not None and summary.state is ProjectState.FAILED:
        return Span(summary.failure.what, Role.BAD)
    if (age := age_s(summary, now_s)) is not None:
        return Span(f"{duration_text(age)} old", Role.WARN)
    if summary.file_changed:
        return Span("file changed", Role.NOTE)
    if not summary.running:
        return Span("")
    return Span(summary.bottleneck or ("idle" if summary.idle else ""), Role.PLAIN)


def overview_line(summaries: Sequence[ProjectSummary]) -> Line:
    """All projects in one line: how many run, wait, failed, rows a second, and the one that is latest."""
    if not summaries:
        return ()
    states = [summary.state for summary in summaries]
    running = states.count(ProjectState.RUNNING)
    spans = [Span(f" {len(summaries)} projects  {running} running")]
    if paused := states.count(ProjectState.PAUSED):
        spans.append(Span(f"  {paused} paused", Role.WARN))
    if failed := states.count(ProjectState.FAILED) + sum(bool(summary.error) for summary in summaries):
        spans.append(Span(f"  {failed} FAILED", Role.BAD))
    live = [summary for summary in summaries if summary.running]
    rows = sum(summary.rows_per_s for summary in live)
    spans.append(Span(f"  out {count_text(rows)} rows/s"))
    late = max(live, key=lambda summary: summary.delivery_lag_s or 0.0, default=None)
    if late is not None and (late.delivery_lag_s or 0.0) >= 1:
        spans.append(Span(f"  latest {late.name} {lag_cell(late.delivery_lag_s)}"))
    return tuple(spans)

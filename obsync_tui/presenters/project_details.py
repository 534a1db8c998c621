"""One project in full: its facts, its steps, what is wrong with it."""

from collections.abc import Sequence

from obsync_tui.model.metrics import Failure, Status
from obsync_tui.model.views import ProjectDetails, ProjectSummary, StepView
from obsync_tui.presenters.project_rows import age_s, percent, state_cell
from obsync_tui.presenters.quantities import count_text, duration_text, lag_cell, lag_text, size_text
from obsync_tui.presenters.spans import Line, Role, Span, line
from obsync_tui.presenters.sparks import progress_bar
from obsync_tui.presenters.zone import Zone
from obsync_tui.terminal.symbols import Symbols

_BAR = 16
_STEP_ROLES = {
    "Running": Role.NOTE,
    "Monitoring": Role.GOOD,
    "Finished": Role.GOOD,
    "Failed": Role.BAD,
    "Paused": Role.WARN,
}
# From there on the time that the source keeps its log is a warning.
_PURGE_SOON_S = 86_400.0


def context_line(summary: ProjectSummary, now_s: float, zone: Zone) -> Line:
    """State and the numbers that are asked for first, with the time they are of."""
    if not summary.running:
        since = "" if summary.since_s is None else f"  since {zone.short(summary.since_s, now_s)}"
        return line(" ", state_cell(summary), since)
    old = age_s(summary, now_s)
    figures = (
        f"  lag {lag_cell(summary.source_lag_s)}  latency {lag_cell(summary.delivery_lag_s)}"
        f"  out {count_text(summary.rows_per_s)} rows/s  backlog {count_text(summary.backlog_rows)}"
    )
    slow = f"  slowest: {summary.bottleneck}" if summary.bottleneck else ""
    if old is not None:
        return line(
            " ", state_cell(summary), Span(figures, Role.DIM), Span(f"  {duration_text(old)} old", Role.WARN)
        )
    return line(" ", state_cell(summary), figures, Span(slow, Role.WARN))


def fact_lines(details: ProjectDetails, now_s: float, zone: Zone) -> list[Line]:
    """Id, origin, ends, types, how far it is."""
    project, summary = details.project, details.summary
    made = "" if details.created_s is None else f"  created {zone.moment(details.created_s)}"
    by = f" by {details.created_by}" if details.created_by else ""
    types = ", ".join(project.steps)
    facts = [
        line(Span(" id ", Role.DIM), project.id, Span(made + by, Role.DIM)),
        line(
            Span(" from ", Role.DIM),
            project.source,
            Span(" to ", Role.DIM),
            project.destination,
            Span("  types ", Role.DIM),
            types,
        ),
    ]
    if details.started_s is not None:
        facts[1] += (Span("  first started ", Role.DIM), Span(zone.short(details.started_s, now_s)))
    if summary.tags:
        facts[0] += (Span("  tags ", Role.DIM), Span(" ".join(summary.tags)))
    status = details.status
    if status is not None:
        facts.append(_synchronized(status, now_s, zone))
    if summary.file_changed:
        facts.append(
            line(Span(" The file differs from what runs: v shows how, A puts it into force.", Role.NOTE))
        )
    if summary.paused_components:
        facts.append(
            line(Span(f" held back: {', '.join(summary.paused_components)} (c, then s goes on)", Role.WARN))
        )
    return facts


def _synchronized(status: Status, now_s: float, zone: Zone) -> Line:
    """Up to which commit time everything is delivered, and when that was looked at."""
    spans = [Span(" synchronized to ", Role.DIM)]
    if status.delivery_lag_s is None:
        spans.append(Span("?"))
    else:
        spans.append(Span(zone.short(status.at_s - status.delivery_lag_s, now_s)))
        spans.append(
            Span(f" ({lag_text(status.delivery_lag_s)}, sampled {zone.clock(status.at_s)})", Role.DIM)
        )
    spans.append(Span("  delivered ", Role.DIM))
    spans.append(Span(f"{count_text(status.messages)} messages, {size_text(status.bytes)}"))
    return tuple(spans)


def step_lines(steps: Sequence[StepView], symbols: Symbols) -> list[Line]:
    """A line a step: its state, progress, rate and remaining time."""
    return [_step_line(step, symbols) for step in steps]


def _step_line(step: StepView, symbols: Symbols) -> Line:
    role = _STEP_ROLES.get(step.state, Role.DIM)
    spans = [Span(f" {step.step:<12} "), Span(f"{step.state:<11}", role)]
    if step.progress is not None:
        spans.append(Span(f" {progress_bar(step.progress, _BAR, symbols)} {percent(step.progress):>4}"))
    if step.state == "Running" and step.rows_per_s:
        spans.append(Span(f"  {count_text(step.rows_per_s)} rows/s"))
    if step.state == "Running" and step.progress is not None:
        spans.append(Span("  left ?" if step.left_s is None else f"  left {duration_text(step.left_s)}"))
    return tuple(spans)


def failure_lines(failure: Failure, now_s: float, zone: Zone) -> list[Line]:
    """What, where, what to do."""
    when = f"{zone.short(failure.at_s, now_s)}  {failure.code}"
    again = ", is tried again" if failure.retryable else ""
    lines = [line(Span(f" {failure.what}", Role.BAD), Span(f"  {when}{again}", Role.DIM))]
    if failure.where:
        lines.append(line(Span(" where  ", Role.DIM), failure.where))
    if failure.cure:
        lines.append(line(Span(" do     ", Role.DIM), Span(failure.cure, Role.STRONG)))
    return lines


def warning_lines(status: Status, most: int = 2) -> list[Line]:
    """The warnings of a run, the first of them."""
    warnings, left_s = list(status.warnings), status.purge_left_s
    clock = "" if left_s is None else f"the source purges what is not read yet in {duration_text(left_s)}"
    if left_s is not None and left_s < _PURGE_SOON_S:
        warnings.insert(0, clock)
        clock = ""
    lines = [line(Span(f" ! {warning}", Role.WARN)) for warning in warnings[:most]]
    if len(warnings) > most:
        lines.append(line(Span(f"   and {len(warnings) - most} more warnings", Role.WARN)))
    elif clock and len(lines) < most:
        lines.append(line(Span(f" {clock}", Role.DIM)))
    return lines

"""What the doctor found, as rows."""

from collections.abc import Sequence

from obsync_tui.model.finding import Finding, Level
from obsync_tui.presenters.spans import Line, Role, Span

_CELLS = {
    Level.OK: Span("ok", Role.GOOD),
    Level.WARNING: Span("warn", Role.WARN),
    Level.FAILURE: Span("FAIL", Role.BAD),
}
_ORDER = {Level.FAILURE: 0, Level.WARNING: 1, Level.OK: 2}


def level_cell(finding: Finding) -> Span:
    """How serious it is, as a word."""
    return _CELLS[finding.level]


def level_order(finding: Finding) -> float:
    """What needs something done first."""
    return _ORDER[finding.level]


def counted(findings: Sequence[Finding]) -> Line:
    """How many of each."""
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    spans = [Span(f" {counts[Level.OK]} ok", Role.GOOD)]
    spans.append(
        Span(f"  {counts[Level.WARNING]} warnings", Role.WARN if counts[Level.WARNING] else Role.DIM)
    )
    spans.append(Span(f"  {counts[Level.FAILURE]} failures", Role.BAD if counts[Level.FAILURE] else Role.DIM))
    return tuple(spans)


def finding_lines(finding: Finding) -> list[Line]:
    """What was found, where, and what helps."""
    lines: list[Line] = [(Span(f" {finding.what}"),)]
    if finding.where:
        lines.append((Span(" where  ", Role.DIM), Span(finding.where)))
    if finding.cure:
        lines.append((Span(" do     ", Role.DIM), Span(finding.cure, Role.STRONG)))
    return lines

"""A row's trace, and samples of messages, as cells and lines."""

from collections.abc import Sequence

from obsync_tui.model.moment import Moment
from obsync_tui.model.trace import MessageSample, TraceAnswer, TraceLine, TraceWindow
from obsync_tui.presenters.quantities import duration_text, size_text
from obsync_tui.presenters.spans import Line, Role, Span, line
from obsync_tui.presenters.zone import Zone

# The end of a GTID set is what moves.
_POSITION = 40


def trace_row(line: TraceLine) -> tuple[str, ...]:
    """A line as the cells of the table."""
    position = line.position if len(line.position) <= _POSITION else "…" + line.position[1 - _POSITION :]
    if line.inside:
        position += f" + {line.rows} rows of {line.inside}"
    return (
        Moment.of(line.commit_s).utc if line.commit_s else "",
        line.gtid,
        line.kind,
        f"none: {line.left_out}" if line.left_out else line.record,
        line.topic,
        "" if line.partition is None else str(line.partition),
        position,
        Moment.of(line.delivered_s).utc if line.delivered_s else "not yet",
    )


def window_text(window: TraceWindow, lines: int, now_s: float) -> str:
    """What was looked at, as a sentence."""
    if not window.limit_bytes:
        return "the row trace is switched off (window_bytes = 0 under [trace])"
    if window.since_s is None:
        return "nothing has passed since the project was started"
    found = "no change of this row" if not lines else "1 change" if lines == 1 else f"{lines} changes"
    age = duration_text(max(now_s - window.since_s, 0.0))
    return (
        f"{found} in the last {age} ({size_text(window.size_bytes)} of {size_text(window.limit_bytes)} kept)"
    )


def trace_lines(answer: TraceAnswer, now_s: float, zone: Zone) -> list[Line]:
    """Each change of the row with its way: read, left out or sent, committed; the newest first."""
    lines: list[Line] = [line(Span(window_text(answer.window, len(answer.lines), now_s), Role.NOTE))]
    for one in reversed(answer.lines):
        committed = zone.moment(one.commit_s) if one.commit_s else "as of the cut"
        lines += [(), line(Span(one.kind, Role.STRONG), f"  {committed}  {one.gtid}")]
        lines.append(line(Span("  read       ", Role.DIM), zone.moment(one.read_s)))
        if one.left_out:
            lines.append(line(Span("  left out   ", Role.DIM), Span(one.left_out, Role.WARN)))
            continue
        place = f"{one.topic} partition {one.partition}"
        lines.append(line(Span("  message    ", Role.DIM), f"{one.record} to {place}"))
        lines.append(line(Span("  position   ", Role.DIM), one.position))
        delivered = (
            Span("not yet", Role.WARN)
            if one.delivered_s is None
            else Span(zone.moment(one.delivered_s), Role.GOOD)
        )
        lines.append(line(Span("  committed  ", Role.DIM), delivered))
    return lines


def _committed(at_s: float | None, zone: Zone) -> Span:
    return Span("not yet", Role.WARN) if at_s is None else Span(zone.moment(at_s), Role.GOOD)


def sample_lines(samples: Sequence[MessageSample], zone: Zone) -> list[Line]:
    """Messages, the newest first."""
    lines: list[Line] = []
    for one in samples:
        at = (
            Span("not yet committed", Role.WARN)
            if one.delivered_s is None
            else Span(zone.moment(one.delivered_s), Role.DIM)
        )
        place = f"  {one.topic} partition {one.partition}  {size_text(one.size_bytes)}  key "
        lines += [line(at, Span(place, Role.DIM), Span(one.key or "none", Role.STRONG)), line(one.value), ()]
    return lines

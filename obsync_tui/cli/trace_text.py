"""A row's trace as a table."""

from obsync_tui.cli.output import note, show_table
from obsync_tui.model.moment import Moment
from obsync_tui.model.trace import TraceAnswer, TraceLine, TraceWindow
from obsync_tui.presenters.quantities import duration_text, size_text

HEADER = ("COMMITTED", "GTID", "CHANGE", "MESSAGE", "TOPIC", "PARTITION", "POSITION", "DELIVERED")
# The end of a GTID set is what moves.
_POSITION = 40


def show_trace(answer: TraceAnswer, now_s: float) -> None:
    """Print the lines of a row, oldest first, and on standard error how far back they can reach."""
    show_table(HEADER, [trace_row(line) for line in answer.lines])
    note(window_text(answer.window, len(answer.lines), now_s))


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

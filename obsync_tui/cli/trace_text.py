"""A row's trace as a table."""

from obsync_tui.cli.output import note, show_table
from obsync_tui.model.trace import TraceAnswer
from obsync_tui.presenters.trace_rows import trace_row, window_text

HEADER = ("COMMITTED", "GTID", "CHANGE", "MESSAGE", "TOPIC", "PARTITION", "POSITION", "DELIVERED")


def show_trace(answer: TraceAnswer, now_s: float) -> None:
    """Print the lines of a row, oldest first, and on standard error how far back they can reach."""
    show_table(HEADER, [trace_row(line) for line in answer.lines])
    note(window_text(answer.window, len(answer.lines), now_s))

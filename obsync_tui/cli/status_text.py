"""A status as text: one line of at most 80 columns, or a block of labelled lines."""

from obsync_tui.model.metrics import Phase, Status
from obsync_tui.presenters.quantities import count_text, duration_text, lag_text, size_text, time_text
from obsync_tui.terminal.sanitizer import visible

WIDTH = 80


def status_line(status: Status, width: int = WIDTH) -> str:
    """The status in one line, cut to the width."""
    parts = [f"{status.project[:16]} {status.phase}"]
    if status.phase is Phase.FULL:
        full = status.full
        parts.append(f"{full.tables_done}/{full.tables} tables")
        parts.append(f"{_of(full.rows, full.rows_estimated, full.tables_done == full.tables)}")
        parts.append(f"{count_text(full.rows_per_s)}/s")
        parts.append(f"left {duration_text(full.left_s)}" if full.left_s is not None else "left ?")
    elif status.phase is Phase.INCREMENTAL:
        parts.append(f"lag {lag_text(status.source_lag_s)}/{lag_text(status.delivery_lag_s)}")
        parts.append(f"backlog {count_text(status.backlog_rows)} {size_text(status.backlog_bytes)}")
        parts.append(f"{count_text(status.rows_per_s)} rows/s {size_text(status.bytes_per_s)}/s")
        if status.idle:
            parts.append("idle")
    elif status.failure is not None:
        parts.append(status.failure.what)
    if status.bottleneck and not status.idle:
        parts.append(f"[{status.bottleneck}]")
    return visible("  ".join(parts))[:width]


def status_block(status: Status, state: str, age_s: float) -> str:
    """The status as labelled lines; `state` says whether the process lives."""
    lines = [
        ("project", f"{status.project} ({status.project_id})"),
        ("state", f"{state}, phase {status.phase}" + (", idle" if status.idle else "")),
        ("figures", f"{duration_text(max(age_s, 0))} old, of {time_text(status.at_s)}"),
        ("source lag", _aged(lag_text(status.source_lag_s), status.source_lag_age_s)),
        ("delivery latency", _aged(lag_text(status.delivery_lag_s), status.delivery_lag_age_s)),
        ("backlog", f"{count_text(status.backlog_rows)} rows, {size_text(status.backlog_bytes)}"),
    ]
    if status.behind_transactions is not None:
        lines.append(
            ("behind", _aged(f"{count_text(status.behind_transactions)} transactions", status.behind_age_s))
        )
    lines.append(("rate", f"{count_text(status.rows_per_s)} rows/s, {size_text(status.bytes_per_s)}/s"))
    lines.append(("bottleneck", status.bottleneck or "none"))
    full = status.full
    if full.tables:
        done = full.tables_done == full.tables
        left = "unknown" if full.left_s is None else duration_text(full.left_s)
        lines.append(
            (
                "full",
                f"{full.tables_done} of {full.tables} tables, {_of(full.rows, full.rows_estimated, done)}",
            )
        )
        if not done:
            lines.append(("full rate", f"{count_text(full.rows_per_s)} rows/s, time left {left}"))
    lines.append(
        ("delivered", f"{count_text(status.messages)} messages in {count_text(status.commits)} commits")
    )
    if status.purge_left_s is not None:
        lines.append(
            ("purge", f"the source purges what is not read yet in {duration_text(status.purge_left_s)}")
        )
    if status.position:
        lines.append(("position", status.position))
    lines.extend(("warning", warning) for warning in status.warnings)
    if status.failure is not None:
        failure = status.failure
        lines.append(("failure", f"{failure.code}: {failure.where}: {failure.what}. {failure.cure}"))
    return "\n".join(f"{label:<17} {visible(text)}" for label, text in lines)


def _of(rows: int, estimated: int, done: bool) -> str:
    """Rows done of an estimate that may be too low."""
    if not estimated:
        return f"{count_text(rows)} rows"
    percent = 100 if done else min(99, rows * 100 // estimated)
    return f"{count_text(rows)}/{count_text(estimated)} rows {percent}%"


def _aged(text: str, age_s: float | None) -> str:
    return text if age_s is None else f"{text} ({duration_text(age_s)} old)"

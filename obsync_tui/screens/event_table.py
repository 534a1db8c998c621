"""The columns that every table of events has."""

from collections.abc import Callable

from obsync_tui.model.event import Event
from obsync_tui.presenters.log_lines import event_cell
from obsync_tui.presenters.spans import Role, Span
from obsync_tui.screens.host import Host
from obsync_tui.widgets.table import Column


def event_columns(host: Host) -> list[Column[Event]]:
    """Time, kind, text, who."""
    at: Callable[[Event], Span] = lambda event: Span(host.zone.short(event.at_s, host.now_s), Role.DIM)  # noqa: E731
    text = Column[Event]
    return [
        text("at", "time", 11, at, lambda event: -event.at_s),
        text("kind", "event", 13, event_cell, lambda event: event.kind),
        text("text", "what", 30, lambda event: Span(event.text), lambda event: event.text, grow=True),
        text("who", "who", 20, lambda event: Span(event.who, Role.DIM), lambda event: event.who, wide=True),
    ]


def event_key(event: Event) -> str:
    """What an event is known by."""
    return f"{event.number} {event.at_s} {event.kind} {hash(event.text)}"

"""Lines of logs, and events, as they are read."""

from obsync_tui.model.event import Event
from obsync_tui.model.history import Level, LogLine
from obsync_tui.presenters.spans import Line, Role, Span
from obsync_tui.presenters.zone import Zone

ROLES = {Level.DEBUG: Role.DIM, Level.INFO: Role.PLAIN, Level.WARNING: Role.WARN, Level.ERROR: Role.BAD}
_SHORT = {Level.DEBUG: "debug", Level.INFO: "info ", Level.WARNING: "WARN ", Level.ERROR: "ERROR"}


def log_line(line: LogLine, now_s: float, zone: Zone) -> Line:
    """Time, level, text."""
    at = " " * 8 if line.at_s is None else zone.short(line.at_s, now_s)
    return (Span(f"{at} ", Role.DIM), Span(f"{_SHORT[line.level]} ", ROLES[line.level]), Span(line.text))


def event_cell(event: Event) -> Span:
    """An event's kind, standing out as its level says."""
    return Span(event.kind, ROLES[event.level])


def event_lines(event: Event, zone: Zone) -> list[Line]:
    """An event in full."""
    rows = [
        ("at", zone.moment(event.at_s)),
        ("event", event.kind),
        ("level", str(event.level)),
        ("who", event.who or "-"),
    ]
    return [(Span(f"{name:<7} ", Role.DIM), Span(value)) for name, value in rows] + [(), (Span(event.text),)]

"""A unified diff as lines, what comes and what goes told apart by sign and by colour."""

from obsync_tui.presenters.spans import Line, Role, Span

_ROLES = {"+": Role.GOOD, "-": Role.BAD, "@": Role.NOTE}


def difference_lines(text: str) -> list[Line]:
    """The diff's lines."""
    return [(Span(one, _ROLES.get(one[:1], Role.PLAIN)),) for one in text.splitlines()]

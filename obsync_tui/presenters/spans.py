"""A line of a screen as data: pieces of text, each with the role that decides how it is drawn."""

from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a piece of text means; colour never carries the meaning alone."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    TITLE = "title"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    NOTE = "note"
    CURSOR = "cursor"


class Span(NamedTuple):
    """A piece of text and its role."""

    text: str
    role: Role = Role.PLAIN


Line = tuple[Span, ...]


def line(*parts: Span | str) -> Line:
    """A line of spans; bare text is plain."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def plain(parts: Line) -> str:
    """A line's text alone."""
    return "".join(part.text for part in parts)


def dimmed(parts: Line) -> Line:
    """The line as values that are no longer fresh."""
    return tuple(Span(part.text, Role.DIM) for part in parts)

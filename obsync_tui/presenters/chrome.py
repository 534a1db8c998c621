"""The lines around every view: crumbs with badges, and the footer with the keys that are valid now."""

from collections.abc import Sequence
from typing import NamedTuple

from obsync_tui.presenters.quantities import duration_text
from obsync_tui.presenters.spans import Line, Role, Span


class Badges(NamedTuple):
    """What the right end of the first line says; `is_other`: the engine is of another version than the console."""

    read_only: bool
    slow: bool
    frozen: bool
    zone: str
    engine: str
    away_s: float | None
    is_other: bool = False


class FooterKey(NamedTuple):
    """A key of the footer; `enabled` False draws it dim."""

    key: str
    label: str
    enabled: bool


def crumb_line(crumbs: Sequence[str], badges: Badges, width: int, separator: str) -> Line:
    """`obsync › shop › Components      RO  UTC  engine 3d`; the badges keep their room, crumbs are cut."""
    right: list[Span] = []
    if badges.read_only:
        right.append(Span(" RO ", Role.WARN))
    if badges.frozen:
        right.append(Span(" FROZEN ", Role.WARN))
    if badges.slow:
        right.append(Span(" slow ", Role.NOTE))
    right.append(Span(f" {badges.zone} ", Role.DIM))
    if badges.away_s is None:
        right.append(Span(f" {badges.engine}", Role.WARN if badges.is_other else Role.DIM))
    else:
        right.append(Span(f" NO ENGINE {clock_text(badges.away_s)}", Role.BAD))
    room = width - sum(len(span.text) for span in right) - 1
    left = f" {separator} ".join(crumbs)
    left = left[:room] if len(left) > room else left.ljust(room)
    return (Span(left, Role.STRONG), Span(" "), *right)


def clock_text(seconds: float) -> str:
    """A time that passes: 00:42, 1:02:03; from a day on as a duration."""
    whole = int(seconds)
    if whole >= 86400:
        return duration_text(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"


def footer_line(keys: Sequence[FooterKey], result: Span | None, width: int) -> Line:
    """The keys from the left as many as fit, the last result from the right; a long result takes their place."""
    said = result.text if result else ""
    room = width - len(said) - 1 if said else width
    spans: list[Span] = []
    used = 0
    for key, label, enabled in keys:
        size = len(key) + len(label) + 3
        if used + size > room:
            break
        spans += [
            Span(f" {key}", Role.STRONG if enabled else Role.DIM),
            Span(f" {label} ", Role.PLAIN if enabled else Role.DIM),
        ]
        used += size
    if result:
        spans += [Span(" " * max(width - used - len(said), 1)), result]
    return tuple(spans)


def said(text: str, role: Role = Role.PLAIN) -> Span:
    """A result for the footer in one line."""
    return Span(" ".join(text.split()), role)

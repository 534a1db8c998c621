"""Pages of a component's log: the newest lines before a cursor, or the oldest after one, by level and text."""

import re

import msgspec

from obsync_tui.engine.errors import ConfigError
from obsync_tui.engine.history.logfile import LogFile, Part, parsed
from obsync_tui.model.history import Level, LogLine, LogPage

# Looked at in one call, so that a search for what is nowhere holds nobody up.
LOOKED_AT_BYTES = 4 << 20
# Read at once.
_BLOCK_BYTES = 64 << 10

Cursor = tuple[int, int]
"""A file's running number and an offset in bytes."""
_START: Cursor = (0, 0)


class Wanted(msgspec.Struct, frozen=True):
    """Which lines: at least of a level, holding a text in any case."""

    level: Level = Level.DEBUG
    search: str = ""

    def lines(self, part: Part, begin: int, end: int) -> tuple[list[tuple[int, LogLine]], int, int]:
        """The wanted lines between two offsets, each with the offset where it begins.

        Answers also where all that were looked at begin and end: half lines at the edges are left out.
        """
        lines, begin, end = part.lines(begin, end)
        needle = self.search.lower()
        found: list[tuple[int, LogLine]] = []
        if needle and needle not in b"\n".join(line for _, line in lines).decode("utf-8", "replace").lower():
            return found, begin, end
        for at, line in lines:
            at_s, level, text = parsed(line)
            if level.rank >= self.level.rank and needle in text.lower():
                found.append((at, LogLine(at_s, level, text)))
        return found, begin, end


def newest(log: LogFile, before: str, limit: int, wanted: Wanted) -> LogPage:
    """The last lines before the cursor, from the end for an empty one.

    Raises ConfigError for what is no cursor, OSError when a file cannot be read.
    """
    cursor = _cursor(before) if before else None
    kept: list[LogLine] = []
    left_bytes = LOOKED_AT_BYTES
    newer = cursor

    def page(older: str, end: Cursor) -> LogPage:
        return LogPage(tuple(kept), older, _text(newer or end), lost, LOOKED_AT_BYTES - left_bytes)

    with log.parts() as parts:
        lost = cursor is not None and cursor != _START and cursor[0] not in parts
        for number, part in reversed(parts.items()):
            if cursor is not None and number > cursor[0]:
                continue
            upto = min(part.end, cursor[1]) if cursor is not None and number == cursor[0] else part.end
            while upto > part.begin:
                if len(kept) >= limit or left_bytes <= 0:
                    return page(_text((number, upto)), (number, upto))
                found, begin, end = wanted.lines(part, max(part.begin, upto - _BLOCK_BYTES), upto)
                newer = newer or (number, end)
                left_bytes -= upto - begin
                some = found[-(limit - len(kept)) :]
                kept = [line for _, line in some] + kept
                if len(kept) == limit:
                    upto = some[0][0]
                else:
                    # Inside a line that is longer than a block, which is none of ours.
                    upto = begin if begin < upto else max(part.begin, upto - _BLOCK_BYTES)
    return page("", _START)


def following(log: LogFile, after: str, limit: int, wanted: Wanted) -> LogPage:
    """The first lines after the cursor, from the beginning for an empty one. Raises as `newest` does."""
    cursor = _cursor(after) if after else _START
    kept: list[LogLine] = []
    left_bytes = LOOKED_AT_BYTES
    newer = cursor
    with log.parts() as parts:
        lost = cursor != _START and cursor[0] not in parts
        # A number from the future is one of a log that was removed.
        since = 0 if lost and cursor[0] > max(parts, default=0) else cursor[0]
        for number, part in parts.items():
            if number < since:
                continue
            at = cursor[1] if number == cursor[0] else part.begin
            while at < part.end and len(kept) < limit and left_bytes > 0:
                found, _, end = wanted.lines(part, at, min(part.end, at + _BLOCK_BYTES))
                room = limit - len(kept)
                kept += [line for _, line in found[:room]]
                end = found[room][0] if len(found) > room else end
                if end == at and at + _BLOCK_BYTES < part.end:
                    end = (
                        at + _BLOCK_BYTES
                    )  # inside a line that is longer than a block, which is none of ours
                elif end == at:
                    break  # half a line, which is being written or was left by a kill
                left_bytes -= end - at
                at = end
            newer = (number, at)
            if len(kept) >= limit or left_bytes <= 0:
                break
    return LogPage(tuple(kept), after, _text(newer), lost, LOOKED_AT_BYTES - left_bytes)


def _cursor(text: str) -> Cursor:
    match = re.fullmatch("([0-9]{1,18})-([0-9]{1,18})", text)
    if match is None:
        raise ConfigError(
            "this is no cursor of a log", where=text[:40], cure="Take `older` or `newer` of a page."
        )
    return int(match[1]), int(match[2])


def _text(cursor: Cursor) -> str:
    return f"{cursor[0]}-{cursor[1]}"

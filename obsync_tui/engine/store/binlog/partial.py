"""PARTIAL_UPDATE_ROWS events as UPDATE_ROWS events: JSON documents of which the image after holds the changes only.

Format: `Rows_log_event` of MySQL 8.0 with the row value option PARTIAL_JSON: before the image after stand the options,
and a bit for each JSON column of the table that tells whether its value is a list of changes.
"""

from obsync_tui.engine.store.binlog.rowvalues import RowValues
from obsync_tui.engine.store.binlog.tablemap import read_length
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.engine.values.jsondiff import apply_diffs

_PARTIAL_JSON = 1


class PartialRows:
    """Rewrites the row images of one wire shape."""

    def __init__(self, shape: BinlogShape, oceanbase: bool) -> None:
        self._values = RowValues(shape)
        self._documents = tuple(i for i, wire_type in enumerate(shape.types) if wire_type == WireType.JSON)
        self._widths = shape.metadata
        self._oceanbase = oceanbase

    def whole(self, body: bytes, start: int, end: int) -> bytes:
        """The images from `start` on, with whole documents. ValueError when a change does not fit its document."""
        parts: list[bytes] = []
        at = start
        while at < end:
            before, after_at = self._values.split(body, at)
            parts.append(body[at:after_at])
            options, at = read_length(body, after_at)
            partial = 0
            if options & _PARTIAL_JSON:
                width = (len(self._documents) + 7) // 8
                partial, at = int.from_bytes(body[at : at + width], "little"), at + width
            after, at = self._values.split(body, at)
            for number, column in enumerate(self._documents):
                if partial >> number & 1:
                    after[column] = self._applied(before[column], after[column], self._widths[column])
            parts.append(self._values.join(after))
        return b"".join(parts)

    def _applied(self, before: bytes | None, diffs: bytes | None, width: int) -> bytes | None:
        if diffs is None:
            return None
        if before is None:
            if self._oceanbase:
                # A long value is left out of its images before, and is asked for where it is NULL in both.
                return None
            raise ValueError("changes of a JSON document that is NULL before")
        document = apply_diffs(before[width:], diffs[width:])
        return len(document).to_bytes(width, "little") + document

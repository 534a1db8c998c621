"""Changes of a table to row events: one TABLE_MAP and one row each, as OceanBase's converter writes them.

A LOB value of more than the row holds (8 KB) is NULL where the log has only its locator: in the before image, and in
both images of an UPDATE that left it as it was (reference 1.9). With `partial_json` an UPDATE of a JSON column holds
only what has changed in it.
"""

from __future__ import annotations

from tests.servers.binlogservice.engine import Row
from tests.servers.binlogservice.events import EventType, rows_head, table_map
from tests.servers.binlogservice.jsondiff import json_diff
from tests.servers.binlogservice.tables import Table
from tests.servers.binlogservice.viewlogs import Change

Body = tuple[EventType, bytes]
_PARTIAL_JSON = b"\x01"


class RowEvents:
    """Encodes the changes of one table version under one table id."""

    def __init__(self, table: Table, table_id: int) -> None:
        self.table = table
        types, metadata, nullable = table.map
        database, name = table.database.encode(), table.name.encode()
        self._map = (
            EventType.TABLE_MAP,
            table_map(table_id, database, name, types, metadata, nullable),
        )
        count = len(table.columns)
        self._one_image = rows_head(table_id, count, 1)
        self._two_images = rows_head(table_id, count, 2)
        self._encoders = tuple(column.wire.encode for column in table.columns)
        self._null_bytes = (count + 7) // 8
        self._lobs = tuple(place for place, column in enumerate(table.columns) if column.lob)
        self._documents = tuple(
            place for place, column in enumerate(table.columns) if column.data_type == "json"
        )

    def of(self, change: Change, *, partial_json: bool = False) -> tuple[Body, Body]:
        """TABLE_MAP and the rows event of one change."""
        before, after = change.before, change.after
        if before is not None and self._lobs:
            before, after = self._without_locators(before, after)
        if before is None:
            assert after is not None
            return self._map, (EventType.WRITE_ROWS, self._one_image + self._image(after))
        if after is None:
            return self._map, (EventType.DELETE_ROWS, self._one_image + self._image(before))
        if partial_json and (diffs := self._diffs(before, after)):
            head = self._two_images + self._image(before)
            return self._map, (EventType.PARTIAL_UPDATE_ROWS, head + self._partial_image(after, diffs))
        return self._map, (
            EventType.UPDATE_ROWS,
            self._two_images + self._image(before) + self._image(after),
        )

    def _without_locators(self, before: Row, after: Row | None) -> tuple[Row, Row | None]:
        limit = self.table.in_row_bytes
        old, new = list(before), None if after is None else list(after)
        for place in self._lobs:
            value = before[place]
            if value is None or len(value) <= limit:
                continue
            old[place] = None
            if new is not None and new[place] == value:
                new[place] = None
        return tuple(old), None if new is None else tuple(new)

    def _diffs(self, before: Row, after: Row) -> dict[int, bytes]:
        """What has changed in each document, by the column's place."""
        diffs: dict[int, bytes] = {}
        for place in self._documents:
            old, new = before[place], after[place]
            if old is not None and new is not None and old != new:
                diff = json_diff(old, new)
                if diff is not None:
                    diffs[place] = diff
        return diffs

    def _partial_image(self, row: Row, diffs: dict[int, bytes]) -> bytes:
        partial = sum(1 << number for number, place in enumerate(self._documents) if place in diffs)
        bitmap = partial.to_bytes((len(self._documents) + 7) // 8, "little")
        return _PARTIAL_JSON + bitmap + self._image(row, diffs)

    def _image(self, row: Row, diffs: dict[int, bytes] | None = None) -> bytes:
        nulls, bit = 0, 1
        parts = [b""]
        for place, (value, encode) in enumerate(zip(row, self._encoders, strict=True)):
            if value is None:
                nulls |= bit
            elif diffs and place in diffs:
                parts.append(len(diffs[place]).to_bytes(4, "little") + diffs[place])
            else:
                parts.append(encode(value))
            bit <<= 1
        parts[0] = nulls.to_bytes(self._null_bytes, "little")
        return b"".join(parts)

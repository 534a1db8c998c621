"""Upserts in one piece: a DELETE and the INSERT of the same key right behind it, in one transaction, as an UPDATE.

OceanBase writes `REPLACE` and `INSERT … ON DUPLICATE KEY UPDATE` as such pairs. Nothing else is joined, and a pair is
never cut by the end of a batch: what a row change is does not depend on where batches end.
"""

from collections.abc import Iterable, Iterator

import msgspec

from obsync_tui.engine.mysql.resultset import text_fields
from obsync_tui.engine.store.binlog.rowvalues import RowValues
from obsync_tui.engine.store.store import Begin, BinlogShape, LogItem, RowGroup, TextShape
from obsync_tui.model.project import DmlKind
from obsync_tui.model.table import TableVersion


class Upserts:
    """Joins the pairs of one stream, batch after batch."""

    def __init__(self) -> None:
        self._held: RowGroup | None = None
        self._keys: dict[int, _Keys] = {}

    def join(self, items: Iterable[LogItem], whole: bool) -> list[LogItem]:
        """The items with pairs joined. A DELETE at the end of a batch that is not whole comes with the next one."""
        joined = list(self._pieces(items))
        last = joined[-1] if joined else None
        if not whole and isinstance(last, RowGroup) and last.kind is DmlKind.DELETE:
            joined.pop()
            *earlier, held = last.bodies
            if earlier:
                joined.append(msgspec.structs.replace(last, bodies=earlier))
            self._held = msgspec.structs.replace(last, bodies=[held])
        return joined

    def _pieces(self, items: Iterable[LogItem]) -> Iterator[LogItem]:
        before: LogItem | None = None
        for item in self._with_held(items):
            if isinstance(before, RowGroup) and isinstance(item, RowGroup):
                pair = self._pair(before, item)
                if pair is not None:
                    first, update, before = pair
                    if first is not None:
                        yield first
                    yield update
                    continue
            if before is not None:
                yield before
            before = item
        if before is not None:
            yield before

    def _with_held(self, items: Iterable[LogItem]) -> Iterator[LogItem]:
        for item in items:
            yield item
            if self._held is not None and isinstance(item, Begin):
                held, self._held = self._held, None
                yield held

    def _pair(
        self, deleted: RowGroup, inserted: RowGroup
    ) -> tuple[RowGroup | None, RowGroup, RowGroup | None] | None:
        """The rest of the deletes, the update, the rest of the inserts; None when the two rows are no pair."""
        if deleted.kind is not DmlKind.DELETE or inserted.kind is not DmlKind.INSERT:
            return None
        if deleted.shape is not inserted.shape or not deleted.table.primary_key:
            return None
        keys = self._keys.get(id(deleted.shape))
        if keys is None:
            keys = self._keys[id(deleted.shape)] = _Keys(deleted.table, deleted.shape)
        before = keys.image(deleted.bodies[-1], deleted.start)
        after = keys.image(inserted.bodies[0], inserted.start)
        key = keys.of(before)
        if key is None or key != keys.of(after):
            return None
        body = before + after + keys.trailer
        update = RowGroup(deleted.table, deleted.shape, DmlKind.UPDATE, [body], 0, weight=2)
        return _without(deleted, slice(None, -1)), update, _without(inserted, slice(1, None))


def _without(group: RowGroup, kept: slice) -> RowGroup | None:
    bodies = group.bodies[kept]
    return msgspec.structs.replace(group, bodies=bodies) if bodies else None


class _Keys:
    """Reads the key of a row image of one shape. The table is kept, so that the shape's identity stays its own."""

    def __init__(self, table: TableVersion, shape: BinlogShape | TextShape) -> None:
        self._shape = shape
        self._ordinals = tuple(table.column_index(name) for name in table.primary_key)
        self._values = RowValues(shape) if isinstance(shape, BinlogShape) else None
        self._has_checksum = isinstance(shape, BinlogShape) and shape.checksum
        self.trailer = b"\0\0\0\0" if self._has_checksum else b""

    def image(self, body: bytes, start: int) -> bytes:
        """The image alone."""
        return body[start : len(body) - len(self.trailer)]

    def of(self, image: bytes) -> tuple[bytes | None, ...] | None:
        """The key's bytes as they lie there; None when there is more than one row."""
        values, end = self._values.split(image, 0) if self._values else (text_fields(image), len(image))
        return tuple(values[i] for i in self._ordinals) if end == len(image) else None

"""Takes a row image of a binlog apart: each column's bytes as they lie there.

Format: MySQL internals, `Rows_log_event` version 2: a NULL bitmap, then the values that are there.
"""

from collections.abc import Callable

from obsync_tui.engine.rowplan.binlog import string_metadata
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.engine.values.rowimage import decimal_bytes

_FIXED = {
    WireType.TINY: 1,
    WireType.SHORT: 2,
    WireType.INT24: 3,
    WireType.LONG: 4,
    WireType.LONGLONG: 8,
    WireType.FLOAT: 4,
    WireType.DOUBLE: 8,
    WireType.YEAR: 1,
    WireType.DATE: 3,
}
_WITH_FRACTION = {WireType.TIMESTAMP2: 4, WireType.DATETIME2: 5, WireType.TIME2: 3}

End = Callable[[bytes, int], int]


class RowValues:
    """Reads and writes row images of one wire shape."""

    def __init__(self, shape: BinlogShape) -> None:
        self._ends = tuple(
            _end_of(wire_type, metadata)
            for wire_type, metadata in zip(shape.types, shape.metadata, strict=True)
        )
        self.bitmap_bytes = (len(self._ends) + 7) // 8

    def nulls(self, body: bytes, at: int) -> int:
        """The NULL bitmap of the image that starts there, column 0 lowest."""
        return int.from_bytes(body[at : at + self.bitmap_bytes], "little")

    def split(self, body: bytes, at: int) -> tuple[list[bytes | None], int]:
        """Each column's bytes, lengths included, None for NULL; and where the image ends."""
        nulls = self.nulls(body, at)
        at += self.bitmap_bytes
        values: list[bytes | None] = []
        for i, end_of in enumerate(self._ends):
            if nulls >> i & 1:
                values.append(None)
                continue
            end = end_of(body, at)
            values.append(body[at:end])
            at = end
        return values, at

    def join(self, values: list[bytes | None]) -> bytes:
        """An image of these."""
        nulls = sum(1 << i for i, value in enumerate(values) if value is None)
        # Unused bits are set, as servers do.
        nulls |= ((1 << 8 * self.bitmap_bytes) - 1) ^ ((1 << len(values)) - 1)
        return nulls.to_bytes(self.bitmap_bytes, "little") + b"".join(v for v in values if v is not None)


def _end_of(wire_type: int, metadata: int) -> End:
    if wire_type in _FIXED:
        return _fixed(_FIXED[WireType(wire_type)])
    if wire_type in _WITH_FRACTION:
        return _fixed(_WITH_FRACTION[WireType(wire_type)] + (metadata + 1) // 2)
    if wire_type == WireType.NEWDECIMAL:
        return _fixed(decimal_bytes(metadata >> 8, metadata & 0xFF))
    if wire_type == WireType.BIT:
        return _fixed((metadata >> 8) + (1 if metadata & 0xFF else 0))
    if wire_type == WireType.STRING:
        real_type, length = string_metadata(metadata)
        if real_type in (WireType.ENUM, WireType.SET):
            return _fixed(length)
        return _counted(1 if length < 256 else 2)
    if wire_type in (WireType.VARCHAR, WireType.VAR_STRING):
        return _counted(1 if metadata < 256 else 2)
    return _counted(metadata)


def _fixed(size: int) -> End:
    return lambda body, at: at + size


def _counted(width: int) -> End:
    return lambda body, at: at + width + int.from_bytes(body[at : at + width], "little")

"""Rows of a table with LOB columns: their keys, their doubtful NULLs, and the rows with values put in."""

from collections.abc import Iterator, Mapping

import msgspec

from obsync_tui.engine.errors import LogDamaged
from obsync_tui.engine.formats.plan import Literal, MessagePlan, RecordKind
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, Routing, RowPlan
from obsync_tui.engine.store.binlog.rowvalues import RowValues
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.store.store import BinlogShape, RowGroup
from obsync_tui.engine.values.jsonbinary import json_text
from obsync_tui.model.project import DmlKind, KeyForm
from obsync_tui.model.table import TableVersion

_LOBS = (WireType.BLOB, WireType.JSON, WireType.GEOMETRY)
_KINDS = {
    DmlKind.INSERT: (RecordKind.INSERT,),
    DmlKind.DELETE: (RecordKind.DELETE,),
    DmlKind.UPDATE: (RecordKind.UPDATE, RecordKind.DELETE, RecordKind.INSERT),
}
_TEXT_BYTES = 4


class LobTable:
    """One table version in one wire shape; `lobs` are the ordinals of its LOB columns, NOT NULL ones too."""

    def __init__(self, version: TableVersion, shape: BinlogShape, lobs: tuple[int, ...]) -> None:
        self.version = version
        self.lobs = lobs
        # NULL stands in columns that have none, until their value is put in.
        columns = tuple(
            msgspec.structs.replace(c, nullable=True) if i in lobs else c
            for i, c in enumerate(version.columns)
        )
        self._loose = msgspec.structs.replace(version, columns=columns)
        self._shape = shape
        self._values = RowValues(shape)
        self._mask = sum(1 << i for i in lobs)
        self._json = tuple(i for i, t in enumerate(shape.types) if t == WireType.JSON)
        self._variants: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[TableVersion, BinlogShape]] = {}
        self._plans: dict[DmlKind, RowPlan] = {}

    @classmethod
    def of(cls, version: TableVersion, shape: BinlogShape) -> "LobTable | None":
        """None for a table without LOB columns, and for one whose rows cannot be asked for by key."""
        lobs = tuple(i for i, wire_type in enumerate(shape.types) if wire_type in _LOBS)
        return cls(version, shape, lobs) if lobs and version.primary_key else None

    def keys(self, group: RowGroup) -> Iterator[tuple[bytes, Key, Key]]:
        """Each body of one row with its key before and after, as a full read would give it."""
        found: list[Key] = []

        def collect(key: Key) -> bool:
            found.append(key)
            return False

        plan = self._plan(group.kind)
        rows, *_ = plan(group.bodies, group.start, 0, "", 0, 0, [[]], 0, collect)
        if rows != len(group.bodies):
            raise LogDamaged("a rows event of OceanBase has several rows", where=str(self.version.name))
        step = 2 if group.kind is DmlKind.UPDATE else 1
        for number, body in enumerate(group.bodies):
            yield body, found[number * step], found[number * step + step - 1]

    def _plan(self, kind: DmlKind) -> RowPlan:
        plan = self._plans.get(kind)
        if plan is None:
            nothing = MessagePlan((Literal("null"),))
            request = PlanRequest(
                self._loose,
                self._shape,
                _KINDS[kind][0],
                tuple((message, nothing) for message in _KINDS[kind]),
                Routing(KeyForm.NONE, (), (), 1, fixed_partition=0),
                careful=True,
                cut_columns=tuple(self.version.column_index(name) for name in self.version.primary_key),
            )
            plan = self._plans[kind] = compile_row_plan(request)
        return plan

    def doubtful(self, kind: DmlKind, body: bytes, start: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The LOB columns that are NULL in the image before, and those of them that are NULL after an UPDATE too."""
        if kind is DmlKind.INSERT:
            return (), ()
        nulls = self._values.nulls(body, start) & self._mask
        if not nulls:
            return (), ()
        doubtful = tuple(i for i in self.lobs if nulls >> i & 1)
        if kind is DmlKind.DELETE:
            return doubtful, ()
        _, second = self._values.split(body, start)
        after = self._values.nulls(body, second)
        return doubtful, tuple(i for i in doubtful if after >> i & 1)

    def after_of(self, body: bytes, start: int, kind: DmlKind, column: int) -> bytes | None:
        """A LOB column's value in the image after, without its length; None for NULL and after a DELETE."""
        if kind is DmlKind.DELETE:
            return None
        if kind is DmlKind.UPDATE:
            _, start = self._values.split(body, start)
        values, _ = self._values.split(body, start)
        return self._bare(values[column], column)

    def _bare(self, value: bytes | None, column: int) -> bytes | None:
        if value is None:
            return None
        bare = value[self._shape.metadata[column] :]
        return json_text(bare, self._shape.json_dialect).encode() if column in self._json else bare

    def completed(
        self,
        kind: DmlKind,
        body: bytes,
        start: int,
        doubtful: tuple[int, ...],
        unchanged: tuple[int, ...],
        before: Mapping[int, bytes | None],
        after: Mapping[int, bytes | None],
    ) -> RowGroup:
        """A group of the row alone, with the values that are known put in, and the others named unknown."""
        old, at = self._values.split(body, start)
        image = self._put(old, before)
        if kind is DmlKind.UPDATE:
            new, _ = self._values.split(body, at)
            image += self._put(new, after)
        names = [column.name for column in self.version.columns]
        version, shape = self._variant(
            tuple(names[i] for i in doubtful if i not in before),
            tuple(names[i] for i in unchanged if i not in after),
        )
        trailer = b"\0\0\0\0" if shape.checksum else b""
        return RowGroup(version, shape, kind, [image + trailer], 0)

    def _put(self, values: list[bytes | None], known: Mapping[int, bytes | None]) -> bytes:
        """The image with known values; JSON as its text, in all JSON columns."""
        for i in self._json:
            if values[i] is not None:
                values[i] = _counted(self._bare(values[i], i) or b"", _TEXT_BYTES)
        for i, value in known.items():
            if value is not None:
                width = _TEXT_BYTES if i in self._json else self._shape.metadata[i]
                values[i] = _counted(value, width)
        return self._values.join(values)

    def _variant(
        self, unknown_before: tuple[str, ...], unknown_after: tuple[str, ...]
    ) -> tuple[TableVersion, BinlogShape]:
        """The table with those columns unknown, and a shape of its own in which JSON is text."""
        key = (unknown_before, unknown_after)
        if key not in self._variants:
            types, metadata = bytearray(self._shape.types), list(self._shape.metadata)
            for i in self._json:
                types[i], metadata[i] = WireType.BLOB, _TEXT_BYTES
            self._variants[key] = (
                msgspec.structs.replace(
                    self._loose, unknown_before=unknown_before, unknown_after=unknown_after
                ),
                msgspec.structs.replace(self._shape, types=bytes(types), metadata=tuple(metadata)),
            )
        return self._variants[key]


def _counted(value: bytes, width: int) -> bytes:
    return len(value).to_bytes(width, "little") + value

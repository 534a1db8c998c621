"""Row images of a binlog, written out by hand, and tables that they belong to."""

from __future__ import annotations

import struct

from obsync_tui.engine.formats.default import DEFAULT
from obsync_tui.engine.formats.plan import Identity, MessageFormat, RecordKind
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import Keep, PlanRequest, Routing
from obsync_tui.engine.store.store import BinlogShape, TextShape, WireShape
from obsync_tui.model.message import Lanes
from obsync_tui.model.project import KeyForm
from obsync_tui.model.table import Column, TableName, TableVersion

GTID = "3e11fa47-71ca-11e1-9e33-c80aa9429562:5"
COMMIT_S = 1_714_521_601
IDENTITY = Identity("OB_MYSQL", "OB_MYSQL_np_x_1-0", tenant="mytenant", cluster_id="1")
PARTITIONS = 3

ITEM = TableVersion(
    TableName("shop", "item"),
    (
        Column("id", "int", "int(11)", nullable=False),
        Column("name", "varchar", "varchar(40)", charset="utf8mb4", length=40),
        Column("place", "varchar", "varchar(10)", nullable=False, charset="utf8mb4", length=10),
    ),
    primary_key=("id",),
)
ITEM_SHAPE = BinlogShape(bytes([3, 15, 15]), (0, 160, 40), checksum=False)
TEXT_SHAPE = TextShape(3)
MESSAGES = {RecordKind.UPDATE: (RecordKind.UPDATE, RecordKind.DELETE, RecordKind.INSERT)}


def item(number: int, name: str | None, place: str = "A") -> bytes:
    """A row image of ITEM."""
    nulls = bytes([2 if name is None else 0])
    return nulls + struct.pack("<i", number) + (b"" if name is None else _text(name)) + _text(place)


def _text(value: str) -> bytes:
    return bytes([len(value.encode())]) + value.encode()


def text_row(*values: bytes | None) -> bytes:
    """A row packet of the text protocol; values below 251 bytes."""
    return b"".join(b"\xfb" if value is None else bytes([len(value)]) + value for value in values)


def routing(
    key: KeyForm = KeyForm.PRIMARY_KEY,
    key_columns: tuple[int, ...] = (0,),
    hash_columns: tuple[int, ...] = (0,),
) -> Routing:
    """Three partitions by hash."""
    return Routing(key, key_columns, hash_columns, PARTITIONS)


class Planned:
    """A compiled plan that is called like the Connector does; `lanes` collects its messages."""

    def __init__(
        self,
        kind: RecordKind,
        table: TableVersion = ITEM,
        shape: WireShape = ITEM_SHAPE,
        route: Routing | None = None,
        message_format: MessageFormat = DEFAULT,
        identity: Identity = IDENTITY,
        emit: bool = True,
        careful: bool = False,
        cut_columns: tuple[int, ...] = (),
    ) -> None:
        plans = tuple((k, message_format.row(table, k, identity)) for k in MESSAGES.get(kind, (kind,)))
        self._plan = compile_row_plan(
            PlanRequest(table, shape, kind, plans, route or routing(), emit, careful, cut_columns)
        )
        self.lanes: Lanes = [[] for _ in range(PARTITIONS)]

    def run(
        self, *bodies: bytes, sequence: int = 0, skip: int = 0, keep: Keep = lambda key: True
    ) -> tuple[int, int, int, int]:
        """Rows walked, last sequence, bytes appended."""
        return self._plan(list(bodies), 0, COMMIT_S, GTID, 5, sequence, self.lanes, skip, keep)

    def messages(self) -> list[tuple[int, bytes | None, bytes]]:
        """Partition, key and value of each message, by partition."""
        return [(i, m["key"], m["value"]) for i, lane in enumerate(self.lanes) for m in lane]

    def values(self) -> list[bytes]:
        """The values by partition."""
        return [value for _, _, value in self.messages()]

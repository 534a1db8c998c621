"""Turns packets of a replication stream into batch items: the state inside and between transactions."""

import zlib
from collections.abc import Callable
from time import time_ns
from typing import NamedTuple
from uuid import UUID

from obsync_tui.engine.errors import LogDamaged, LogGap, SourceUnfit, SourceUnreachable, ValueUnreadable
from obsync_tui.engine.native.backend import Packets
from obsync_tui.engine.native.backend import packets as kernel_packets
from obsync_tui.engine.store.binlog.ddl import Ddl, Verb, creates_with_rows, parse_ddl
from obsync_tui.engine.store.binlog.events import (
    BODY_AT,
    TYPE_AT,
    UNFIT,
    EventType,
    parse_gtid,
    parse_query,
    stream_error,
    timestamp_s,
    unfit,
)
from obsync_tui.engine.store.binlog.history import DECIDE
from obsync_tui.engine.store.binlog.partial import PartialRows
from obsync_tui.engine.store.binlog.schemas import Schemas, WireTable, resync
from obsync_tui.engine.store.binlog.tablemap import read_length
from obsync_tui.engine.store.store import Begin, BinlogShape, Commit, LogBatch, LogItem, RowGroup
from obsync_tui.model.position import Gtid, GtidSet
from obsync_tui.model.project import DmlKind
from obsync_tui.model.table import TableName

_TABLE_MAP = int(EventType.TABLE_MAP)
_XID, _GTID, _QUERY = int(EventType.XID), int(EventType.GTID), int(EventType.QUERY)
# A CRC32 over data and its own CRC32 has this fixed residue; the start value makes the packet's leading OK byte, which
# the event's checksum does not cover, count for nothing. One call, no slices.
_CRC_START = 0x0F6A7026
_CRC_RESIDUE = 0x2144DF1C
_IDS_KEPT = 100_000
_ROW_TYPES = {
    int(EventType.WRITE_ROWS): DmlKind.INSERT,
    int(EventType.UPDATE_ROWS): DmlKind.UPDATE,
    int(EventType.DELETE_ROWS): DmlKind.DELETE,
}

Covered = Callable[[Begin], frozenset[TableName]]
"""The tables whose rows in a transaction were read already, under a later cut; none from some transaction on."""
DdlHandler = Callable[[list[Ddl], str, Gtid, GtidSet], list[LogItem]]


class _Group(NamedTuple):
    """The row group that the next rows event may join: the same table, kind and bytes before the first image."""

    wire: WireTable | None
    kind: int
    prefix: bytes
    bodies: list[bytes]


_NO_GROUP = _Group(None, 0, b"", [])


class Assembly:
    """Collects items from packets; `cut_batch` hands over what is there.

    `on_ddl` is called between transactions with a statement's effects, and gives the items that stand for it.
    """

    def __init__(
        self,
        schemas: Schemas,
        executed: GtidSet,
        checksum: bool,
        on_ddl: DdlHandler,
        where: str,
        oceanbase: bool,
        lower_case: bool,
        covered: Covered | None = None,
    ) -> None:
        self.executed = executed
        self.whole = True
        self.size_bytes = 0
        self.heartbeat_s = 0
        self._schemas = schemas
        self._trailer = 4 if checksum else 0
        self._on_ddl = on_ddl
        self._where = where
        self._oceanbase = oceanbase
        self._lower_case = lower_case
        self._covered = covered
        self._items: list[LogItem] = []
        self._ids: dict[bytes, WireTable] = {}
        self._partial: dict[BinlogShape, PartialRows] = {}
        self._uuids: dict[bytes, str] = {}
        self._gtid: Gtid | None = None
        self._commit_us = 0
        self._begun = False
        self._rows_seen = False
        self._newest_us = 0
        self._group = _NO_GROUP
        self._table_map = b""
        self._kernel = kernel_packets()

    def take(self, packets: list[bytes]) -> None:
        """Add the packets' events. Raises what the log gives reason for, naming table and GTID."""
        trailer, ids, where = self._trailer, self._ids, self._where
        crc32, kernel = zlib.crc32, self._kernel
        at, count = 0, len(packets)
        while at < count:
            packet = packets[at]
            at += 1
            if packet[0]:
                raise stream_error(packet, where)
            if trailer and crc32(packet, _CRC_START) != _CRC_RESIDUE:
                raise LogDamaged("an event's checksum is wrong", where=f"{where}, after {self._gtid}")
            kind = packet[TYPE_AT]
            if kind == _TABLE_MAP:
                table_map = packet[BODY_AT:-4] if trailer else packet[BODY_AT:]
                # OceanBase repeats it before every row: the same bytes need no second look.
                if table_map != self._table_map:
                    self._table_map = table_map
                    ids[table_map[:6]] = self._schemas.wire_table(table_map[8:], self._gtid)
            elif kind in _ROW_TYPES:
                wire = ids.get(packet[BODY_AT : BODY_AT + 6])
                if wire is None:
                    raise LogDamaged("a rows event without its TABLE_MAP", where=f"{where}, {self._gtid}")
                group = self._group
                if wire is group.wire and kind == group.kind and packet.startswith(group.prefix, BODY_AT + 8):
                    group.bodies.append(packet)
                    self.size_bytes += len(packet)
                elif wire.table is not None:
                    self._add_rows(packet, kind, wire)
                if kernel is not None and wire is self._group.wire:
                    at = self._join(kernel, packets, at, packet[BODY_AT : BODY_AT + 6])
            else:
                self._control(packet, kind)

    def _join(self, kernel: Packets, packets: list[bytes], at: int, table_id: bytes) -> int:
        """Let the kernel add events of the table id that go on with the group; the index of the first that does not."""
        group = self._group
        head = table_id + b"\0\0" + group.prefix
        at, size_bytes = kernel.joining(
            packets, at, bool(self._trailer), self._table_map, group.kind, head, group.bodies
        )
        self.size_bytes += size_bytes
        return at

    def _add_rows(self, packet: bytes, kind: int, wire: WireTable) -> None:
        dml = _ROW_TYPES[kind]
        prefix = wire.prefixes[dml]
        start = BODY_AT + 8 + len(prefix)
        if not packet.startswith(prefix, BODY_AT + 8):
            start = self._other_prefix(packet, wire, dml)
        self.size_bytes += len(packet)
        assert wire.table is not None and wire.shape is not None and self._gtid is not None
        if not self._begun:
            self._items.append(Begin(self._gtid, self._commit_us))
            self._begun = self._rows_seen = True
        self._group = _Group(wire, kind, packet[BODY_AT + 8 : start], [packet])
        self._items.append(RowGroup(wire.table, wire.shape, dml, self._group.bodies, start))

    def _other_prefix(self, packet: bytes, wire: WireTable, dml: DmlKind) -> int:
        """Where the first image starts behind extra data or another spelling of the bitmaps' unused bits."""
        at = BODY_AT + 8
        at += int.from_bytes(packet[at : at + 2], "little")
        count, at = read_length(packet, at)
        width, full = (count + 7) // 8, (1 << count) - 1
        for _ in range(2 if dml is DmlKind.UPDATE else 1):
            if int.from_bytes(packet[at : at + width], "little") & full != full:
                raise SourceUnfit(
                    f"the log holds partial row images of {wire.table.name if wire.table else 'a table'}",
                    where=f"{self._where}, transaction {self._gtid}",
                    cure="SET GLOBAL binlog_row_image = FULL on the source, reconnect its clients, reset the project.",
                )
            at += width
        if count != wire.columns:
            raise LogDamaged("a rows event and its TABLE_MAP differ", where=f"{self._where}, {self._gtid}")
        return at

    def _add_partial(self, packet: bytes) -> None:
        """Add an UPDATE whose JSON documents came in part, as one with whole documents."""
        wire = self._ids.get(packet[BODY_AT : BODY_AT + 6])
        if wire is None:
            raise LogDamaged("a rows event without its TABLE_MAP", where=f"{self._where}, {self._gtid}")
        if wire.table is None or wire.shape is None:
            return
        start = self._other_prefix(packet, wire, DmlKind.UPDATE)
        rows = self._partial.get(wire.shape)
        if rows is None:
            rows = self._partial[wire.shape] = PartialRows(wire.shape, self._oceanbase)
        try:
            images = rows.whole(packet, start, len(packet) - self._trailer)
        except ValueError as error:
            raise ValueUnreadable(
                f"an update of a JSON document in part cannot be applied: {error}",
                where=f"{self._where}, {wire.table.name}, transaction {self._gtid}",
                cure=f"Read the table anew: {resync(wire.table.name)}",
            ) from error
        self._add_rows(packet[:start] + images + bytes(self._trailer), int(EventType.UPDATE_ROWS), wire)

    def _control(self, packet: bytes, kind: int) -> None:
        if kind == _XID:
            self._commit()
        elif kind == _GTID:
            self._start(packet)
        elif kind == _QUERY:
            end = len(packet) - self._trailer
            if packet[end - 6 : end] != b"\0BEGIN":
                self._query(packet)
        elif kind == EventType.PARTIAL_UPDATE_ROWS:
            self._add_partial(packet)
        elif kind == EventType.HEARTBEAT:
            self.heartbeat_s = timestamp_s(packet)
        elif kind == EventType.XA_PREPARE:
            if self._rows_seen:
                raise SourceUnfit(
                    "an XA transaction changed tables in scope; its rows are in the log before its outcome is known",
                    where=f"{self._where}, transaction {self._gtid}",
                    cure="Exclude the tables that XA transactions write, then reset the project.",
                )
            self._commit()
        elif kind == EventType.INCIDENT:
            raise LogGap(
                "the source reports that events were lost (INCIDENT)",
                where=f"{self._where}, after {self._gtid}",
                cure=f"Nothing was skipped. {DECIDE}",
            )
        elif kind in UNFIT:
            raise unfit(EventType(kind), f"{self._where}, transaction {self._gtid}")

    def _start(self, packet: bytes) -> None:
        event = parse_gtid(packet, self._trailer, self._oceanbase)
        uuid = self._uuids.get(event.sid)
        if uuid is None:
            uuid = self._uuids[event.sid] = str(UUID(bytes=event.sid))
        if not self.executed.follows(uuid, event.gno) and self.executed.contains(uuid, event.gno):
            # A proxy that moved the dump to another instance asks there for what was asked at first.
            raise SourceUnreachable(
                f"the stream went back to {uuid}:{event.gno}, which was read already",
                where=self._where,
                cure="The connection is made anew from the checkpoint.",
            )
        self._gtid = Gtid(uuid, event.gno)
        self._commit_us = self._newest_us = event.commit_us
        self.whole = self._begun = self._rows_seen = False
        if self._covered is not None:
            self._leave_out(self._covered(Begin(self._gtid, self._commit_us)))
        if len(self._ids) > _IDS_KEPT:
            self._forget_tables()

    def _leave_out(self, tables: frozenset[TableName]) -> None:
        """Skip rows and DDL of tables until their cut: they may be of shapes that nobody knows any more."""
        if tables != self._schemas.left_out:
            self._schemas.leave_out(tables)
            self._forget_tables()
        if not tables:
            self._covered = None

    def _commit(self) -> None:
        gtid = self._gtid
        if gtid is None:
            return
        if self._begun:
            self._items.append(Commit(gtid))
        self.executed.add(gtid.uuid, gtid.gno)
        self._gtid, self._group = None, _NO_GROUP
        self.whole, self._begun = True, False

    def _query(self, packet: bytes) -> None:
        database, statement = parse_query(packet, self._trailer)
        upper = statement[:64].upper()
        if upper.startswith(("SAVEPOINT", "XA START", "XA BEGIN", "XA END", "RELEASE SAVEPOINT")):
            return
        if upper.startswith("ROLLBACK"):
            self._rollback(statement)
            return
        if upper == "COMMIT" or upper.startswith(("XA COMMIT", "XA ROLLBACK")):
            self._commit()
            return
        effects = parse_ddl(statement, database, self._lower_case)
        self._refuse_statements(effects, statement)
        assert self._gtid is not None
        gtid, in_transaction = self._gtid, creates_with_rows(statement)
        mentioned = [effect for effect in effects if effect.verb is not Verb.DML]
        if mentioned:
            items = self._on_ddl(mentioned, statement, gtid, self.executed)
            self._forget_tables()
            if items:
                self._items.append(Begin(gtid, self._commit_us))
                self._items += items
                self._begun = True
        if not in_transaction:
            self._commit()

    def _forget_tables(self) -> None:
        """A table id may stand for another shape from here on."""
        self._ids.clear()
        self._table_map = b""

    def _rollback(self, statement: str) -> None:
        if self._rows_seen:
            raise SourceUnfit(
                f"the log holds {statement!r} after rows of tables in scope, some of which stayed",
                where=f"{self._where}, transaction {self._gtid}",
                cure="Convert tables that are not transactional to InnoDB, then reset the project.",
            )
        if statement.strip().upper() == "ROLLBACK":
            self._commit()

    def _refuse_statements(self, effects: list[Ddl], statement: str) -> None:
        for effect in effects:
            if effect.verb is not Verb.DML:
                continue
            name = effect.table
            if name.table and not self._schemas.matches(name):
                continue
            raise SourceUnfit(
                f"the log holds a change as a statement, not as rows: {statement[:120]!r}",
                where=f"{self._where}, transaction {self._gtid}",
                cure="SET GLOBAL binlog_format = ROW on the source, reconnect its clients, then reset the project.",
            )

    def cut_batch(self, more: bool) -> LogBatch:
        """Everything since the last call; a group that goes on starts anew in the next batch."""
        items, size_bytes = self._items, self.size_bytes
        self._items, self.size_bytes = [], 0
        self._group = _NO_GROUP
        if self._begun and self._gtid is not None:
            self._items.append(Begin(self._gtid, self._commit_us))
        newest, self._newest_us = self._newest_us, 0
        return LogBatch(items, size_bytes, time_ns() // 1000, self.whole, more, newest, str(self.executed))

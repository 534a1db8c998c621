"""Rows of view logs put in order, and made into transactions.

Order inside an scn: table, SEQUENCE$$, key, old before new. SEQUENCE$$ counts per partition, so it repeats across
them; the row index of a position needs a total order. An update is two rows of one key with consecutive SEQUENCE$$.
"""

from collections.abc import Iterable, Iterator, Sequence
from time import time_ns

from obsync_tui.engine.errors import LogDamaged
from obsync_tui.engine.store.mlog.statements import ViewLog
from obsync_tui.engine.store.store import Begin, Commit, LogBatch, LogItem, RowGroup
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.position import Gtid, scn_executed, scn_gtid
from obsync_tui.model.project import DmlKind

BATCH_BYTES = 1 << 20
_SCN_DIGITS = 19
_KIND_AT, _IMAGE_AT, _SEQUENCE_AT = _SCN_DIGITS + 2, _SCN_DIGITS + 4, _SCN_DIGITS + 5
_INSERT, _UPDATE, _DELETE = b"IUD"
_NEW = ord("N")
_KINDS = {_INSERT: DmlKind.INSERT, _DELETE: DmlKind.DELETE}

# scn as its 19 digits, the log's place, SEQUENCE$$, key, 0 old or 1 new, DMLTYPE$$, the columns' bytes.
LogRow = tuple[bytes, int, int, bytes, int, int, bytes]


def parse_rows(packets: Iterable[bytes], place: int, key_fields: int, where: str) -> list[LogRow]:
    """Row packets of `statements` as sortable rows; LogDamaged when one is not such a row.

    Format: the text protocol, each field with its length before it.
    """
    rows: list[LogRow] = []
    append = rows.append
    for packet in packets:
        # scn, kind and image have fixed lengths; anything else is no row of ours.
        if packet[0] != _SCN_DIGITS or packet[_KIND_AT - 1] != 1 or packet[_IMAGE_AT - 1] != 1:
            raise LogDamaged(f"not a row of a view log: {packet[:32].hex()}", where=where)
        start = _SEQUENCE_AT + 1 + packet[_SEQUENCE_AT]
        end = start
        for _ in range(key_fields):
            length = packet[end]
            if length < 251:
                end += 1 + length
            else:
                width = (2, 3, 8)[length - 252]
                end += 1 + width + int.from_bytes(packet[end + 1 : end + 1 + width], "little")
        append(
            (
                packet[1:20],
                place,
                int(packet[_SEQUENCE_AT + 1 : start]),
                packet[start:end],
                1 if packet[_IMAGE_AT] == _NEW else 0,
                packet[_KIND_AT],
                packet[end:],
            )
        )
    return rows


class Transactions:
    """Makes items of ordered rows; `batches` hands them over in pieces of about 1 MiB."""

    def __init__(self, logs: Sequence[ViewLog], where: str) -> None:
        self._logs = logs
        self._where = where
        self._items: list[LogItem] = []
        self._size_bytes = 0
        self._gtid: Gtid | None = None
        self._commit_us = 0
        self._newest_us = 0
        self._group: list[bytes] = []
        self._group_of: tuple[int, DmlKind] | None = None
        self._pending: dict[tuple[int, bytes], bytes] = {}

    def batches(
        self,
        rows: Iterable[LogRow],
        after_scn: int,
        upto_scn: int,
        more: bool,
        records: tuple[Record, ...] = (),
    ) -> Iterator[LogBatch]:
        """The rows committed between two scns; the last batch is whole, ends at `upto_scn`, and has the records.

        No batch before it has that position. LogDamaged for half of an update.
        """
        scn, done_scn = b"", after_scn
        for row in rows:
            if row[0] != scn:
                if scn:
                    self._commit()
                    done_scn = int(scn)
                if self._size_bytes >= BATCH_BYTES:
                    yield self._cut(done_scn, True, True)
                scn = row[0]
                self._begin(int(scn))
            elif self._size_bytes >= BATCH_BYTES:
                yield self._cut(done_scn, False, True)
            self._add(row)
        if scn:
            self._commit()
        yield self._cut(upto_scn, True, more, records)

    def _begin(self, scn: int) -> None:
        self._gtid, self._commit_us = scn_gtid(scn), scn // 1000
        self._items.append(Begin(self._gtid, self._commit_us))

    def _commit(self) -> None:
        gtid = self._gtid
        assert gtid is not None
        if self._pending:
            place, _ = next(iter(self._pending))
            raise LogDamaged(
                "an update has its old image only",
                where=f"{self._where}, {self._logs[place].table.name}, transaction {gtid}",
            )
        self._items.append(Commit(gtid))
        self._newest_us = self._commit_us
        self._gtid, self._group_of = None, None

    def _add(self, row: LogRow) -> None:
        _, place, _, key, new, kind, body = row
        self._size_bytes += len(body)
        if kind == _UPDATE:
            if not new:
                self._pending[place, key] = body
                return
            before = self._pending.pop((place, key), None)
            if before is None:
                raise LogDamaged(
                    "an update has its new image only",
                    where=f"{self._where}, {self._logs[place].table.name}, transaction {self._gtid}",
                )
            body, dml = before + body, DmlKind.UPDATE
        else:
            dml = _KINDS[kind]
        if self._group_of == (place, dml):
            self._group.append(body)
            return
        log = self._logs[place]
        self._group, self._group_of = [body], (place, dml)
        self._items.append(RowGroup(log.table, log.shape, dml, self._group, 0))

    def _cut(self, done_scn: int, whole: bool, more: bool, records: tuple[Record, ...] = ()) -> LogBatch:
        items, size_bytes = self._items, self._size_bytes
        self._items, self._size_bytes, self._group_of = [], 0, None
        if self._gtid is not None and not whole:
            self._items.append(Begin(self._gtid, self._commit_us))
        newest, self._newest_us = self._newest_us or (0 if whole else self._commit_us), 0
        return LogBatch(
            items, size_bytes, time_ns() // 1000, whole, more, newest, scn_executed(done_scn), records
        )

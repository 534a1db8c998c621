"""The progress of a full synchronization: shared by the connections that read and the sink that commits."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from obsync_tui.engine.errors import CheckpointError, SchemaChanged
from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.keys import Key, KeyRanker, chunk_key
from obsync_tui.engine.full.ranges import UNREAD, TableRanges, TableRecord, Task
from obsync_tui.engine.full.reader import ChunkBatch, Cut
from obsync_tui.model.checkpoint import CUTS_KEY, TABLE_PREFIX, Record
from obsync_tui.model.metrics import FullStatus
from obsync_tui.model.table import TableName, TableVersion


@dataclass(slots=True)
class _Table:
    version: TableVersion
    ranges: TableRanges
    estimate: int
    failure: SchemaChanged | None = None


class TableProgress(msgspec.Struct, frozen=True):
    """Rows of a table that are read, about how many there are (0: unknown), and whether all are committed."""

    rows: int
    rows_estimated: int
    done: bool


class FullProgress:
    """What of each table is read, sent and committed, and the cuts; safe for threads.

    The sink's side: `current` before a batch is sent, `advance` when it is (its records go into the same transaction),
    `committed` or `rewind` after the transaction. The readers' side: `take`, `split`, `deliver`, `give_back`, `fail`.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        """Restore from a checkpoint's records, of which others than those of full are ignored; CheckpointError."""
        self._changed = threading.Condition()
        self._tables: dict[TableName, _Table] = {}
        self._pending: dict[TableName, None] = {}
        self._records: dict[TableName, TableRecord] = {}
        self._cuts: dict[int, Cut] = {}
        self._live = UNREAD
        self._cuts_sent = self._cuts_durable = False
        self._dirty: set[TableName] = set()
        self.warnings: tuple[str, ...] = ()
        try:
            self._restore(records)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise CheckpointError(
                f"a record of full synchronization cannot be read: {error}",
                where="checkpoint",
                cure="Reset the project to read everything again.",
            ) from error

    def _restore(self, records: Iterable[Record]) -> None:
        for record in records:
            if record.value is None:
                continue
            if record.key == CUTS_KEY:
                cuts = msgspec.json.decode(record.value, type=tuple[Cut, ...])
                self._cuts = {cut.cut_id: cut for cut in cuts}
            elif record.key.startswith(TABLE_PREFIX):
                table = TableRecord.decode(record.value)
                self._records[table.name] = table

    @property
    def last_cut_id(self) -> int:
        """The id of the newest cut, 0 before the first."""
        return max(self._cuts, default=0)

    @property
    def next_cut_id(self) -> int:
        """The id of the next cut to take."""
        return self.last_cut_id + 1

    @property
    def begun(self) -> frozenset[TableName]:
        """The tables that a checkpoint's records tell of."""
        return frozenset(self._records)

    @property
    def last_cut(self) -> Cut | None:
        """The newest cut, None before the first."""
        return self._cuts.get(self.last_cut_id)

    def begin(
        self,
        cut: Cut,
        tables: tuple[TableVersion, ...],
        estimates: Mapping[TableName, int],
        known: Mapping[TableName, TableVersion],
    ) -> None:
        """What is not committed of the tables is read under this cut, which may be the last one.

        `known` are the shapes under which rows were sent before: a table that changed since and is not done fails.
        """
        with self._changed:
            for name, table in self._tables.items():
                self._records[name] = table.ranges.committed
            gone = sorted(set(self._records) - {table.name for table in tables})
            self.warnings = tuple(
                f"{name} is no longer there or no longer in scope: its full synchronization ends with "
                f"{self._records[name].rows} rows"
                for name in gone
                if not self._records[name].done
            )
            self._cuts[cut.cut_id] = cut
            self._live = cut.cut_id
            self._cuts_sent = self._cuts_durable = False
            self._tables = {}
            for version in tables:
                table = _Table(version, self._ranges(version), estimates.get(version.name, 0))
                table.failure = self._changed_since(table, known.get(version.name))
                table.ranges.recut(cut.cut_id)
                self._tables[version.name] = table
            self._start_over()

    def _ranges(self, version: TableVersion) -> TableRanges:
        fresh = TableRecord(version.name, chunk_key(version))
        record = self._records.get(version.name, fresh)
        return TableRanges(record if record.started else fresh)

    def _changed_since(self, table: _Table, known: TableVersion | None) -> SchemaChanged | None:
        record = table.ranges.committed
        if not record.started or record.done:
            return None
        if record.key == chunk_key(table.version) and (
            known is None or known.columns == table.version.columns
        ):
            return None
        return _changed(table.version.name, "its columns or key changed while it was read")

    def take(self, timeout_s: float) -> tuple[TableVersion, Task] | None:
        """Something to read, waiting for it; None after the time-out."""
        with self._changed:
            found = self._next()
            if found is None:
                self._changed.wait(timeout_s)
                found = self._next()
            return found

    def _next(self) -> tuple[TableVersion, Task] | None:
        for name in tuple(self._pending):
            table = self._tables[name]
            task = table.ranges.take()
            if task:
                return table.version, task
            if table.ranges.is_read:
                del self._pending[name]
        return None

    def split(self, table: TableName, segment_id: int, at: Key) -> bool:
        """End a taken segment at a key; False when it is void."""
        with self._changed:
            found = self._tables[table].ranges.split(segment_id, at)
            self._changed.notify()
            return found

    def deliver(self, table: TableName, segment_id: int, last: Key | None, rows: int, finished: bool) -> bool:
        """Rows of a segment are about to be handed on; False when it is void."""
        with self._changed:
            return self._tables[table].ranges.deliver(segment_id, last, rows, finished)

    def give_back(self, table: TableName, segment_id: int) -> None:
        """Nobody reads the segment any more."""
        with self._changed:
            entry = self._tables[table]
            entry.ranges.give_back(segment_id)
            if entry.failure is None:
                self._pending.setdefault(table)
            self._changed.notify()

    def fail(self, table: TableName, error: SchemaChanged) -> None:
        """The table cannot be read any further; the others go on."""
        with self._changed:
            self._tables[table].failure = error
            self._pending.pop(table, None)

    def wake(self) -> None:
        """End every wait in `take`."""
        with self._changed:
            self._changed.notify_all()

    def knows(self, table: TableName, segment_id: int) -> bool:
        """Whether a segment is still of use."""
        with self._changed:
            entry = self._tables.get(table)
            return entry is not None and entry.ranges.knows(segment_id)

    def current(self, batch: ChunkBatch) -> bool:
        """Whether a batch is to be sent: False for those made void by `rewind` or another cut."""
        return self.knows(batch.table.name, batch.segment_id)

    def advance(self, batch: ChunkBatch) -> tuple[Record, ...]:
        """A batch is sent, an empty one too; answers the records its transaction has to hold. KeyError when void."""
        with self._changed:
            name = batch.table.name
            record = self._tables[name].ranges.advance(
                batch.segment_id, batch.last_key, batch.rows, batch.finished
            )
            self._dirty.add(name)
            progress = Record(table_key(name), record.encode())
            if self._cuts_sent or self._cuts_durable:
                return (progress,)
            self._cuts_sent = True
            return (Record(CUTS_KEY, msgspec.json.encode(self._used_cuts())), progress)

    def _used_cuts(self) -> tuple[Cut, ...]:
        committed = [table.ranges.committed for table in self._tables.values()]
        used = {region.cut for record in committed for region in record.regions} | {self._live}
        used |= {record.first_cut for record in committed if not record.key}
        for name in set(self._records) - set(self._tables):
            used |= {region.cut for region in self._records[name].regions}
        return tuple(self._cuts[cut] for cut in sorted(used & set(self._cuts)))

    def committed(self) -> None:
        """The transaction with everything sent so far is committed."""
        with self._changed:
            for name in self._dirty:
                self._tables[name].ranges.commit()
            self._dirty.clear()
            self._cuts_durable = self._cuts_durable or self._cuts_sent
            self._cuts_sent = False

    def rewind(self) -> None:
        """The transaction was aborted: everything since the last commit is read again."""
        with self._changed:
            for table in self._tables.values():
                table.ranges.rewind()
            self._start_over()

    def _start_over(self) -> None:
        self._dirty.clear()
        self._cuts_sent = False
        open_tables = [n for n, t in self._tables.items() if not t.failure and not t.ranges.committed.done]
        # Undivided tables first: one connection reads each of them, however long it is.
        open_tables.sort(key=lambda name: bool(self._tables[name].ranges.key))
        self._pending = dict.fromkeys(open_tables)
        self._changed.notify_all()

    @property
    def unread(self) -> bool:
        """Whether something is still to be read or being read."""
        with self._changed:
            return any(not t.failure and not t.ranges.is_read for t in self._tables.values())

    @property
    def done(self) -> bool:
        """Whether every table is committed to its end; False before `begin`."""
        with self._changed:
            return self._live != UNREAD and all(
                table.ranges.committed.done for table in self._tables.values()
            )

    def agrees(self, restored: "FullProgress") -> bool:
        """Whether a checkpoint's records are what is committed here: else a commit of unknown outcome went through."""
        with self._changed:
            here = {name: table.ranges.committed for name, table in self._tables.items()}
            there = restored._records
            return all(there.get(name, record) == record for name, record in here.items()) and all(
                not record.started or name in there for name, record in here.items()
            )

    def failure(self) -> SchemaChanged | None:
        """What to raise when all tables but the failed are committed; None before, and when none failed."""
        with self._changed:
            failed = [table for table in self._tables.values() if table.failure]
            if not failed or not all(t.failure or t.ranges.committed.done for t in self._tables.values()):
                return None
            errors = [table.failure for table in failed if table.failure]
            if len(errors) == 1:
                return errors[0]
            return SchemaChanged(
                f"{len(errors)} tables could not be read to their end: "
                + "; ".join(str(e.what) for e in errors),
                where=", ".join(str(table.version.name) for table in failed),
                cure=errors[0].cure,
            )

    def failed(self) -> tuple[SchemaChanged, ...]:
        """The failures of single tables so far."""
        with self._changed:
            return tuple(table.failure for table in self._tables.values() if table.failure)

    def oldest_cut(self) -> Cut | None:
        """The cut from which the stream will start, as things stand."""
        with self._changed:
            used = self._used_cuts()
            return used[0] if used else None

    def status(self) -> FullStatus:
        """Tables and rows; the rate is the caller's to add."""
        with self._changed:
            tables = self._tables.values()
            done = [table for table in tables if table.ranges.committed.done]
            rows = sum(table.ranges.rows for table in tables)
            open_rows = sum(
                max(table.estimate, table.ranges.rows) for table in tables if not table.ranges.committed.done
            )
            estimated = open_rows + sum(table.ranges.rows for table in done)
            return FullStatus(len(self._tables), len(done), rows, estimated)

    def by_table(self) -> dict[TableName, TableProgress]:
        """How far each table is that this import reads."""
        with self._changed:
            return {
                name: TableProgress(table.ranges.rows, table.estimate, table.ranges.committed.done)
                for name, table in self._tables.items()
            }

    def cut_filter(self, versions: Mapping[TableName, TableVersion], ranker: KeyRanker) -> CutFilter:
        """The stream's filter, from what is committed; `versions` are the shapes under which tables were read."""
        with self._changed:
            records = {name: table.ranges.committed for name, table in self._tables.items()}
            return CutFilter(self._cuts, {**self._records, **records}, versions, ranker)

    def retired(self) -> tuple[Record, ...]:
        """The records to remove once the stream has passed the newest cut."""
        names = sorted({*self._records, *self._tables})
        return tuple(Record(table_key(name), None) for name in names) + (Record(CUTS_KEY, None),)


def table_key(table: TableName) -> str:
    """The checkpoint key of a table's progress; quoted where a dot in a name would make it ambiguous."""
    plain = "." not in table.database and "." not in table.table
    return TABLE_PREFIX + (str(table) if plain else table.quoted)


def _changed(table: TableName, what: str) -> SchemaChanged:
    return SchemaChanged(
        what,
        where=str(table),
        cure="Reset the project to read the table anew, or exclude it from the objects.",
    )

"""Drives a view-log Store as a pipeline does: applies what it gives, commits, and can die anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from obsync_tui.engine.store.mlog.stream import ViewLogStore
from obsync_tui.engine.store.store import Begin, LogBatch, RowGroup
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import DmlKind
from tests.contract.sources import ViewLogSource

Fields = tuple[str | None, ...]


class Change(NamedTuple):
    """One row change as it came."""

    gtid: str
    table: str
    kind: DmlKind
    before: Fields
    after: Fields


def fields(body: bytes) -> Fields:
    """The fields of a text protocol row."""
    found: list[str | None] = []
    at = 0
    while at < len(body):
        length, at = body[at], at + 1
        if length == 251:
            found.append(None)
            continue
        if length > 251:
            width = (2, 3, 8)[length - 252]
            length, at = int.from_bytes(body[at : at + width], "little"), at + width
        found.append(body[at : at + length].decode("utf-8", "replace"))
        at += length
    return tuple(found)


def changes(batch: LogBatch) -> Iterator[Change]:
    """The row changes of a batch."""
    gtid = ""
    for item in batch.items:
        if isinstance(item, Begin):
            gtid = str(item.gtid)
        elif isinstance(item, RowGroup):
            for body in item.bodies:
                row = fields(body)
                half = len(item.table.columns) if item.kind is DmlKind.UPDATE else 0
                before, after = row[:half], row[half:]
                if item.kind is DmlKind.DELETE:
                    before, after = after, ()
                yield Change(gtid, item.table.name.table, item.kind, before, after)


class Driver:
    """What is durable of a source: position, records, and the changes that came with them."""

    def __init__(self, source: ViewLogSource) -> None:
        self.source = source
        self.tables = source.tables()
        self.position = LogPosition(source.executed())
        self.changes: list[Change] = []
        self.purges = 0

    def commit(self, batch: LogBatch, store: ViewLogStore) -> None:
        """Make a whole batch durable."""
        assert batch.whole
        self.changes += changes(batch)
        self.source.keep(batch.records)
        self.purges += any(record.value is None for record in batch.records)
        self.position = LogPosition(batch.executed)
        store.committed(self.position)

    def batches(self, store: ViewLogStore) -> Iterator[LogBatch]:
        """The Store's batches behind the position."""
        return store.batches(self.position, self.tables)

    def follow(self, enough: Callable[[LogBatch], bool]) -> None:
        """Commit batch after batch until one is enough; it is committed too. Pieces are joined to whole ones."""
        store = self.source.store()
        pieces: list[LogBatch] = []
        for batch in self.batches(store):
            pieces.append(batch)
            if not batch.whole:
                continue
            for piece in pieces[:-1]:
                self.changes += changes(piece)
            self.commit(batch, store)
            pieces = []
            if enough(batch):
                break
        store.stop()

    def reach(self, end: str) -> None:
        """Follow until the position contains the end."""
        self.follow(lambda batch: self.source.behind(batch.executed, end))

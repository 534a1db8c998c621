"""A table's key space in ranges: what is read, sent and committed, and under which cut.

A table is an ordered list of segments that cover it without gap or overlap: each holds the keys above the previous
one's `upto`, its own `upto` included; None is the end of the table. Nothing here compares keys, it only keeps the
order in which the server gave them out, so any collation will do.

The checkpoint knows regions: what is committed under a cut, and what is unread (cut 0). Neighbours of one cut merge,
which keeps a table's record at about two regions for each connection.
"""

import itertools
from dataclasses import dataclass

import msgspec

from obsync_tui.engine.full.keys import Key
from obsync_tui.model.table import TableName

UNREAD = 0
# One sequence for the whole process, so that a batch that was made void never meets its id again.
_segment_ids = itertools.count(1)


class Region(msgspec.Struct, frozen=True, array_like=True):
    """The keys above the previous region's `upto` up to this one's, and the cut under which they were sent."""

    upto: Key | None
    cut: int


class TableRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A table's committed progress: its value in the checkpoint, as JSON with keys in Base64.

    `key` names the columns that divide the table; empty: it is read as one stream. `first_cut`, of
    such a table, is the cut of the first row ever sent, from which its stream counts, `rows_cut` that of its `rows`.
    """

    name: TableName
    key: tuple[str, ...]
    regions: tuple[Region, ...] = (Region(None, UNREAD),)
    rows: int = 0
    first_cut: int = 0
    rows_cut: int = 0

    @property
    def started(self) -> bool:
        """Whether rows of the table were sent."""
        return self.first_cut > 0 or any(region.cut != UNREAD for region in self.regions)

    @property
    def done(self) -> bool:
        """Whether the whole table is sent."""
        return all(region.cut != UNREAD for region in self.regions)

    def encode(self) -> bytes:
        """The record as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, value: bytes) -> "TableRecord":
        """Read the JSON form; msgspec.DecodeError when it is not that."""
        return msgspec.json.decode(value, type=cls)


@dataclass(frozen=True, slots=True)
class Task:
    """What one connection reads next: keys above `after` up to `upto`.

    `skip_rows` counts rows of an undivided table that were delivered before on the same snapshot. `measured` says that
    the segment is known to hold no more than a range's rows.
    """

    segment_id: int
    after: Key | None
    upto: Key | None
    cut: int
    skip_rows: int
    measured: bool


@dataclass(slots=True)
class _Segment:
    segment_id: int
    upto: Key | None
    cut: int
    measured: bool = False
    taken: bool = False
    read_last: Key | None = None
    read_done: bool = False
    sent_last: Key | None = None
    sent_done: bool = False


class TableRanges:
    """One table's segments while it is read; not safe for threads.

    Three marks move along a segment: `deliver` when rows are handed on, `advance` when they are sent, `commit` when
    the sink's transaction with them is committed. Segment ids are never used again: a batch whose segment is unknown
    was made void by `rewind` or `recut`.
    """

    def __init__(self, record: TableRecord, cut: int = UNREAD) -> None:
        self._committed = record
        self._cut = cut
        self._segments: list[_Segment] = []
        self._rows = self._rows_read = self._first_cut = self._rows_cut = 0
        self._rebuild()

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that divide the table."""
        return self._committed.key

    @property
    def committed(self) -> TableRecord:
        """The progress of the last commit."""
        return self._committed

    @property
    def is_read(self) -> bool:
        """Whether all of the table is delivered."""
        return all(segment.read_done for segment in self._segments)

    @property
    def rows(self) -> int:
        """Rows sent, those before a restart included."""
        return self._rows

    def take(self) -> Task | None:
        """The first segment that nobody reads and that is not read; None when there is none."""
        below: Key | None = None
        for segment in self._segments:
            if not segment.taken and not segment.read_done:
                segment.taken = True
                after = segment.read_last if segment.read_last is not None else below
                skip = 0 if self.key else self._rows_read
                return Task(segment.segment_id, after, segment.upto, segment.cut, skip, segment.measured)
            below = segment.upto
        return None

    def give_back(self, segment_id: int) -> None:
        """Nobody reads the segment any more; what is not delivered of it can be taken."""
        segment = self._find(segment_id)
        if segment:
            segment.taken = False

    def split(self, segment_id: int, at: Key) -> bool:
        """End a taken segment at a key inside its unread part; the rest can be taken. False when it is void."""
        segment = self._find(segment_id)
        if segment is None:
            return False
        if at != segment.upto:
            rest = _Segment(next(_segment_ids), segment.upto, segment.cut)
            self._segments.insert(self._segments.index(segment) + 1, rest)
            segment.upto = at
        segment.measured = True
        return True

    def deliver(self, segment_id: int, last: Key | None, rows: int, finished: bool) -> bool:
        """Rows up to `last` (None: no row) are handed on; False when the segment is void."""
        segment = self._find(segment_id)
        if segment is None:
            return False
        segment.read_last = last if last is not None and self.key else segment.read_last
        segment.read_done = finished or segment.read_done
        self._rows_read += rows
        return True

    def knows(self, segment_id: int) -> bool:
        """Whether batches of the segment are still to be sent."""
        return self._find(segment_id) is not None

    def advance(self, segment_id: int, last: Key | None, rows: int, finished: bool) -> TableRecord:
        """Rows up to `last` are sent; answers what the transaction with them has to commit. KeyError when void."""
        segment = self._find(segment_id)
        if segment is None:
            raise KeyError(segment_id)
        segment.sent_last = last if last is not None and self.key else segment.sent_last
        segment.sent_done = finished or segment.sent_done
        self._rows += rows
        if not self.key:
            self._first_cut = self._first_cut or segment.cut
            self._rows_cut = segment.cut
        return self.record()

    def record(self) -> TableRecord:
        """Progress as sent."""
        regions: list[Region] = []

        def add(upto: Key | None, cut: int) -> None:
            if regions and regions[-1].cut == cut:
                regions.pop()
            regions.append(Region(upto, cut))

        for segment in self._segments:
            if segment.sent_done or (segment.sent_last is not None and segment.sent_last == segment.upto):
                add(segment.upto, segment.cut)
                continue
            if segment.sent_last is not None:
                add(segment.sent_last, segment.cut)
            add(segment.upto, UNREAD)
        return TableRecord(
            self._committed.name, self.key, tuple(regions), self._rows, self._first_cut, self._rows_cut
        )

    def commit(self) -> None:
        """What is sent is committed."""
        self._committed = self.record()
        kept: list[_Segment] = []
        for segment in self._segments:
            before = kept[-1] if kept else None
            if (
                before
                and before.sent_done
                and segment.sent_done
                and before.cut == segment.cut
                and not before.taken
            ):
                kept.pop()
            kept.append(segment)
        self._segments = kept

    def rewind(self) -> None:
        """What is not committed is read again, under the same cut."""
        self._rebuild()

    def recut(self, cut: int) -> None:
        """What is not committed is read under this cut; an undivided table of another cut from its start."""
        if not self.key and not self._committed.done and self._committed.rows_cut != cut:
            self._committed = msgspec.structs.replace(self._committed, rows=0)
        self._cut = cut
        self._rebuild()

    def _rebuild(self) -> None:
        record = self._committed
        self._rows = self._rows_read = record.rows
        self._first_cut = record.first_cut
        self._rows_cut = record.rows_cut
        self._segments = []
        for region in record.regions:
            done = region.cut != UNREAD
            segment = _Segment(next(_segment_ids), region.upto, region.cut or self._cut, measured=done)
            segment.read_done = segment.sent_done = done
            self._segments.append(segment)

    def _find(self, segment_id: int) -> _Segment | None:
        for segment in self._segments:
            if segment.segment_id == segment_id:
                return segment
        return None

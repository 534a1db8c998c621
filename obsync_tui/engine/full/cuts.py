"""Which changes of the stream the full rows already hold, while ranges were read under different cuts.

The stream starts at the oldest cut. A change is dropped when the cut of the range that holds its key contains the
transaction. With one cut no key is ever compared: on MySQL the start position drops everything by itself, on
OceanBase the commit time does.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from obsync_tui.engine.full.keys import Key, KeyRanker, compares_here, key_columns, rank_here
from obsync_tui.engine.full.ranges import UNREAD, Region, TableRecord
from obsync_tui.engine.full.reader import Cut
from obsync_tui.engine.store.store import Begin
from obsync_tui.model.position import GtidSet
from obsync_tui.model.table import Column, TableName, TableVersion

_CACHED_KEYS = 50_000


class _Cut:
    """A cut with its GTID set parsed."""

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        self.executed = GtidSet.parse(cut.executed)

    def within(self, newer: "_Cut") -> bool:
        """Whether everything in this cut is in the other."""
        if newer.cut.commit_us:
            return self.cut.commit_us <= newer.cut.commit_us
        return self.executed.issubset(newer.executed)

    def holds(self, begin: Begin) -> bool:
        if self.cut.commit_us:
            return begin.commit_us <= self.cut.commit_us
        return self.executed.contains(begin.gtid.uuid, begin.gtid.gno)


class _Table:
    """A table's ranges by cut: one cut for an undivided table, its first."""

    def __init__(self, record: TableRecord, columns: tuple[Column, ...]) -> None:
        self.columns = columns
        regions = (
            record.regions if record.key else (Region(None, record.first_cut or record.regions[-1].cut),)
        )
        self.cuts = tuple(region.cut for region in regions)
        self.boundaries = [region.upto for region in regions if region.upto is not None]
        self.places: dict[Key, int] = {}


class CutFilter:
    """Decides which row images of the stream are kept, from the start at the oldest cut until the newest is passed.

    `tables` are the ranges as committed, all of them read; `versions` the shapes at which they were read;
    tables without one are gone, and unknown here.
    """

    def __init__(
        self,
        cuts: Mapping[int, Cut],
        tables: Mapping[TableName, TableRecord],
        versions: Mapping[TableName, TableVersion],
        ranker: KeyRanker,
    ) -> None:
        self._ranker = ranker
        self._tables = {
            name: _Table(record, key_columns(versions[name], record.key))
            for name, record in tables.items()
            if name in versions
        }
        used = {cut for table in self._tables.values() for cut in table.cuts} - {UNREAD}
        self._cuts = {cut_id: _Cut(cuts[cut_id]) for cut_id in sorted(used)}
        if not self._cuts and cuts:
            self._cuts = {max(cuts): _Cut(cuts[max(cuts)])}
        for older, newer in pairwise(self._cuts.values()):
            if not older.within(newer):
                raise ValueError(f"cut {newer.cut.cut_id} does not contain cut {older.cut.cut_id}")

    @property
    def oldest(self) -> Cut:
        """Where the stream starts; KeyError when no table was read."""
        return self._cuts[min(self._cuts)].cut

    @property
    def newest(self) -> Cut:
        """The cut up to which changes are filtered."""
        return self._cuts[max(self._cuts)].cut

    def needs_filter(self, executed: GtidSet, commit_us: int = 0) -> bool:
        """Whether a transaction after this position can be in a cut: False for good once the newest cut is passed.

        `commit_us` is when the position's last transaction was committed, which cuts of OceanBase's binlog need.
        """
        if not self._cuts:
            return False
        newest = self._cuts[max(self._cuts)]
        if newest.cut.commit_us:
            return commit_us <= newest.cut.commit_us
        return not newest.executed.issubset(executed)

    def covered(self, begin: Begin) -> frozenset[TableName]:
        """The tables all of whose images in the transaction are dropped; empty for good once the cuts are passed."""
        return frozenset(name for name in self._tables if self.verdict(name, begin) is False)

    def verdict(self, table: TableName, begin: Begin) -> bool | None:
        """Whether every image of the transaction in the table is kept (True) or dropped; None: `decide` by key."""
        ranges = self._tables.get(table)
        if ranges is None:
            return True
        answers = {self._keeps(cut, begin) for cut in set(ranges.cuts)}
        return answers.pop() if len(answers) == 1 else None

    def decide(self, table: TableName, begin: Begin, key: Key) -> bool:
        """Whether the row image with this key is kept; of an UPDATE, ask for both images.

        `key` holds the bytes of the columns of `key_of(table)`, as a row of the full read carries them.
        """
        ranges = self._tables.get(table)
        if ranges is None:
            return True
        place = ranges.places.get(key)
        if place is None:
            self.prefetch(table, (key,))
            place = ranges.places[key]
        return self._keeps(ranges.cuts[place], begin)

    def prefetch(self, table: TableName, keys: Sequence[Key]) -> None:
        """Place many keys at once: character keys cost a question to the server."""
        ranges = self._tables.get(table)
        if ranges is None:
            return
        wanted = [key for key in dict.fromkeys(keys) if key not in ranges.places]
        if not wanted:
            return
        if len(ranges.places) + len(wanted) > _CACHED_KEYS:
            ranges.places.clear()
            wanted = list(dict.fromkeys(keys))
        if not ranges.boundaries:
            places = [0] * len(wanted)
        elif compares_here(ranges.columns):
            places = rank_here(ranges.columns, ranges.boundaries, wanted)
        else:
            places = self._ranker.rank(ranges.columns, ranges.boundaries, wanted)
        ranges.places.update(zip(wanted, places, strict=True))

    def key_of(self, table: TableName) -> tuple[str, ...]:
        """The columns that make a table's key here; empty for an undivided or unknown table."""
        ranges = self._tables.get(table)
        return tuple(column.name for column in ranges.columns) if ranges else ()

    def _keeps(self, cut: int, begin: Begin) -> bool:
        # Rows of a range that was never read (its table is gone) are not there to be changed.
        return cut != UNREAD and not self._cuts[cut].holds(begin)

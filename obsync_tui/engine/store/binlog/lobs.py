"""NULL of a LOB column that may be no NULL: OceanBase's log leaves out values kept out of the row that did not change.

In an UPDATE such a column is NULL in both images, or in the one before; in a DELETE in the one before. What it was is
read as of a commit version, never as of now: what a row held after a transaction at the end of the batch, where no
other transaction of the batch touched the row, else at that transaction's own commit; what it held before the batch
right before the batch's first commit. What can no longer be read is unknown, and the message says so.
Source: the OceanBase reference, 1.9.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.oceanbase.asof import Values
from obsync_tui.engine.store.binlog.lobrows import LobTable
from obsync_tui.engine.store.store import Begin, BinlogShape, Commit, LogBatch, LogItem, RowGroup
from obsync_tui.model.project import DmlKind
from obsync_tui.model.table import TableVersion

ReadAsOf = Callable[[TableVersion, tuple[int, ...], Sequence[Key], int], dict[Key, Values] | None]
"""The values of columns of the rows with these keys as of an scn; None when that is out of reach."""
_SCN_PER_US = 1000
# Keys of a transaction that goes on in the next batch, kept to tell that its rows were touched before.
_OPEN_KEYS = 1_000_000


@dataclass(slots=True)
class Touch:
    """One row change of a table with LOB columns; `before` and `after` hold what is known of those columns."""

    table: LobTable
    kind: DmlKind
    commit_us: int
    body: bytes
    start: int
    key: Key
    new_key: Key
    doubtful: tuple[int, ...]
    unchanged: tuple[int, ...]
    before: dict[int, bytes | None] = field(default_factory=dict)
    after: dict[int, bytes | None] = field(default_factory=dict)
    previous: "Touch | None" = None
    last: bool = True
    seen_before: bool = False


class Lobs:
    """Completes the batches of one Store, in order. `read` is asked at most a few times per table and batch."""

    def __init__(self, read: ReadAsOf) -> None:
        self._read = read
        self._tables: dict[int, LobTable | None] = {}
        self._open_us = 0
        self._open: set[tuple[int, Key]] = set()

    def complete(self, batch: LogBatch) -> LogBatch:
        """The batch with every LOB value that could be read; raises SourceError."""
        touches = self._touches(batch.items)
        if any(touch.doubtful for touch in touches.values()):
            self._resolve(list(touches.values()))
            items = [part for item in batch.items for part in self._parts(item, touches)]
            batch = msgspec.structs.replace(batch, items=items)
        self._remember(batch, touches.values())
        return batch

    def _table(self, group: RowGroup) -> LobTable | None:
        known = id(group.shape)
        if known not in self._tables:
            assert isinstance(group.shape, BinlogShape)
            self._tables[known] = LobTable.of(group.table, group.shape)
        return self._tables[known]

    def _touches(self, items: Iterable[LogItem]) -> dict[int, Touch]:
        """Every change of a row of a table with LOB columns, by the identity of its body, in order."""
        touches: dict[int, Touch] = {}
        latest: dict[tuple[int, Key], Touch] = {}
        commit_us = 0
        for item in items:
            if isinstance(item, Begin):
                commit_us = item.commit_us
            if not isinstance(item, RowGroup) or (table := self._table(item)) is None:
                continue
            for body, key, new_key in table.keys(item):
                doubtful, unchanged = table.doubtful(item.kind, body, item.start)
                touch = Touch(
                    table, item.kind, commit_us, body, item.start, key, new_key, doubtful, unchanged
                )
                before = latest.get((id(table), key))
                touch.previous = before
                touch.seen_before = commit_us == self._open_us and (id(table), key) in self._open
                if before is not None and before.commit_us == commit_us:
                    before.last = False
                touches[id(body)] = latest[id(table), new_key] = touch
        return touches

    def _resolve(self, touches: list[Touch]) -> None:
        first_us, last_us = touches[0].commit_us, max(touch.commit_us for touch in touches)
        commits: dict[tuple[int, Key], set[int]] = {}
        for touch in touches:
            commits.setdefault((id(touch.table), touch.new_key), set()).add(touch.commit_us)
        afters: dict[tuple[int, int], list[Touch]] = {}
        for touch in touches:
            if touch.unchanged and touch.last:
                alone = len(commits[id(touch.table), touch.new_key]) == 1
                at_us = last_us if alone else touch.commit_us
                afters.setdefault((id(touch.table), at_us), []).append(touch)
        for (_, at_us), group in afters.items():
            self._fill_after(group, (at_us + 1) * _SCN_PER_US - 1)
        befores: dict[int, list[Touch]] = {}
        for touch in touches:
            self._carry(touch)
            open_ones = [column for column in touch.doubtful if column not in touch.before]
            if open_ones and touch.previous is None and not touch.seen_before:
                befores.setdefault(id(touch.table), []).append(touch)
        for group in befores.values():
            self._fill_before(group, first_us * _SCN_PER_US - 1)
        for touch in touches:
            self._carry(touch)

    def _fill_after(self, touches: list[Touch], scn: int) -> None:
        table = touches[0].table
        found = self._read(table.version, table.lobs, [touch.new_key for touch in touches], scn)
        for touch in touches:
            values = (found or {}).get(touch.new_key)
            if values is not None:
                touch.after.update({i: values[table.lobs.index(i)] for i in touch.unchanged})

    def _fill_before(self, touches: list[Touch], scn: int) -> None:
        table = touches[0].table
        found = self._read(table.version, table.lobs, [touch.key for touch in touches], scn)
        for touch in touches:
            values = (found or {}).get(touch.key)
            if values is not None:
                for column in touch.doubtful:
                    touch.before.setdefault(column, values[table.lobs.index(column)])

    def _carry(self, touch: Touch) -> None:
        """What follows for the image before: from the same row's last change, or from a value that did not change."""
        for column in touch.doubtful:
            if column in touch.before:
                continue
            previous = touch.previous
            if previous is not None:
                known = previous.table.after_of(previous.body, previous.start, previous.kind, column)
                if column in previous.after or column not in previous.unchanged:
                    touch.before[column] = previous.after.get(column, known)
            elif touch.after.get(column) is not None:
                touch.before[column] = touch.after[column]

    def _parts(self, item: LogItem, touches: dict[int, Touch]) -> Iterable[LogItem]:
        """The item, its doubtful rows in groups of their own."""
        if not isinstance(item, RowGroup) or not any(
            touches[id(body)].doubtful for body in item.bodies if id(body) in touches
        ):
            yield item
            return
        plain: list[bytes] = []
        for body in item.bodies:
            touch = touches[id(body)]
            if not touch.doubtful:
                plain.append(body)
                continue
            if plain:
                yield msgspec.structs.replace(item, bodies=plain)
                plain = []
            yield touch.table.completed(
                touch.kind, body, item.start, touch.doubtful, touch.unchanged, touch.before, touch.after
            )
        if plain:
            yield msgspec.structs.replace(item, bodies=plain)

    def _remember(self, batch: LogBatch, touches: Iterable[Touch]) -> None:
        """The rows that a transaction touched whose rest comes in the next batch."""
        begins = [item for item in batch.items if isinstance(item, Begin)]
        ended = any(isinstance(item, Commit) for item in batch.items[-1:])
        if batch.whole or ended or not begins:
            self._open, self._open_us = set(), 0
            return
        if begins[-1].commit_us != self._open_us:
            self._open, self._open_us = set(), begins[-1].commit_us
        if len(self._open) < _OPEN_KEYS:
            self._open |= {(id(t.table), t.new_key) for t in touches if t.commit_us == self._open_us}

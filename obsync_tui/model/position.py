"""Points of a log: GTIDs, sets of them, and a project's position."""

from bisect import bisect_right

import msgspec


class Gtid(msgspec.Struct, frozen=True, order=True):
    """One transaction of one server: `uuid:gno`."""

    uuid: str
    gno: int

    def __str__(self) -> str:
        return f"{self.uuid}:{self.gno}"

    @classmethod
    def parse(cls, text: str) -> "Gtid":
        """Read `uuid:gno`; ValueError when it is not that."""
        uuid, _, gno = text.rpartition(":")
        return cls(uuid.lower(), int(gno))


class GtidSet:
    """A set of GTIDs that grows cheaply in commit order.

    Intervals are closed, sorted and never touch: `{uuid: [[first, last], …]}`. The text form is MySQL's
    (`uuid:1-5:7,uuid:1`), sorted by uuid. Mutable; `copy` before keeping.
    """

    __slots__ = ("_intervals",)

    def __init__(self) -> None:
        self._intervals: dict[str, list[list[int]]] = {}

    @classmethod
    def parse(cls, text: str) -> "GtidSet":
        """Read MySQL's text form, white space allowed; ValueError names what cannot be read."""
        result = cls()
        for part in text.replace("\n", "").replace(" ", "").split(","):
            if not part:
                continue
            uuid, *ranges = part.split(":")
            if not ranges or len(uuid) != 36:
                raise ValueError(f"not a GTID set: {part!r}")
            for interval in ranges:
                first, _, last = interval.partition("-")
                result.add_interval(uuid.lower(), int(first), int(last or first))
        return result

    def __str__(self) -> str:
        parts = []
        for uuid in sorted(self._intervals):
            ranges = ":".join(f"{a}-{b}" if a != b else str(a) for a, b in self._intervals[uuid])
            parts.append(f"{uuid}:{ranges}")
        return ",".join(parts)

    def __bool__(self) -> bool:
        return bool(self._intervals)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GtidSet) and self._intervals == other._intervals

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"GtidSet({str(self)!r})"

    def copy(self) -> "GtidSet":
        """A set that no longer changes with this one."""
        result = GtidSet()
        result._intervals = {
            uuid: [list(i) for i in intervals] for uuid, intervals in self._intervals.items()
        }
        return result

    def add(self, uuid: str, gno: int) -> None:
        """Add one GTID; the next number of a server costs one comparison."""
        intervals = self._intervals.get(uuid)
        if intervals and intervals[-1][1] + 1 == gno:
            intervals[-1][1] = gno
        else:
            self.add_interval(uuid, gno, gno)

    def add_interval(self, uuid: str, first: int, last: int) -> None:
        """Add the closed interval; ValueError when it is empty or starts below 1."""
        if first < 1 or last < first:
            raise ValueError(f"not a GTID interval: {uuid}:{first}-{last}")
        merged: list[list[int]] = []
        for a, b in self._intervals.get(uuid, []):
            if b + 1 < first or a > last + 1:
                merged.append([a, b])
            else:
                first, last = min(a, first), max(b, last)
        merged.append([first, last])
        self._intervals[uuid] = sorted(merged)

    def follows(self, uuid: str, gno: int) -> bool:
        """Whether the number is the next one of its server, or a later one: one comparison."""
        intervals = self._intervals.get(uuid)
        return not intervals or gno > intervals[-1][1]

    def contains(self, uuid: str, gno: int) -> bool:
        """Whether the GTID is in the set."""
        intervals = self._intervals.get(uuid)
        if not intervals:
            return False
        i = bisect_right(intervals, [gno, 1 << 64]) - 1
        return i >= 0 and intervals[i][0] <= gno <= intervals[i][1]

    def issubset(self, other: "GtidSet") -> bool:
        """Whether every GTID of this set is in the other."""
        return not self.missing_from(other)

    def missing_from(self, other: "GtidSet") -> "GtidSet":
        """The GTIDs of this set that the other does not hold."""
        result = GtidSet()
        for uuid, intervals in self._intervals.items():
            theirs = other._intervals.get(uuid, [])
            for a, b in intervals:
                start = a
                for x, y in theirs:
                    if y < start or x > b:
                        continue
                    if x > start:
                        result.add_interval(uuid, start, x - 1)
                    start = max(start, y + 1)
                if start <= b:
                    result.add_interval(uuid, start, b)
        return result

    def common_with(self, other: "GtidSet") -> "GtidSet":
        """The GTIDs of this set that the other holds too."""
        return self.missing_from(self.missing_from(other))

    def without_servers_of(self, other: "GtidSet") -> "GtidSet":
        """The GTIDs of servers that the other set does not name."""
        result = self.copy()
        for uuid in other._intervals:
            result._intervals.pop(uuid, None)
        return result

    def union(self, other: "GtidSet") -> "GtidSet":
        """All GTIDs of both sets."""
        result = self.copy()
        for uuid, intervals in other._intervals.items():
            for a, b in intervals:
                result.add_interval(uuid, a, b)
        return result

    def count(self) -> int:
        """How many GTIDs the set holds."""
        return sum(b - a + 1 for intervals in self._intervals.values() for a, b in intervals)


class LogPosition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a project stands in a binlog.

    `executed` is the text of the GTID set of whole transactions; inside transaction `inside`, `rows` in-scope row
    changes are already delivered, counted before any filter and split. `commit_us` is the commit time of the last
    transaction in it (0 when unknown), `sequence` the last `storeDataSequence` given out.
    """

    executed: str
    inside: str = ""
    rows: int = 0
    commit_us: int = 0
    sequence: int = 0
    epoch: int = 0


VIEW_LOG_UUID = "6f627379-6e63-5000-8000-7669657764ff"
"""The server part of the GTIDs that stand for transactions of OceanBase's view logs; their number is the scn."""


def scn_gtid(scn: int) -> Gtid:
    """The GTID that stands for the transaction committed at an scn (OceanBase: nanoseconds, UTC epoch)."""
    return Gtid(VIEW_LOG_UUID, scn)


def scn_executed(scn: int) -> str:
    """The `executed` of a position behind everything committed up to an scn."""
    return f"{VIEW_LOG_UUID}:1-{scn}" if scn else ""


def executed_scn(executed: str) -> int:
    """The scn of such an `executed`, 0 for none; ValueError when it is that of another kind of log."""
    if not executed:
        return 0
    start, _, scn = executed.rpartition("-")
    if start != f"{VIEW_LOG_UUID}:1":
        raise ValueError(f"not a position in view logs: {executed[:200]}")
    return int(scn)

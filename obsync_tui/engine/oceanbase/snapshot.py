"""OceanBase tables as of one commit version, read by `AS OF SNAPSHOT` without any lock.

The cut: with k a microsecond before now, tables are read at scn k*1000+999, and of Binlog Service's log everything
committed in microsecond k or before is dropped; view logs are read from the scn on. The cut can be read as long as
`undo_retention` says, by any connection.
"""

import threading
from collections.abc import Mapping

from pymysql.connections import Connection

from obsync_tui.engine.errors import LogGap, SnapshotLost, SourceError, Stopped
from obsync_tui.engine.full.reader import Cut, LogLeft, StartPoint
from obsync_tui.engine.mysql.catalog import estimates
from obsync_tui.engine.mysql.connection import where
from obsync_tui.engine.mysql.control import Control, ServerRanker
from obsync_tui.engine.mysql.reading import shut
from obsync_tui.engine.oceanbase.catalog import Partition, partitions, read_table, read_tables
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.oceanbase.flashback import (
    LastDdl,
    age_us,
    ask_on,
    current_scn,
    cut_at,
    executed_gtids,
    last_ddl,
    last_ddl_of,
    undo_retention_s,
    view_log_cut_at,
)
from obsync_tui.engine.oceanbase.reading import OceanBaseReader, Tables
from obsync_tui.engine.oceanbase.tenant import raise_undo_retention
from obsync_tui.engine.oceanbase.version import Version, read_version
from obsync_tui.model.datasource import LogChoice, OceanBaseSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName, TableVersion

_READ_TIMEOUT_S = 60.0
_TRIES = 20
_PAUSE_S = 0.5
# DDL is stamped by a server's clock, a commit version by that of the tenant's timestamp service.
_CLOCKS_APART_US = 1_000_000


class OceanBaseSnapshot:
    """A Snapshot whose connections come and go: the cut lives as long as the tenant keeps what was undone."""

    def __init__(
        self,
        cut: Cut,
        tables: tuple[TableVersion, ...],
        estimates: Mapping[TableName, int],
        readers: tuple[OceanBaseReader, ...],
        control: Control,
        retention: "Retention",
        place: str,
    ) -> None:
        self.cut = cut
        self.tables = tables
        self.estimates = estimates
        self.readers = readers
        self._control = control
        self._retention = retention
        self._where = place

    def log_left(self, cut: Cut) -> LogLeft:
        """Ask whether Binlog Service still has the log after a cut; see `Snapshot.log_left`."""
        if not (cut.commit_us and cut.executed):
            return LogLeft()
        purged = str(self._control.run("SELECT @@gtid_purged")[0][0] or "")
        if not GtidSet.parse(purged.lower()).issubset(GtidSet.parse(cut.executed)):
            raise LogGap(
                "Binlog Service purged the binlog after the point at which full synchronization reads",
                where=self._where,
                cure="Raise the binlog's retention, then reset the project to read everything again.",
            )
        return LogLeft()

    def outlasts(self, left_s: float) -> str:
        """Hold the time left against `undo_retention`; see `Snapshot.outlasts`."""
        return self._retention.warning(self.cut, left_s)

    def interrupt(self) -> None:
        """End every read, in other threads."""
        for reader in self.readers:
            reader.interrupt()
        self._control.interrupt()

    def close(self) -> None:
        """Let go of all connections."""
        for reader in self.readers:
            reader.close()
        self._control.close()


class Retention:
    """How long the tenant lets a cut be read."""

    def __init__(self, control: Control, version: Version, place: str) -> None:
        self._control = control
        self._version = version
        self._where = place

    def warning(self, cut: Cut, left_s: float) -> str:
        """What to do when reading goes on for longer than the cut is kept; empty when it does not."""
        seconds = self._seconds()
        if seconds is None:
            return ""
        age_s = self._age_s(cut)
        if age_s + left_s <= seconds:
            return ""
        return (
            f"Reading will take {left_s / 60:.0f} minutes more, and the source keeps the rows as of this cut for"
            f" {max(seconds - age_s, 0) / 60:.0f}. What is unread then goes on under another cut. To read all under"
            f" one: {raise_undo_retention(self._version, round(1.5 * (age_s + left_s)))}"
        )

    def allows(self, cut: Cut) -> bool:
        """Whether a cut is kept for as long again as it is old."""
        seconds = self._seconds()
        return seconds is not None and self._age_s(cut) < seconds / 2

    def lost(self, what: str) -> SnapshotLost:
        """The error when a cut is not kept any longer."""
        seconds = self._seconds() or 1800
        return SnapshotLost(
            f"the source no longer keeps the rows as of the cut ({what})",
            where=self._where,
            cure="What is unread is read under another cut. To read all under one: "
            + raise_undo_retention(self._version, 4 * seconds),
        )

    def _seconds(self) -> int | None:
        try:
            return undo_retention_s(self._control.run, self._version)
        except SourceError as error:
            if error.retryable:
                raise
            return None

    def _age_s(self, cut: Cut) -> float:
        return age_us(cut, current_scn(self._control.run), self._version) / 1e6


class OceanBaseSnapshots:
    """Opens snapshots of an OceanBase source with so many reading connections; see `Snapshots`.

    A cut before `not_before_scn` is not gone on with: the log after it is not whole.
    """

    def __init__(
        self,
        source: OceanBaseSource,
        password: Secret,
        rules: ObjectRules,
        connections: int,
        not_before_scn: int = 0,
    ) -> None:
        self._not_before_scn = not_before_scn
        self._source = source
        self._password = password
        self._rules = rules
        self._connections = connections
        self._where = where(source)
        self._stopping = threading.Event()
        self._opening: list[Connection] = []

    def open(self, cut_id: int, last: Cut | None = None) -> OceanBaseSnapshot:
        """Read the catalog and take a cut with no DDL in between, or go on with the last cut when there was none."""
        control = Control(self._plain, self._where)
        self._opening = [connection := self._plain()]
        if self._stopping.is_set():
            shut(connection)
        try:
            version = read_version(connection)
            retention = Retention(control, version, self._where)
            cut, tables, ddl = self._cut(connection, control, cut_id, version)
            usable = last is not None and last.scn >= self._not_before_scn and retention.allows(last)
            if last is not None and usable and _unchanged(last, cut, ddl, version):
                cut = last
            rows = estimates(connection, [table.name for table in tables])
        except BaseException:
            control.close()
            connection._force_close()
            raise
        connection.close()
        asked = self._tables(control, retention, tables, ddl)
        readers = tuple(
            OceanBaseReader(self._for_values, cut, asked, self._where) for _ in range(self._connections)
        )
        return OceanBaseSnapshot(cut, tables, rows, readers, control, retention, self._where)

    def _cut(
        self, connection: Connection, control: Control, cut_id: int, version: Version
    ) -> tuple[Cut, tuple[TableVersion, ...], dict[TableName, LastDdl]]:
        ask = ask_on(connection, self._where)
        by_view_logs = self._source.log is LogChoice.VIEW_LOG
        for _ in range(_TRIES):
            # Before the cut: what is in the log earlier is dropped by its commit time. ODP forwards the question to
            # Binlog Service, and loses it now and then.
            executed = "" if by_view_logs else executed_gtids(control.run)
            tables = read_tables(connection, self._rules)
            names = [table.name for table in tables]
            before = last_ddl_of(ask, names)
            if read_tables(connection, self._rules) == tables:
                scn = current_scn(ask)
                cut = (
                    view_log_cut_at(cut_id, scn, version)
                    if by_view_logs
                    else cut_at(cut_id, executed, scn, version)
                )
                if last_ddl_of(ask, names) == before and len(before) == len(names):
                    return cut, tables, before
            if self._stopping.wait(_PAUSE_S):
                raise Stopped("stopped while taking a cut", where=self._where)
        raise SnapshotLost(
            f"DDL ran each of {_TRIES} times that a cut was to be taken",
            where=self._where,
            cure="Wait until tables are no longer altered; starting again tries again.",
        )

    def _tables(
        self,
        control: Control,
        retention: Retention,
        tables: tuple[TableVersion, ...],
        ddl: Mapping[TableName, LastDdl],
    ) -> Tables:
        versions = {table.name: table for table in tables}

        def changed(name: TableName) -> bool:
            try:
                now = last_ddl(control.run, name.database, name.table).get(name)
            except SourceError as error:
                if error.retryable:
                    raise
                return True  # the database is gone
            if now is None or now.altered_us or now != ddl[name]:
                return now != ddl[name]
            # A server that does not tell its DDL: at least the columns and keys are those of the cut.
            with self._plain() as connection:
                return read_table(connection, name) != versions[name]

        def parts(name: TableName) -> tuple[Partition, ...]:
            with self._plain() as connection:
                return partitions(connection, name)

        return Tables(changed, parts, retention.lost)

    def start_point(self) -> StartPoint:
        """A cut and the shapes at it, without a snapshot; raises as `open` does."""
        snapshot = OceanBaseSnapshots(self._source, self._password, self._rules, 0).open(1)
        snapshot.close()
        return StartPoint(snapshot.cut, snapshot.tables)

    def ranker(self) -> ServerRanker:
        """Compares character keys for the stream's filter; connects when it has to."""
        return ServerRanker(Control(self._plain, self._where))

    def stop(self) -> None:
        """End an `open` under way, from any thread: it raises within a second. Nothing opens afterwards."""
        self._stopping.set()
        for connection in tuple(self._opening):
            shut(connection)

    def _plain(self) -> Connection:
        return connect(self._source, self._password, read_timeout_s=_READ_TIMEOUT_S)

    def _for_values(self) -> Connection:
        return connect(
            self._source, self._password, read_timeout_s=_READ_TIMEOUT_S, character_set_results_null=True
        )


def _unchanged(last: Cut, now: Cut, ddl: Mapping[TableName, LastDdl], version: Version) -> bool:
    """Whether an earlier cut in the same kind of log saw the tables in their present shapes for certain."""
    last_us = round(now.taken_s * 1e6) - age_us(last, now.scn, version)
    return (last.commit_us > 0) == (now.commit_us > 0) and all(
        0 < found.altered_us < last_us - _CLOCKS_APART_US for found in ddl.values()
    )

"""MySQL tables as of one GTID set: transactions opened together under a brief global read lock."""

import threading
from collections.abc import Mapping

from pymysql.connections import Connection

from obsync_tui.engine.errors import LogGap
from obsync_tui.engine.full.reader import Cut, LogLeft, StartPoint
from obsync_tui.engine.mysql.catalog import estimates, read_tables
from obsync_tui.engine.mysql.connection import connect, where
from obsync_tui.engine.mysql.control import Control, ServerRanker
from obsync_tui.engine.mysql.cut import cut_here, global_read_lock
from obsync_tui.engine.mysql.reading import MySQLReader, settle, shut
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName, TableVersion

_READ_TIMEOUT_S = 60.0
_DAY_S = 24 * 3600
RETENTION = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('expire_logs_days', 'binlog_expire_logs_seconds')"


class MySQLSnapshot:
    """A Snapshot whose connections cannot be replaced: the cut lives as long as its transactions."""

    def __init__(
        self,
        cut: Cut,
        tables: tuple[TableVersion, ...],
        estimates: Mapping[TableName, int],
        readers: tuple[MySQLReader, ...],
        control: Control,
        place: str,
    ) -> None:
        self.cut = cut
        self.tables = tables
        self.estimates = estimates
        self.readers = readers
        self._control = control
        self._where = place

    def log_left(self, cut: Cut) -> LogLeft:
        """Ask whether the log after a cut is kept, and how long by the server's expiry; see `Snapshot.log_left`."""
        sql = (
            f"SELECT GTID_SUBSET(@@global.gtid_purged, '{cut.executed}'),"
            f" GTID_SUBSET('{cut.executed}', @@global.gtid_executed), UNIX_TIMESTAMP(NOW(6))"
        )
        kept, same_history, now_s = self._control.run(sql)[0]
        if not kept or not same_history:
            what = "purged the binlog" if same_history else "began another binlog history (RESET MASTER)"
            raise LogGap(
                f"the source {what} after the point at which full synchronization reads",
                where=self._where,
                cure="Raise the binlog's retention, then reset the project to read everything again.",
            )
        limits = {str(name): int(str(value)) for name, value in self._control.run(RETENTION)}
        retention_s = limits.get("binlog_expire_logs_seconds") or limits.get("expire_logs_days", 0) * _DAY_S
        if not retention_s:
            return LogLeft()
        left_s = cut.taken_s + retention_s - float(str(now_s))
        if left_s > retention_s / 2:
            return LogLeft(left_s)
        return LogLeft(
            left_s,
            f"The source may purge the binlog that this project needs in {max(left_s, 0) / 3600:.1f} h:"
            " raise its retention (expire_logs_days, binlog_expire_logs_seconds).",
        )

    def outlasts(self, left_s: float) -> str:
        """The transactions live as long as their connections."""
        return ""

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


class MySQLSnapshots:
    """Opens snapshots of a MySQL source with so many reading connections; see `Snapshots`."""

    def __init__(self, source: MySQLSource, password: Secret, rules: ObjectRules, connections: int) -> None:
        self._source = source
        self._password = password
        self._rules = rules
        self._connections = connections
        self._where = where(source)
        self._stopping = threading.Event()
        self._opening: list[Connection] = []

    def open(self, cut_id: int, last: Cut | None = None) -> MySQLSnapshot:
        """Connect, take the lock, begin all transactions, read GTIDs and schemas, unlock; another cut each time."""
        self._opening = []
        try:
            locker = self._connect()
            wires = [self._connect(for_values=True) for _ in range(self._connections)]
            for wire in wires:
                settle(wire, self._where)
            control = Control(self._plain, self._where)
            readers = tuple(MySQLReader(wire, self._where, control.kill) for wire in wires)
            with global_read_lock(locker, self._where, self._stopping):
                for reader in readers:
                    reader.begin()
                cut = cut_here(locker, cut_id, self._where)
                tables = read_tables(locker, self._rules)
            rows = estimates(locker, [table.name for table in tables])
        except BaseException:
            for connection in self._opening:
                connection._force_close()
            raise
        locker.close()
        return MySQLSnapshot(cut, tables, rows, readers, control, self._where)

    def start_point(self) -> StartPoint:
        """A cut and the shapes at it, without a snapshot; raises as `open` does."""
        snapshot = MySQLSnapshots(self._source, self._password, self._rules, 0).open(1)
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

    def _connect(self, for_values: bool = False) -> Connection:
        connection = self._plain(for_values)
        self._opening.append(connection)
        return connection

    def _plain(self, for_values: bool = False) -> Connection:
        return connect(
            self._source,
            self._password,
            read_timeout_s=_READ_TIMEOUT_S,
            character_set_results_null=for_values,
        )

"""The view-log Store: polls the logs and gives what was committed since, transaction by transaction.

Every poll reads up to an scn that is current when it begins, from all logs, so that a transaction comes whole.
"""

import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from time import monotonic, time_ns

import pymysql

from obsync_tui.engine.errors import LogGap, SourceError, Stopped
from obsync_tui.engine.mysql.connection import where as address
from obsync_tui.engine.mysql.reading import shut
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.store.mlog.catalog import current_scn, read_logs
from obsync_tui.engine.store.mlog.guard import Guard, open_logs
from obsync_tui.engine.store.mlog.ownership import owned_of
from obsync_tui.engine.store.mlog.poll import Poll
from obsync_tui.engine.store.mlog.purge import intent_of
from obsync_tui.engine.store.mlog.purging import Purging
from obsync_tui.engine.store.mlog.reading import LogReader
from obsync_tui.engine.store.mlog.rows import Transactions
from obsync_tui.engine.store.store import LogBatch
from obsync_tui.model.checkpoint import Record
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.position import Gtid, LogPosition, executed_scn, scn_executed
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName, TableVersion

_PAUSE_S, _LONG_PAUSE_S, _QUIET_S = 0.05, 1.0, 60.0
# How long the tenant rests between two polls, in times of the last one. Purged rows are passed over by every poll until
# OceanBase merges them away: polls of a busy table get longer, and a long rest would double its lag.
_BUSY_REST, _IDLE_REST = 0.5, 2.0
_READ_TIMEOUT_S = 600.0
_HEARTBEAT_S = 0.5


class ViewLogStore:
    """A tenant's view logs as batches; one instance serves one call of `batches`.

    `records` are the checkpoint's: whose the logs are, and a purge that was begun. `lost_lobs` are the tables whose LOB
    columns are not in their log. A log that holds `purge_rows` is purged, never of what `committed` has not told to be
    durable.
    """

    def __init__(
        self,
        source: OceanBaseSource,
        password: Secret,
        records: Iterable[Record],
        lost_lobs: frozenset[TableName],
        purge_rows: int,
    ) -> None:
        kept = tuple(records)
        self._source = source
        self._password = password
        self._where = f"data source {address(source)}"
        self._owned = owned_of(kept)
        self._intent = intent_of(kept)
        self._lost_lobs = lost_lobs
        self._purge_rows = purge_rows
        self._stopping = threading.Event()
        self._connections: list[pymysql.Connection] = []
        self._newest: pymysql.Connection | None = None
        self._committed_scn = 0

    def stop(self) -> None:
        """End `batches` within a second, from any thread and state."""
        self._stopping.set()
        for connection in tuple(self._connections):
            shut(connection)

    def committed(self, position: LogPosition) -> None:
        """A position, with the records of every batch up to it, is durable; from any thread."""
        self._committed_scn = executed_scn(position.executed)

    def newest_position(self) -> str:
        """The tenant's newest position, over a connection of its own."""
        try:
            if self._newest is None:
                self._newest = connect(self._source, self._password, read_timeout_s=10.0)
            return scn_executed(current_scn(self._newest, self._where))
        except SourceError:
            self._newest = None
            raise

    def batches(self, position: LogPosition, tables: tuple[TableVersion, ...]) -> Iterator[LogBatch]:
        """Connect, check that the logs hold what follows the position, and yield until stopped."""
        try:
            yield from self._follow(position, tables)
        except SourceError:
            if not self._stopping.is_set():
                raise
        finally:
            for connection in self._connections:
                connection._force_close()
        raise Stopped("the Store was stopped")

    def _connect(self, for_values: bool = False) -> pymysql.Connection:
        connection = connect(
            self._source,
            self._password,
            read_timeout_s=_READ_TIMEOUT_S,
            character_set_results_null=for_values,
        )
        self._connections = [*(one for one in self._connections if one.open), connection]
        return connection

    def _follow(self, position: LogPosition, tables: tuple[TableVersion, ...]) -> Iterator[LogBatch]:
        control = self._connect()
        last_scn = self._start(control, position)
        there = read_logs(control, self._where)
        logs = open_logs(control, self._owned, there, tables, self._lost_lobs, self._where)
        reader = LogReader(self._connect(for_values=True), logs, self._where, self._stopping)
        guard = Guard(control, logs, tables, self._where)
        purging = Purging(control, self._connect, reader, guard, logs, self._purge_rows, self._where)
        poll, transactions = Poll(reader, guard, logs, last_scn), Transactions(logs, self._where)
        if self._intent is not None and self._intent.scn <= last_scn:
            inside_scn = Gtid.parse(position.inside).gno if position.inside else 0
            yield from purging.rest(self._intent, inside_scn, poll, transactions)
        guard.check(poll.last_scn)
        poll.held = Counter(reader.counts(range(len(logs))))
        changed_s = monotonic()
        while not self._stopping.is_set():
            begun_s, held = monotonic(), poll.held.total()
            whole = yield from self._poll_once(control, poll, purging, transactions)
            now_s = monotonic()
            busy = not whole or poll.held.total() != held
            if busy:
                changed_s = now_s
            while not whole and not purging.is_over(_HEARTBEAT_S):
                yield LogBatch([], 0, time_ns() // 1000, True, False, 0, scn_executed(poll.last_scn))
            yield from purging.step(self._committed_scn, poll, transactions)
            if poll.caught_up:
                quiet = now_s - changed_s > _QUIET_S
                pause_s = max(_PAUSE_S, (now_s - begun_s) * (_BUSY_REST if busy else _IDLE_REST))
                self._stopping.wait(_LONG_PAUSE_S if quiet else pause_s)

    def _start(self, control: pymysql.Connection, position: LogPosition) -> int:
        now_scn = current_scn(control, self._where)
        try:
            scn = executed_scn(position.executed)
        except ValueError as error:
            scn, what = now_scn + 1, str(error)
        else:
            what = f"scn {scn} lies in the future of the tenant, which is at {now_scn}"
        if scn > now_scn:
            raise LogGap(
                f"the checkpoint holds a position that the source never had: {what}",
                where=self._where,
                cure="This is another tenant, or one restored to an earlier point. Point the data source to the right "
                "one, or decide with `obsync project gap`, or start over with `obsync project reset`.",
            )
        return scn

    def _poll_once(
        self, control: pymysql.Connection, poll: Poll, purging: Purging, transactions: Transactions
    ) -> Generator[LogBatch, None, bool]:
        """Give everything up to now; False when a purge that runs may have taken some of it."""
        upto_scn = current_scn(control, self._where)
        for bound_scn, expected in poll.bounds(upto_scn):
            rows = poll.rows(bound_scn, expected)
            if rows is None:
                return False
            last = bound_scn == upto_scn
            intent = purging.intent(poll, upto_scn) if last else None
            records = (intent.record,) if intent is not None else ()
            yield from transactions.batches(rows, poll.last_scn, bound_scn, not last, records)
            poll.last_scn = bound_scn
        return True

"""Asks the source now and then for its newest position and its clock, and whether its history is still the same."""

import threading
from collections.abc import Callable
from time import time

import pymysql

from obsync_tui.engine.errors import EngineError, LogGap
from obsync_tui.engine.metrics.meter import Meter
from obsync_tui.engine.mysql.connection import connect, where
from obsync_tui.engine.mysql.snapshot import RETENTION
from obsync_tui.engine.store.binlog.dump import check_history
from obsync_tui.model.datasource import MySQLSource
from obsync_tui.model.position import GtidSet
from obsync_tui.model.secret import Secret, SecretReference

_EVERY_S = 5.0


class Sampler:
    """One thread, one connection of its own; a source that does not answer only makes the figures old.

    `position` gives the GTID set that is committed now.
    """

    def __init__(
        self,
        source: MySQLSource,
        secrets: Callable[[SecretReference], Secret],
        meter: Meter,
        position: Callable[[], str],
    ) -> None:
        self._source = source
        self._secrets = secrets
        self._meter = meter
        self._position = position
        self._newest: GtidSet | None = None
        self._gap: LogGap | None = None
        self._connection: pymysql.Connection[pymysql.cursors.Cursor] | None = None

    def run(self, stopping: threading.Event) -> None:
        """Sample until stopped."""
        while not stopping.is_set():
            try:
                self._sample()
            except LogGap as error:
                self._gap = error
            except (EngineError, pymysql.Error, OSError, ValueError):
                # The run itself reports a source that is gone; here the ages of the figures tell.
                self._connection = None
            stopping.wait(_EVERY_S)
        if self._connection is not None:
            self._connection.close()

    def _sample(self) -> None:
        if self._connection is None:
            self._connection = connect(
                self._source, self._secrets(self._source.password), read_timeout_s=10.0
            )
        position = self._position()
        before = time()
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT UNIX_TIMESTAMP(NOW(6)), @@global.gtid_executed")
            row = cursor.fetchone()
            cursor.execute(RETENTION)
            limits = {str(name): int(value) for name, value in cursor.fetchall()}
        if row is None:
            return
        after = time()
        # Half of the round trip is the best guess of when the server looked at its clock.
        self._meter.clock_offset_s = float(row[0]) - (before + after) / 2
        self._newest = GtidSet.parse(str(row[1]))
        retention_s = limits.get("binlog_expire_logs_seconds") or limits.get("expire_logs_days", 0) * 86_400
        self._meter.purge_left_s = self._left_s(retention_s, float(row[0]))
        self._meter.behind_at_s = after
        check_history(GtidSet.parse(position), self._newest, where(self._source))

    def _left_s(self, retention_s: int, now_s: float) -> float | None:
        """When the source may purge what is not delivered yet, by its retention; None when it never does."""
        if not retention_s:
            return None
        delivered_us = self._meter.acknowledged_commit_us
        if self._meter.caught_up or not delivered_us:
            return float(retention_s)
        return max(0.0, delivered_us / 1e6 + retention_s - now_s)

    def check(self) -> None:
        """LogGap when the source was seen without transactions that are in the position.

        After RESET MASTER a dump under way goes on with heartbeats, as if nothing happened any more.
        """
        if self._gap is not None:
            raise self._gap

    def behind(self, position: str) -> int | None:
        """Transactions between a position and the source's newest, as of the last sample."""
        if self._newest is None or not position:
            return None
        return self._newest.missing_from(GtidSet.parse(position)).count()

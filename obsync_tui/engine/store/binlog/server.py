"""The server that a binlog is read from: MySQL, or ODP before a tenant of OceanBase that has Binlog Service."""

from collections.abc import Sequence

import pymysql

from obsync_tui.engine.errors import SourceUnfit
from obsync_tui.engine.full.keys import Key
from obsync_tui.engine.mysql import catalog as mysql_catalog
from obsync_tui.engine.mysql import connection as mysql_connection
from obsync_tui.engine.mysql.connection import query
from obsync_tui.engine.mysql.members import incomplete, with_members
from obsync_tui.engine.oceanbase import catalog as oceanbase_catalog
from obsync_tui.engine.oceanbase import connection as oceanbase_connection
from obsync_tui.engine.oceanbase.asof import Values, values_as_of
from obsync_tui.engine.store.binlog.history import SourceLog
from obsync_tui.engine.values.jsonbinary import MYSQL57, MYSQL80
from obsync_tui.model.datasource import OceanBaseSource, SqlSource
from obsync_tui.model.secret import Secret
from obsync_tui.model.table import TableName, TableVersion

_READ_TIMEOUT_S = 60.0


class BinlogServer:
    """Sessions on the server, and what it says of its log and its tables. Methods raise SourceError."""

    def __init__(self, source: SqlSource, password: Secret) -> None:
        self._source = source
        self._password = password
        self._reading: pymysql.Connection | None = None
        self.user = source.user
        self.oceanbase = isinstance(source, OceanBaseSource)
        self.where = f"data source {source.name} ({source.host}:{source.port})"

    def values_as_of(
        self, table: TableVersion, columns: tuple[int, ...], keys: Sequence[Key], scn: int
    ) -> dict[Key, Values] | None:
        """Columns of single rows as of an scn, over a connection kept for it; see `asof.values_as_of`."""
        source = self._source
        assert isinstance(source, OceanBaseSource)
        connection = self._reading or oceanbase_connection.connect(
            source, self._password, read_timeout_s=_READ_TIMEOUT_S, character_set_results_null=True
        )
        self._reading = None
        found = values_as_of(connection, table, columns, keys, scn, self.where)
        self._reading = connection
        return found

    def close(self) -> None:
        """Let go of that connection."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def connect(self, read_timeout_s: float | None = _READ_TIMEOUT_S) -> pymysql.Connection:
        """A session."""
        source = self._source
        if isinstance(source, OceanBaseSource):
            return oceanbase_connection.connect(source, self._password, read_timeout_s=read_timeout_s)
        return mysql_connection.connect(source, self._password, read_timeout_s=read_timeout_s)

    def log(self, connection: pymysql.Connection) -> SourceLog:
        """What the server says of its log; SourceUnfit when GTIDs are off."""
        if self.oceanbase:
            return read_service_log(connection, self.where)
        return read_source_log(connection, self.where)

    def table(self, connection: pymysql.Connection, name: TableName) -> TableVersion | None:
        """A table as the catalog has it, None when there is none of that name."""
        if self.oceanbase:
            return oceanbase_catalog.read_table(connection, name)
        table = mysql_catalog.read_table(connection, name)
        return None if table is None else with_members(connection, table)

    def named(self, connection: pymysql.Connection, table: str) -> list[TableName]:
        """The tables of that name in every database."""
        sql = "SELECT TABLE_SCHEMA FROM information_schema.TABLES WHERE TABLE_NAME = %s"
        return [TableName(str(row[0]), table) for row in query(connection, sql, (table,), where=self.where)]

    def completed(self, tables: tuple[TableVersion, ...]) -> tuple[TableVersion, ...]:
        """The tables with the members that MySQL's catalog could not print."""
        if self.oceanbase or not incomplete(tables):
            return tables
        with self.connect() as connection:
            return tuple(with_members(connection, table) for table in tables)


def read_source_log(connection: pymysql.Connection, where: str) -> SourceLog:
    """Ask a MySQL server for the variables one by one; SourceUnfit when GTIDs are off."""
    names = ("gtid_mode", "gtid_executed", "gtid_purged", "server_uuid", "binlog_checksum", "version")
    values = {name: _variable(connection, f"@@global.{name}", where) for name in names}
    if values["gtid_mode"].upper() != "ON":
        raise SourceUnfit(
            f"gtid_mode is {values['gtid_mode'] or 'unknown'}",
            where=where,
            cure="Set gtid_mode=ON and enforce_gtid_consistency=ON on the source.",
        )
    return SourceLog(
        values["gtid_executed"],
        values["gtid_purged"],
        values["server_uuid"],
        values["binlog_checksum"] == "CRC32",
        MYSQL57 if values["version"].startswith("5.") else MYSQL80,
        _lower_case(connection, where),
    )


def read_service_log(connection: pymysql.Connection, where: str) -> SourceLog:
    """Ask Binlog Service by ODP, which forwards only `SHOW MASTER STATUS` and some variables in this form.

    Source: the OceanBase reference, 1.3. Its events end in a CRC32.
    """
    rows = query(connection, "SHOW MASTER STATUS", where=where)
    if not rows or len(rows[0]) < 5 or _variable(connection, "@@gtid_mode", where).upper() != "ON":
        raise SourceUnfit(
            "Binlog Service has no log with GTIDs of this tenant",
            where=where,
            cure="Let its administrator run CREATE BINLOG FOR TENANT `<cluster>`.`<tenant>` … on it.",
        )
    return SourceLog(
        "".join(str(rows[0][4] or "").split()).lower(),
        _variable(connection, "@@gtid_purged", where).lower(),
        _variable(connection, "@@server_uuid", where),
        True,
        MYSQL57,
        _lower_case(connection, where),
    )


def _lower_case(connection: pymysql.Connection, where: str) -> bool:
    return _variable(connection, "@@lower_case_table_names", where) == "1"


def _variable(connection: pymysql.Connection, name: str, where: str) -> str:
    rows = query(connection, f"SELECT {name}", where=where)
    return str(rows[0][0]) if rows and rows[0][0] is not None else ""

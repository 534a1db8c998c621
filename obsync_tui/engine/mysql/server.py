"""A MySQL server's settings that decide whether its log can be followed, its clock, and its log's filters."""

import re
import time

import msgspec
import pymysql

from obsync_tui.engine.mysql.connection import query


class Variables(msgspec.Struct, frozen=True):
    """Global variables as SHOW prints them; those that a server does not know keep their default here."""

    version: str
    version_comment: str = ""
    log_bin: str = "OFF"
    binlog_format: str = ""
    binlog_row_image: str = "FULL"
    binlog_transaction_compression: str = "OFF"
    gtid_mode: str = "OFF"
    enforce_gtid_consistency: str = "OFF"
    sync_binlog: int = 1
    expire_logs_days: int = 0
    binlog_expire_logs_seconds: int = 0

    @property
    def number(self) -> tuple[int, ...]:
        """The version's numbers, `(8, 0, 15)`."""
        match = re.match(r"\d+(?:\.\d+)*", self.version)
        return tuple(int(part) for part in match[0].split(".")) if match else ()

    @property
    def product(self) -> str:
        """MySQL, MariaDB or OceanBase."""
        for name in ("MariaDB", "OceanBase"):
            if name.lower() in f"{self.version} {self.version_comment}".lower():
                return name
        return "MySQL"

    @property
    def retention_s(self) -> int:
        """How long binlog files are kept, in seconds; 0 is for ever."""
        return self.binlog_expire_logs_seconds or self.expire_logs_days * 86_400


class LogFilters(msgspec.Struct, frozen=True):
    """Databases that the server leaves out of its log: all but `only`, and those of `ignored`."""

    only: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def drops(self, database: str) -> bool:
        """Whether changes in the database can be missing from the log."""
        return database in self.ignored or (bool(self.only) and database not in self.only)


def read_variables(connection: pymysql.Connection) -> Variables:
    """The server's settings; raises SourceError."""
    names = ", ".join(f"'{name}'" for name in Variables.__struct_fields__)
    rows = query(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    return msgspec.convert({str(name).lower(): value for name, value in rows}, Variables, strict=False)


def read_log_filters(connection: pymysql.Connection) -> LogFilters:
    """The log's filters; needs REPLICATION CLIENT. Raises SourceError."""
    rows = query(connection, "SHOW MASTER STATUS")
    if not rows:
        return LogFilters()
    only, ignored = (
        frozenset(name.strip() for name in str(cell or "").split(",") if name.strip())
        for cell in rows[0][2:4]
    )
    return LogFilters(only, ignored)


def clock_offset_s(connection: pymysql.Connection) -> float:
    """How far the server's clock is ahead of this machine's, in seconds, half the round trip taken off."""
    before = time.time()
    theirs = float(str(query(connection, "SELECT UNIX_TIMESTAMP(NOW(6))")[0][0]))
    return theirs - (before + time.time()) / 2


def clock_us(connection: pymysql.Connection) -> int:
    """The server's clock in microseconds, UTC epoch."""
    whole, _, fraction = str(query(connection, "SELECT UNIX_TIMESTAMP(NOW(6))")[0][0]).partition(".")
    return int(whole) * 1_000_000 + int(fraction.ljust(6, "0")[:6])

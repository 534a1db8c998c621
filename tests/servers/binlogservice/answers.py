"""Statements that ODP forwards to Binlog Service, and its answers (reference 1.3, 1.8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.servers.binlogservice import events
from tests.servers.binlogservice.binlog import Binlog, BinlogFile, walk
from tests.servers.binlogservice.events import EventType
from tests.servers.binlogservice.packets import error, ok, packet, result_set

_VARIABLES = (
    "slave_uuid",
    "master_heartbeat_period",
    "master_binlog_checksum",
    "gtid_mode",
    "server_id",
    "server_uuid",
    "gtid_executed",
    "gtid_purged",
    "gtid_next",
    "gtid_owned",
    "enforce_gtid_consistency",
    "gtid_executed_compression_period",
    "binlog_gtid_simple_recovery",
    "binlog_gtid_recovery_ordinal",
    "binlog_gtid_recovery_ignore_duplicates",
)
_CONSTANTS = {
    "gtid_mode": "ON",
    "gtid_next": "AUTOMATIC",
    "gtid_owned": "",
    "enforce_gtid_consistency": "ON",
    "gtid_executed_compression_period": "1000",
    "binlog_gtid_simple_recovery": "ON",
    "binlog_gtid_recovery_ordinal": "0",
    "binlog_gtid_recovery_ignore_duplicates": "OFF",
}
_COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
_SHOW_VARIABLE = re.compile(
    r"SHOW\s+(?:GLOBAL\s+|SESSION\s+)?VARIABLES\s+LIKE\s+['\"](\w+)['\"]$", re.IGNORECASE
)
# Other forms, `@@global.` among them, go to the observer.
_SELECT_VARIABLE = re.compile(r"SELECT\s+@@?(\w+)(?:\s+AS\s+\S+)?$", re.IGNORECASE)
_SHOW_EVENTS = re.compile(
    r"SHOW\s+BINLOG\s+EVENTS(?:\s+IN\s+['\"]([^'\"]+)['\"])?(?:\s+FROM\s+(\d+))?"
    r"(?:\s+LIMIT\s+(?:(\d+)\s*,\s*)?(\d+))?$",
    re.IGNORECASE,
)
_PURGE_TO = re.compile(r"PURGE\s+(?:BINARY|MASTER)\s+LOGS\s+TO\s+['\"]([^'\"]+)['\"]", re.IGNORECASE)
_PURGE_BEFORE = re.compile(r"PURGE\s+(?:BINARY|MASTER)\s+LOGS\s+BEFORE\s+['\"]([^'\"]+)['\"]", re.IGNORECASE)
_POSITION_COLUMNS = ("File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set")
_EVENT_COLUMNS = ("Log_name", "Pos", "Event_type", "Server_id", "End_log_pos", "Info")
_SERVER_COLUMNS = ("cluster", "tenant", "ip", "port", "status", "cause")


def words_of(sql: str) -> str:
    """The statement without comments, blanks around it and a semicolon."""
    return _COMMENT.sub(" ", sql).strip().rstrip(";").strip()


@dataclass(frozen=True)
class Answers:
    """Answers for one tenant; `tenant` and `port` are what SHOW BINLOG SERVER tells."""

    binlog: Binlog
    tenant: str
    port: int

    def find(self, statement: str, settings: dict[str, str]) -> Callable[[], bytes] | None:
        """What answers the statement with packets; None when it is for the observer."""
        spaced = " ".join(statement.upper().split())
        for beginning, answer in self._plain().items():
            if spaced.startswith(beginning):
                return answer
        if match := _SHOW_EVENTS.match(statement):
            return lambda: self._events(*match.groups())
        if match := _PURGE_TO.match(statement):
            return lambda: self._purge_to(match[1])
        if match := _PURGE_BEFORE.match(statement):
            return lambda: self._purge_before(match[1])
        if (match := _SHOW_VARIABLE.match(statement)) and match[1].lower() in _VARIABLES:
            return lambda: self._shown(match[1], settings)
        if (match := _SELECT_VARIABLE.match(statement)) and match[1].lower() in _VARIABLES:
            # An alias is not honoured (reference 1.4).
            return lambda: result_set((f"@@{match[1]}",), [(self._value(match[1].lower(), settings),)])
        return None

    def _plain(self) -> dict[str, Callable[[], bytes]]:
        return {
            "SHOW MASTER STATUS": self._status,
            "SHOW BINARY LOGS": self._files,
            "SHOW MASTER LOGS": self._files,
            "SHOW BINLOG SERVER": self._server,
            "SHOW SLAVE STATUS": lambda: result_set(("Slave_IO_State",), ()),
            "FLUSH BINARY LOGS": self._flush,
            "RESET MASTER": self._reset,
        }

    def _status(self) -> bytes:
        newest = self.binlog.files[-1]
        executed = self.binlog.gtid_set(self.binlog.executed)
        return result_set(_POSITION_COLUMNS, [(newest.name, newest.size, "", "", executed)])

    def _files(self) -> bytes:
        return result_set(("Log_name", "File_size"), [(f.name, f.size) for f in self.binlog.files])

    def _server(self) -> bytes:
        return result_set(_SERVER_COLUMNS, [("obcluster", self.tenant, "127.0.0.1", self.port, "OK", "")])

    def _flush(self) -> bytes:
        self.binlog.rotate()
        return packet(1, ok())

    def _reset(self) -> bytes:
        self.binlog.reset()
        return packet(1, ok())

    def _purge_to(self, name: str) -> bytes:
        if not self.binlog.purge_to(name):
            return packet(1, error(1373, "Target log not found in binlog index"))
        return packet(1, ok())

    def _purge_before(self, moment: str) -> bytes:
        self.binlog.purge_before(int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()))
        return packet(1, ok())

    def _shown(self, name: str, settings: dict[str, str]) -> bytes:
        return result_set(("Variable_name", "Value"), [(name.lower(), self._value(name.lower(), settings))])

    def _value(self, name: str, settings: dict[str, str]) -> object:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name == "server_id":
            return self.binlog.server_id
        if name == "server_uuid":
            return self.binlog.server_uuid
        if name == "gtid_executed":
            return self.binlog.gtid_set(self.binlog.executed)
        if name == "gtid_purged":
            return self.binlog.gtid_set(self.binlog.purged)
        return settings.get(name)

    def _events(self, name: str | None, start: str | None, skip: str | None, limit: str | None) -> bytes:
        files = self.binlog.files
        entry = next((f for f in files if f.name == name), None) if name else files[0]
        if entry is None:
            return packet(
                1, error(1220, "Error when executing command SHOW BINLOG EVENTS: Could not find target log")
            )
        rows = [row for row in self._described(entry) if int(str(row[1])) >= int(start or 0)]
        first = int(skip or 0)
        return result_set(_EVENT_COLUMNS, rows[first : first + int(limit) if limit else None])

    def _described(self, entry: BinlogFile) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        at = events.FIRST_POSITION
        for event in walk(self.binlog.path(entry.name).read_bytes()[: entry.size]):
            kind = EventType(event[events.TYPE_AT])
            server = int.from_bytes(event[events.SERVER_ID_AT : events.SERVER_ID_AT + 4], "little")
            info = (
                event[events.HEADER_BYTES + 13 : -4].split(b"\0")[-1].decode(errors="replace")
                if kind == EventType.QUERY
                else ""
            )
            rows.append((entry.name, at, kind.name.title(), server, at + len(event), info))
            at += len(event)
        return rows

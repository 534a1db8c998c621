"""OceanBase's Binlog Service behind ODP, as a test starts and commands it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Self

import pymysql
from pymysql.cursors import Cursor

from tests.servers.binlogservice.control import ask
from tests.servers.oceanbase import OceanBaseServer
from tests.servers.process import Server, free_port

_ROOT = Path(__file__).parents[3]
_MAX_FILE_BYTES = 64 << 20
_PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from tests.servers.binlogservice.program import main; main()"


class BinlogService(Server):
    """ODP and Binlog Service in one process, in front of an OceanBase engine of its own; user root without password.

    Written from docs/oceanbase-cdc-reference.md alone: no real Binlog Service was at hand, and what passes here is no
    proof for one. `stop`, `kill` and `restart` are the service's; the engine and its data stay until `close`.
    """

    kind = "binlogservice"
    tenant = "sys"

    def __init__(self, *, max_file_bytes: int = _MAX_FILE_BYTES, ddl_database: bool = False) -> None:
        super().__init__()
        self.port = free_port()
        self.engine = OceanBaseServer()
        self._max_file_bytes = max_file_bytes
        self._ddl_database = ddl_database

    def _prepare(self) -> None:
        self.engine.start()

    def _command(self) -> list[str]:
        arguments = (
            self.directory,
            self.engine.port,
            self.port,
            self._max_file_bytes,
            int(self._ddl_database),
        )
        return [sys.executable, "-c", _PROGRAM, str(_ROOT), *map(str, arguments)]

    def _ready(self) -> bool:
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def connect(
        self, user: str = "root@sys#obcluster", password: str = "", database: str | None = None
    ) -> pymysql.Connection[Cursor]:
        """A connection by ODP in autocommit mode, utf8mb4."""
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
        )
        with connection.cursor() as cursor:
            cursor.execute("SET autocommit = 1")
        return connection

    def execute(self, *statements: str) -> None:
        """Run statements as root, one after the other."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def drain(self) -> str:
        """Wait until everything that is committed is in the binlog; the GTID set that is executed then."""
        return str(self._ask("drain"))

    def stall(self) -> None:
        """Keep dumps open and send nothing, not even heartbeats, until heal."""
        self._ask("fault", "stalled")

    def freeze(self) -> None:
        """Stop converting until heal: heartbeats go on with the time of the last event."""
        self._ask("freeze")

    def lag(self, seconds: float) -> None:
        """Convert so much later, until heal."""
        self._ask("lag", seconds)

    def cut_in_event(self) -> None:
        """Once: close the dump that sends the next row event in the middle of it."""
        self._ask("fault", "cut_in_event")

    def corrupt(self) -> None:
        """Once: send the next row event with a wrong CRC32."""
        self._ask("fault", "bad_crc")

    def refuse(self) -> None:
        """End dumps with error 1236, and answer new ones with it, until heal."""
        self._ask("fault", "refused")

    def update_json_in_part(self) -> None:
        """Write updates of JSON as PARTIAL_UPDATE_ROWS, as from version 4.2 on, until heal."""
        self._ask("partial_json")

    def lose(self) -> None:
        """Let ODP find no Binlog Service (-10102), until heal; SQL goes on."""
        self._ask("fault", "unreachable")

    def heal(self) -> None:
        """Take back every fault."""
        self._ask("heal")

    def restart_instance(self) -> None:
        """Restart the converter: dumps are cut, another file begins, table ids change, XIDs count from 1."""
        self._ask("restart_instance")

    def fail_over(self) -> None:
        """Go on as another instance: the same GTIDs under other file names, positions, table ids and server id."""
        self._ask("fail_over")

    def purge(self) -> None:
        """Forget every complete file."""
        self.drain()
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("FLUSH BINARY LOGS")
            cursor.execute("SHOW MASTER STATUS")
            newest = cursor.fetchone()
            assert newest is not None
            cursor.execute(f"PURGE BINARY LOGS TO '{newest[0]}'")

    @property
    def refused(self) -> dict[str, str]:
        """Tables whose changes are not in the binlog, as `database.table`, with the reason."""
        return dict(self._ask("refused"))

    def _ask(self, command: str, *arguments: object) -> Any:
        return ask(self.directory / "control", command, *arguments)

    def close(self) -> None:
        """End the service and its engine, and remove their data."""
        self.kill()
        self.engine.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return super().__enter__()

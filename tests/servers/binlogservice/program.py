"""The service's process: DIRECTORY ENGINE_PORT PORT MAX_FILE_BYTES DDL_DATABASE."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

from tests.servers.binlogservice.answers import Answers
from tests.servers.binlogservice.binlog import Binlog
from tests.servers.binlogservice.control import serve
from tests.servers.binlogservice.converter import Converter
from tests.servers.binlogservice.faults import Faults
from tests.servers.binlogservice.gate import Gate
from tests.servers.binlogservice.session import Service, Session


class Program:
    """Accepts clients and does what the control socket asks."""

    def __init__(
        self, directory: Path, engine_port: int, port: int, max_file_bytes: int, ddl_database: bool
    ) -> None:
        self._port = port
        self._gate = Gate()
        self._faults = Faults()
        self._binlog = Binlog(directory / "binlog", max_file_bytes)
        self._converter = Converter(engine_port, self._binlog, self._gate)
        self._service = Service(
            engine_port,
            self._binlog,
            self._converter,
            self._gate,
            self._faults,
            Answers(self._binlog, "sys", port),
            ddl_database,
        )
        threading.Thread(target=self._converter.run, daemon=True).start()
        serve(directory / "control", self._handlers())

    def _handlers(self) -> dict[str, object]:
        return {
            "drain": self._drain,
            "fault": self._fault,
            "heal": self._heal,
            "restart_instance": self._restart,
            "fail_over": self._fail_over,
            "lag": self._lag,
            "freeze": self._freeze,
            "partial_json": self._partial_json,
            "refused": lambda: self._converter.refused,
        }

    def _drain(self) -> str:
        self._converter.drain()
        return self._binlog.gtid_set(self._binlog.executed)

    def _fault(self, name: str) -> None:
        self._faults.set(name)
        with self._binlog.changed:
            self._binlog.changed.notify_all()

    def _heal(self) -> None:
        self._faults.heal()
        self._converter.lag_s = 0.0
        self._converter.frozen = False
        self._converter.partial_json = False
        self._converter.wake()

    def _restart(self) -> None:
        self._converter.forget_table_ids()
        self._binlog.restart()

    def _fail_over(self) -> None:
        self._converter.forget_table_ids()
        self._binlog.fail_over()

    def _lag(self, seconds: float) -> None:
        self._converter.lag_s = seconds

    def _freeze(self) -> None:
        self._converter.frozen = True

    def _partial_json(self) -> None:
        self._converter.partial_json = True

    def accept(self) -> None:
        """Serve clients for ever."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            session = Session(client, self._service)
        except OSError:
            client.close()
            return
        session.run()


def main() -> None:
    """Run until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    directory, engine_port, port, max_file_bytes, ddl_database = sys.argv[1:]
    # The binlog survives any end, so there is nothing to do in order.
    Program(Path(directory), int(engine_port), int(port), int(max_file_bytes), ddl_database == "1").accept()


if __name__ == "__main__":
    main()

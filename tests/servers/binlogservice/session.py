"""One client of ODP: its statements go to the engine, but those that Binlog Service answers."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.binlogservice.answers import Answers, words_of
from tests.servers.binlogservice.binlog import Binlog
from tests.servers.binlogservice.converter import Converter
from tests.servers.binlogservice.dump import Dump
from tests.servers.binlogservice.faults import Faults
from tests.servers.binlogservice.gate import Busy, Gate
from tests.servers.binlogservice.packets import ERROR, IN_TRANSACTION, Wire, error, ok, packet
from tests.servers.binlogservice.relay import Outcome, relay_answer
from tests.servers.binlogservice.statements import (
    Kind,
    conditional,
    extended,
    kind_of,
    names_in,
    started_database,
)

COM_QUIT, COM_INIT_DB, COM_QUERY = 0x01, 0x02, 0x03
COM_REGISTER_SLAVE, COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID = 0x15, 0x12, 0x1E
# Statistics, kill, ping, set option, reset: commands with an answer of one packet.
_SIMPLE = (0x09, 0x0C, 0x0E, 0x1B, 0x1F, COM_INIT_DB)
# LOCAL files, compression, TLS, OK packets in place of EOF: what the session does not follow is not offered.
_NOT_OFFERED = 0x80 | 0x20 | 0x800 | 0x1000000
_DDL_WAIT_S = 20.0
_NO_SERVICE = (-10102, "connect binlog service failed")
_USER_VARIABLE = re.compile(r"@(\w+)\s*:?=\s*(?:'([^']*)'|\"([^\"]*)\"|(@@[\w.]+)|(\d+))")


@dataclass(frozen=True)
class Service:
    """What all sessions share."""

    engine_port: int
    binlog: Binlog
    converter: Converter
    gate: Gate
    faults: Faults
    answers: Answers
    ddl_database: bool


class Session:
    """Serves one connection until its client has gone."""

    def __init__(self, client: socket.socket, service: Service) -> None:
        self._service = service
        self._client = Wire(client)
        self._engine = Wire(socket.create_connection(("127.0.0.1", service.engine_port)))
        self._settings: dict[str, str] = {}
        self._database = ""

    def run(self) -> None:
        """Serve; returns when either side has gone."""
        try:
            if self._log_in():
                while self._serve(self._client.read()[1]):
                    pass
        except OSError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Cut both sides."""
        for wire in (self._client, self._engine):
            try:
                wire.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            wire.socket.close()
        self._service.gate.leave(self)
        self._service.converter.wake()

    def _log_in(self) -> bool:
        """Let client and engine agree, under the user name that the engine knows."""
        number, greeting = self._engine.read()
        self._client.write(number, _reduced(greeting))
        number, answer = self._client.read()
        answer, self._database = _renamed(answer)
        self._engine.write(number, answer)
        while True:
            number, reply = self._engine.read()
            self._client.write(number, reply)
            if reply[0] in (0, ERROR):
                return reply[0] == 0
            number, answer = self._client.read()
            self._engine.write(number, answer)

    def _serve(self, command: bytes) -> bool:
        code = command[0]
        if code == COM_QUERY:
            self._query(command)
        elif code in _SIMPLE:
            outcome = self._pass(command)
            if code == COM_INIT_DB and outcome.succeeded:
                self._database = command[1:].decode()
        elif code == COM_REGISTER_SLAVE:
            self._of_service(lambda: packet(1, ok()))
        elif code in (COM_BINLOG_DUMP, COM_BINLOG_DUMP_GTID):
            if not self._service.faults.unreachable:
                Dump(self._client, self._service.binlog, self._service.faults, self._settings).run(command)
            return False
        elif code == COM_QUIT:
            return False
        else:
            self._client.write(1, error(1235, f"command {code} is not supported here"))
        return True

    def _of_service(self, answer: Callable[[], bytes]) -> None:
        if self._service.faults.unreachable:
            self._client.write(1, error(*_NO_SERVICE))
        else:
            self._client.socket.sendall(answer())

    def _query(self, command: bytes) -> None:
        statement = words_of(command[1:].decode(errors="surrogateescape"))
        if answer := self._service.answers.find(statement, self._settings):
            self._of_service(answer)
            return
        kind = kind_of(statement)
        if kind is Kind.SET:
            self._remember(statement)
        if kind is Kind.DDL:
            self._ddl(command, statement)
            return
        if kind is Kind.READ:
            outcome = self._pass(command)
        else:
            self._service.gate.enter(self)
            outcome = self._pass(command, to_the_end=True)
        if not self._status(outcome) & IN_TRANSACTION:
            self._service.gate.leave(self)
            if kind is Kind.WRITE:
                self._service.converter.wake()
        if outcome.succeeded:
            self._database = started_database(statement) or self._database

    def _status(self, outcome: Outcome) -> int:
        """The session's status flags; an error does not tell whether the transaction is still open."""
        if outcome.succeeded:
            return outcome.status
        self._engine.write(0, bytes([COM_QUERY]) + b"DO 0")
        return relay_answer(self._engine, lambda data: None).status

    def _remember(self, statement: str) -> None:
        """User variables are replayed to Binlog Service (reference 1.3)."""
        for name, single, double, system, number in _USER_VARIABLE.findall(statement):
            self._settings[name.lower()] = (
                "CRC32" if "binlog_checksum" in system.lower() else single or double or number
            )

    def _pass(self, command: bytes, *, to_the_end: bool = False) -> Outcome:
        """Let the engine answer a command; `to_the_end` waits for that though the client has gone."""
        self._engine.write(0, command)
        if not to_the_end:
            return relay_answer(self._engine, self._client.socket.sendall)
        answer: list[bytes] = []
        outcome = relay_answer(self._engine, answer.append)
        self._client.socket.sendall(b"".join(answer))
        return outcome

    def _ddl(self, command: bytes, statement: str) -> None:
        """Run a statement that view logs would block, and write it into the binlog between the rows before and after."""
        converter = self._service.converter
        held: list[bytes] = []
        try:
            with self._service.gate.held(self, _DDL_WAIT_S):
                # It commits what its own session has open.
                self._engine.write(0, bytes([COM_QUERY]) + b"COMMIT")
                relay_answer(self._engine, lambda data: None)
                converter.drain()
                converter.unfollow(names_in(statement))
                try:
                    if self._changed_tables(command, statement, held):
                        database = self._database if self._service.ddl_database else ""
                        converter.add_ddl(extended(statement), database)
                finally:
                    converter.follow_all()
        except Busy as reason:
            self._client.write(1, error(1205, f"Lock wait timeout exceeded: {reason}"))
            return
        finally:
            self._service.gate.leave(self)
        self._client.socket.sendall(b"".join(held))

    def _changed_tables(self, command: bytes, statement: str, answer: list[bytes]) -> bool:
        """Run a DDL statement; whether there is something to write into the binlog."""
        doubtful = conditional(statement)
        before = self._service.converter.objects() if doubtful else set()
        self._engine.write(0, command)
        outcome = relay_answer(self._engine, answer.append)
        return outcome.succeeded and not (doubtful and self._service.converter.objects() == before)


def _reduced(greeting: bytes) -> bytes:
    """The engine's greeting without what the session does not follow."""
    end = greeting.index(b"\0", 1)
    low = end + 1 + 4 + 8 + 1
    high = low + 2 + 1 + 2
    flags = int.from_bytes(greeting[low : low + 2] + greeting[high : high + 2], "little") & ~_NOT_OFFERED
    data = flags.to_bytes(4, "little")
    return greeting[:low] + data[:2] + greeting[low + 2 : high] + data[2:] + greeting[high + 2 :]


def _renamed(answer: bytes) -> tuple[bytes, str]:
    """The client's answer with the user alone of `user@tenant#cluster` or `cluster:tenant:user`, and its database."""
    flags = struct.unpack_from("<I", answer)[0] & ~_NOT_OFFERED
    end = answer.index(b"\0", 32)
    user = answer[32:end].split(b"@")[0].split(b":")[-1]
    rest = answer[end + 1 :]
    database = ""
    if flags & 0x8:
        size = rest[0]
        database = rest[1 + size :].split(b"\0")[0].decode()
    return struct.pack("<I", flags) + answer[4:32] + user + b"\0" + rest, database

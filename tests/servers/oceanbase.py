"""OceanBase's engine for tests: an embedded OceanBase that serves the MySQL protocol, in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Self

import pymysql
from pymysql.cursors import Cursor

from obsync_tui.demo.oceanbase import engine_command, require_engine
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.downloads import cached
from tests.servers.process import Server, free_port

RELEASE = "1.3.0"


class OceanBaseServer(Server):
    """The engine of OceanBase 4.3.5 (seekdb) with an empty database `test`, user root without password.

    It has SQL, flashback reads and view logs, and no Binlog Service. `tenant` is the one that root logs in to.
    With tls it offers TLS for 127.0.0.1 and localhost; certificates.ca is the authority to trust.
    """

    kind = "oceanbase"
    tenant = "sys"

    def __init__(self, *, tls: bool = False, empty: bool = False) -> None:
        super().__init__()
        self.port = free_port()
        self.data = self.directory / "data"
        self.certificates = make_certificates(self.directory / "certificates") if tls else None
        self._empty = empty

    def _prepare(self) -> None:
        require_engine()
        if not self._empty:
            # Two thirds of the time that the engine needs to make one.
            _copy(_prepared_data(), self.data)

    def start(self) -> Self:
        """Start the engine and return when it answers; raises ServerFailed with the end of its log."""
        if not self.running:
            super().start()
            if self.certificates:
                self._offer_tls(self.certificates)
        return self

    def _offer_tls(self, files: Certificates) -> None:
        wallet = self.data / "wallet"
        if wallet.exists():
            return
        wallet.mkdir()
        for source, name in (
            (files.ca, "ca.pem"),
            (files.server, "server-cert.pem"),
            (files.server_key, "server-key.pem"),
        ):
            shutil.copy(source, wallet / name)
        self.execute("ALTER SYSTEM SET ssl_client_authentication = 'True'")
        self._wait_ready()

    def _command(self) -> list[str]:
        return engine_command(self.data, self.port)

    def _log_end(self) -> str:
        engine = self.data / "log/seekdb.log"
        return super()._log_end() + (engine.read_text(errors="replace")[-3000:] if engine.exists() else "")

    def _ready(self) -> bool:
        try:
            with self.connect() as connection:
                # PyMySQL takes TLS where it is offered.
                secure: bool = connection._secure
        except pymysql.err.OperationalError:
            return False
        return secure or not (self.data / "wallet").exists()

    def connect(
        self, user: str = "root", password: str = "", database: str | None = None
    ) -> pymysql.Connection[Cursor]:
        """A connection in autocommit mode, utf8mb4."""
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
        )
        # The greeting does not tell that autocommit is on, so PyMySQL's own switch would not be sent.
        with connection.cursor() as cursor:
            cursor.execute("SET autocommit = 1")
        return connection

    def execute(self, *statements: str) -> None:
        """Run statements as root, one after the other."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", "--reflink=auto", "--sparse=always", str(source), str(target)], check=True)


def _prepared_data() -> Path:
    """A data directory that was opened and closed once, kept in the cache."""

    def make(directory: Path) -> None:
        with OceanBaseServer(empty=True) as server:
            server.stop()
            _copy(server.data, directory / "data")

    return cached(f"oceanbase-engine-{RELEASE}-data", make) / "data"

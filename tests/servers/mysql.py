"""MySQL 5.7.22 and 8.0.15 servers for tests."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pymysql
from pymysql.cursors import Cursor

from tests.servers.certificates import make_certificates
from tests.servers.downloads import MYSQL_PROGRAMS, cached, mysql_program
from tests.servers.process import Server, ServerFailed, free_port

MySQLVersion = Literal["5.7", "8.0"]


def _base_options(version: MySQLVersion, base: Path, data: Path) -> list[str]:
    options = [
        str(base / "bin/mysqld"),
        "--no-defaults",
        "--user=root",
        f"--basedir={base}",
        f"--datadir={data}",
    ]
    if version == "5.7":
        options.append(f"--lc-messages-dir={base / 'share'}")
    return options


def _initialised_data(version: MySQLVersion) -> Path:
    """A data directory just initialised, kept in the cache: copying it takes a tenth of the time of making it."""
    base = mysql_program(version)

    def make(directory: Path) -> None:
        command = [*_base_options(version, base, directory / "data"), "--initialize-insecure"]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode:
            raise ServerFailed(f"MySQL {version} could not make its data directory: {result.stdout[-3000:]}")
        # A server makes a new server_uuid when this file is absent; copies must not share one.
        (directory / "data/auto.cnf").unlink()

    return cached(f"mysql-{MYSQL_PROGRAMS[version].release}-data", make) / "data"


class MySQLServer(Server):
    """A MySQL with an empty data directory, binary log on, user root without password.

    With tls it offers TLS for 127.0.0.1 and localhost; certificates.ca is the authority to trust. Only 8.0 can:
    this build of 5.7 knows TLS 1.1 at most, which OpenSSL 3 refuses.
    options are further mysqld options ("--max-allowed-packet=64M"); they win over those given here.
    """

    kind = "mysql"

    def __init__(
        self,
        version: MySQLVersion = "5.7",
        options: Sequence[str] = (),
        *,
        tls: bool = False,
        gtid: bool = True,
    ) -> None:
        if tls and version == "5.7":
            raise ValueError("TLS needs MySQL 8.0: this build of 5.7 knows TLS 1.1 at most")
        super().__init__()
        self.version: MySQLVersion = version
        self.options = list(options)
        self.certificates = make_certificates(self.directory / "certificates") if tls else None
        self.gtid = gtid
        self.port = free_port()
        self.server_id = random.SystemRandom().randrange(1, 2**31)

    def _prepare(self) -> None:
        source = _initialised_data(self.version)
        subprocess.run(
            ["cp", "-r", "--reflink=auto", "--sparse=always", str(source), str(self.directory / "data")],
            check=True,
        )

    def _command(self) -> list[str]:
        command = _base_options(self.version, mysql_program(self.version), self.directory / "data")
        command += [
            f"--port={self.port}",
            f"--socket={self.directory / 'sock'}",
            f"--pid-file={self.directory / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--server-id={self.server_id}",
            "--log-bin=bin",
            "--binlog-format=row",
            "--character-set-server=utf8mb4",
            "--secure-file-priv=",
            # Enough to survive a killed process; only a failing machine could lose what these leave unsynced.
            "--innodb-flush-log-at-trx-commit=2",
            "--sync-binlog=0",
        ]
        if self.gtid:
            command += ["--gtid-mode=on", "--enforce-gtid-consistency"]
        if self.version == "8.0":
            command += ["--mysqlx=0", "--default-authentication-plugin=mysql_native_password"]
        if self.certificates:
            files = self.certificates
            command += [f"--ssl-ca={files.ca}", f"--ssl-cert={files.server}", f"--ssl-key={files.server_key}"]
        else:
            command.append("--skip-ssl")
        return command + self.options

    def _ready(self) -> bool:
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True

    def connect(
        self, user: str = "root", password: str = "", database: str | None = None
    ) -> pymysql.Connection[Cursor]:
        """A connection in autocommit mode, utf8mb4."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def execute(self, *statements: str) -> None:
        """Run statements as root, one after the other."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

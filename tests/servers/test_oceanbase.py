"""The OceanBase engine does what the other tests rely on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pymysql
import pytest

from tests.servers import OceanBaseServer


def rows(server: OceanBaseServer, statement: str) -> tuple[tuple[object, ...], ...]:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_the_engine_keeps_its_data_through_kill_and_restart(
    new_oceanbase: Callable[..., OceanBaseServer],
) -> None:
    server = new_oceanbase()
    port = server.port
    server.execute("CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)")
    server.kill()
    assert not server.running
    with pytest.raises(pymysql.err.OperationalError):
        server.connect()
    server.start()
    server.execute("INSERT INTO d.t VALUES (2)")
    server.pause()
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=port, user="root", connect_timeout=1, read_timeout=1)
    server.resume()
    server.restart()
    assert server.port == port
    assert rows(server, "SELECT a FROM d.t ORDER BY a") == ((1,), (2,))


def test_two_engines_share_nothing(
    oceanbase: OceanBaseServer, new_oceanbase: Callable[..., OceanBaseServer]
) -> None:
    other = new_oceanbase(tls=True)
    other.execute("CREATE DATABASE only_here")
    assert rows(oceanbase, "SHOW DATABASES LIKE 'only_here'") == ()
    assert other.certificates is not None
    other.restart()
    pymysql.connect(
        host="127.0.0.1",
        port=other.port,
        user="root",
        ssl_ca=str(other.certificates.ca),
        ssl_verify_identity=True,
    ).close()


def test_it_is_the_engine_of_an_oceanbase_tenant(oceanbase: OceanBaseServer) -> None:
    assert rows(oceanbase, "SELECT OB_VERSION(), @@autocommit") == (("4.3.5.3", 1),)
    oceanbase.execute(
        "DROP DATABASE IF EXISTS engine",
        "CREATE DATABASE engine",
        "CREATE TABLE engine.t (a INT PRIMARY KEY)",
    )
    ((before,),) = rows(oceanbase, "SELECT CURRENT_SCN()")
    oceanbase.execute("INSERT INTO engine.t VALUES (1)")
    assert rows(oceanbase, f"SELECT * FROM engine.t AS OF SNAPSHOT {before}") == ()
    assert rows(oceanbase, "SELECT * FROM engine.t AS OF SNAPSHOT CURRENT_SCN()") == ((1,),)
    oceanbase.execute("DROP DATABASE engine")


def test_the_engine_is_gone_with_a_killed_owner() -> None:
    program = (
        "import time; from tests.servers import OceanBaseServer; s = OceanBaseServer().start();"
        " print(s.pid, s.directory, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        pid, directory = owner.stdout.readline().split()
        assert Path(f"/proc/{pid}").exists()
    finally:
        owner.kill()
        owner.wait()
    while Path(f"/proc/{pid}").exists() or Path(directory).exists():
        time.sleep(0.05)  # the run's timeout ends this

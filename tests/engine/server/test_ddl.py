"""The statement that makes a table, through a real engine from real sources; what it says when there is none to give."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from obsync_tui.api import operations as op
from obsync_tui.api.errors import RemoteError
from obsync_tui.api.requests import Ddl
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.project import Objects
from obsync_tui.model.views import TableDdl
from tests.engine.resident import ResidentEngine
from tests.servers import FaultProxy, MySQLServer, OceanBaseServer

HOSTILE = "t`able\x1b[31m"


@pytest.fixture(scope="module")
def database(mysql80: MySQLServer, oceanbase: OceanBaseServer) -> Iterator[str]:
    """A database of that name on both servers."""
    name = f"d{uuid.uuid4().hex[:8]}"
    mysql80.execute(
        f"CREATE DATABASE {name}",
        f"CREATE TABLE {name}.item (id INT PRIMARY KEY, name VARCHAR(40) CHARACTER SET gbk COMMENT '订单 \x1b[31m', KEY k (name))",
    )
    oceanbase.execute(
        f"CREATE DATABASE {name}",
        f"CREATE TABLE {name}.t (id INT PRIMARY KEY, n INT, KEY k (n)) PARTITION BY HASH (id) PARTITIONS 2",
    )
    yield name
    for server in (mysql80, oceanbase):
        server.execute(f"DROP DATABASE {name}")


@pytest.fixture(scope="module")
def proxy(mysql80: MySQLServer) -> Iterator[FaultProxy]:
    with FaultProxy(mysql80.port) as made:
        yield made


@pytest.fixture(scope="module")
def engine(
    tmp_path_factory: pytest.TempPathFactory, database: str, proxy: FaultProxy, oceanbase: OceanBaseServer
) -> Iterator[ResidentEngine]:
    """An engine that waits for a source's answer 1 s, with the projects `orders` and `tenant`."""
    patched = "from obsync_tui.engine.service import components; components._DDL_TIMEOUT_S = 1.0"
    with closing(ResidentEngine(tmp_path_factory.mktemp("d") / "h", before=patched)) as made:
        made.sources(proxy.port)
        made.files.write_source(OceanBaseSource("tenant", "127.0.0.1", "root@sys", oceanbase.port))
        made.project("orders", objects=Objects((f"{database}.*",), (f"{database}.secret*",)))
        made.project("tenant", source="tenant", objects=Objects((f"{database}.*",)))
        made.start()
        yield made


def refused(engine: ResidentEngine, table: str, project: str = "orders") -> RemoteError:
    with pytest.raises(RemoteError) as found:
        engine.call(op.DDL, Ddl(project, table))
    return found.value


def test_mysql_s_statement_as_it_prints_it(
    engine: ResidentEngine, mysql80: MySQLServer, database: str
) -> None:
    with mysql80.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"SHOW CREATE TABLE {database}.item")
        (_, printed) = cursor.fetchone()
        cursor.execute(f"CREATE TABLE {database}.`{HOSTILE.replace('`', '``')}` (id INT PRIMARY KEY)")
    assert engine.call(op.DDL, Ddl("orders", f"{database}.item")) == TableDdl(
        database, "item", "shop", printed
    )
    assert "订单 \x1b[31m" in printed
    assert engine.call(op.DDL, Ddl("orders", f"{database}.{HOSTILE}")).text.startswith(
        "CREATE TABLE `t``able\x1b[31m` ("
    )
    shown = engine.command("project", "ddl", "orders", f"{database}.item")
    assert shown.stdout == printed.replace("\x1b", r"\x1b") + ";\n"
    assert json.loads(engine.command("project", "ddl", "orders", f"{database}.item", "--json").stdout) == {
        "database": database, "table": "item", "source": "shop", "text": printed,
    }  # fmt: skip


def test_what_is_not_there_or_not_the_project_s_is_said(
    engine: ResidentEngine, proxy: FaultProxy, database: str
) -> None:
    gone = refused(engine, f"{database}.gone")
    assert (gone.code, gone.status) == ("ConfigError", 404)
    assert gone.what == f"the source has no table {database}.gone now"
    assert gone.where == f"shop (127.0.0.1:{proxy.port})" and "obsync project events orders" in gone.cure
    foreign = refused(engine, f"{database}.secrets")
    assert foreign.status == 404 and f"Name one that its rules match: {database}.*" in foreign.cure
    assert refused(engine, "item").cure == "Write DATABASE.TABLE."
    said = engine.command("project", "ddl", "orders", f"{database}.gone", code=3).stderr
    assert said == f"obsync: {gone.where}: {gone.what}. {gone.cure}\n"


def test_a_source_that_is_away_is_said_and_waited_for_so_long_only(
    engine: ResidentEngine, proxy: FaultProxy, database: str
) -> None:
    assert engine.call(op.DDL, Ddl("orders", f"{database}.item")).table == "item"
    proxy.stall()
    began_s = time.monotonic()
    silent = refused(engine, f"{database}.item")
    assert 1.0 <= time.monotonic() - began_s < 8.0, "not the driver's limit of ten seconds"
    assert (silent.code, silent.is_retryable) == ("SourceUnreachable", True)
    assert silent.where == f"shop (127.0.0.1:{proxy.port})" and "obsync source test shop" in silent.cure
    proxy.heal()
    proxy.refuse()
    away = refused(engine, f"{database}.item")
    proxy.heal()
    assert away.code == "SourceUnreachable" and "Check that the server runs" in away.cure


def test_oceanbase_s_statement_with_all_of_its_options(engine: ResidentEngine, database: str) -> None:
    text = engine.call(op.DDL, Ddl("tenant", f"{database}.t")).text
    assert text.startswith("CREATE TABLE `t` (") and "partition by hash(id)" in text
    assert "TABLET_SIZE" in text, "what MySQL would not understand is not left out"
    gone = refused(engine, f"{database}.gone", "tenant")
    assert gone.what == f"the source has no table {database}.gone now"

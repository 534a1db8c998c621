"""A database of its own on the engine, and sessions in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pymysql
import pytest

from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.model.datasource import OceanBaseSource
from obsync_tui.model.secret import Secret
from tests.servers import OceanBaseServer

Connect = Callable[..., pymysql.Connection]


def source(server: OceanBaseServer, user: str = "root@sys") -> OceanBaseSource:
    return OceanBaseSource("ob1", "127.0.0.1", user, server.port)


@pytest.fixture
def database(oceanbase: OceanBaseServer) -> Iterator[str]:
    name = f"db_{uuid4().hex[:8]}"
    oceanbase.execute(f"CREATE DATABASE {name} DEFAULT CHARACTER SET utf8mb4")
    yield name
    oceanbase.execute(f"DROP DATABASE {name}")


@pytest.fixture
def account(oceanbase: OceanBaseServer) -> Iterator[str]:
    """A user without rights, password `x`."""
    name = f"u_{uuid4().hex[:8]}"
    oceanbase.execute(f"CREATE USER {name} IDENTIFIED BY 'x'")
    yield name
    oceanbase.execute(f"DROP USER {name}")


@pytest.fixture
def session(oceanbase: OceanBaseServer) -> Iterator[pymysql.Connection]:
    # As Full-Import connects: the catalog must read the same under it.
    with connect(
        source(oceanbase), Secret(""), read_timeout_s=60, character_set_results_null=True
    ) as connection:
        yield connection


@pytest.fixture(scope="session")
def numbers(oceanbase: OceanBaseServer) -> None:
    """A table `numbers.seq` of 0..999."""
    oceanbase.execute(
        "CREATE DATABASE IF NOT EXISTS numbers",
        "CREATE TABLE IF NOT EXISTS numbers.seq (n INT PRIMARY KEY)",
        "REPLACE INTO numbers.seq VALUES " + ",".join(f"({n})" for n in range(1000)),
    )

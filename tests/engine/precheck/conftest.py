"""The servers that a precheck runs on."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.engine.precheck.project import Setup
from tests.servers import KafkaBroker, MySQLServer


@pytest.fixture(params=["mysql57", "mysql80"])
def setup(request: pytest.FixtureRequest, kafka: KafkaBroker, tmp_path: Path) -> Iterator[Setup]:
    server: MySQLServer = request.getfixturevalue(request.param)
    database = f"pre{uuid4().hex[:8]}"
    server.execute(
        f"CREATE DATABASE {database}", f"CREATE TABLE {database}.orders (id INT PRIMARY KEY, note VARCHAR(9))"
    )
    yield Setup(server, kafka, database, tmp_path / "state")
    server.execute(f"DROP DATABASE {database}")

"""A database of the test's own on Binlog Service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import BinlogService
from tests.servers.servicelog import Database


@pytest.fixture
def database(binlog_service: BinlogService) -> Iterator[Database]:
    yield Database(binlog_service)
    binlog_service.heal()

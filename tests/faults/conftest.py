"""obsync in a home below the test's directory, and a bank to run it on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from obsync_tui.model.datasource import MySQLSource, SqlSource
from obsync_tui.model.secret import SecretReference
from tests.faults.banks import bank_of
from tests.faults.installation import PASSWORD, Installation
from tests.faults.workload import Workload
from tests.servers import BinlogService, KafkaBroker, MySQLServer, OceanBaseServer

AnyServer = MySQLServer | OceanBaseServer | BinlogService
Install = Callable[..., Installation]
Bank = Callable[..., Workload]
_NUMBERS = itertools.count(1)


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """install(source, bootstrap, user="root", project_id=""): a home; a port as source is MySQL's. What runs in it ends with the test."""
    with ExitStack() as stack:
        count = itertools.count(1)

        def make(
            source: int | SqlSource, bootstrap: str, user: str = "root", project_id: str = ""
        ) -> Installation:
            home = tmp_path / f"home{next(count)}"
            if isinstance(source, int):
                password = SecretReference("" if user == "root" else "env:SHOP_PASSWORD")
                source = MySQLSource("shop", "127.0.0.1", user, source, password)
            return stack.enter_context(closing(Installation(home, source, bootstrap, project_id)))

        yield make


@pytest.fixture
def bank() -> Iterator[Bank]:
    """bank(server, seed=, rows=): a workload in a database of its own; its writers end with the test."""
    with ExitStack() as stack:

        def make(server: AnyServer, *, seed: int = 1, rows: int = 600) -> Workload:
            return stack.enter_context(
                Workload(bank_of(server), f"bank{next(_NUMBERS)}", seed=seed, rows=rows)
            )

        yield make


def eight_partitions(kafka: KafkaBroker, workload: Workload) -> None:
    """Make one table's topic beforehand, with more partitions than the project would give it."""
    kafka.create_topic(f"{workload.database}_spread", 8)


RIGHTS = "SELECT, RELOAD, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT"


def reader(server: MySQLServer, rights: str = RIGHTS, password: str = PASSWORD) -> str:
    """Make the user `obsync` with these rights on everything."""
    server.execute(
        "DROP USER IF EXISTS obsync@'%'",
        f"CREATE USER obsync@'%' IDENTIFIED BY '{password}'",
        f"GRANT {rights} ON *.* TO obsync@'%'",
    )
    return "obsync"

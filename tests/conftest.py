"""Servers as fixtures: shared ones for a whole run, and factories for tests that break theirs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.servers import (
    BinlogService,
    FaultProxy,
    KafkaBroker,
    MySQLServer,
    OceanBaseServer,
    SecuredKafkaBroker,
)


def pytest_configure(config: pytest.Config) -> None:
    """Hear signals, and let what tests start hear them, also where the run was started with them ignored (nohup, &)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """The file mode mask of a person's shell: a command that runs in this process sets its own."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def mysql57() -> Iterator[MySQLServer]:
    """A MySQL 5.7 shared by the run: use databases of your own, leave it running."""
    with MySQLServer("5.7") as server:
        yield server


@pytest.fixture(scope="session")
def mysql80() -> Iterator[MySQLServer]:
    """A MySQL 8.0 shared by the run: use databases of your own, leave it running."""
    with MySQLServer("8.0") as server:
        yield server


@pytest.fixture(scope="session")
def oceanbase() -> Iterator[OceanBaseServer]:
    """OceanBase's engine shared by the run: use databases of your own, leave it running."""
    with OceanBaseServer() as server:
        yield server


@pytest.fixture(scope="session")
def binlog_service() -> Iterator[BinlogService]:
    """Binlog Service before an engine of its own, shared by the run: use databases of your own, leave it running."""
    with BinlogService() as server:
        yield server


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """A plain Kafka broker shared by the run: use topics of your own, leave it running."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[SecuredKafkaBroker]:
    """A broker with passwords, TLS and access rights, shared by the run: use topics of your own, leave it running."""
    with SecuredKafkaBroker() as broker:
        yield broker


@pytest.fixture
def new_mysql() -> Iterator[Callable[..., MySQLServer]]:
    """new_mysql(version, options, tls=, gtid=): a started MySQL of this test's own, removed at its end."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(MySQLServer(*args, **kwargs))


@pytest.fixture
def new_oceanbase() -> Iterator[Callable[..., OceanBaseServer]]:
    """new_oceanbase(tls=): a started engine of this test's own, removed at its end."""
    with ExitStack() as stack:
        yield lambda **kwargs: stack.enter_context(OceanBaseServer(**kwargs))


@pytest.fixture
def new_kafka() -> Iterator[Callable[..., KafkaBroker]]:
    """new_kafka(properties, num_partitions=, auto_create_topics=): a started broker of this test's own, removed at its end."""
    with ExitStack() as stack:
        yield lambda *args, **kwargs: stack.enter_context(KafkaBroker(*args, **kwargs))


@pytest.fixture
def new_proxy() -> Iterator[Callable[[int], FaultProxy]]:
    """new_proxy(port): a fault proxy in front of a server's port, closed at the test's end."""
    with ExitStack() as stack:
        yield lambda port: stack.enter_context(FaultProxy(port))

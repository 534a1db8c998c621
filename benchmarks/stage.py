"""The servers of one case, with an obsync and a load connection on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from benchmarks.product import Product
from benchmarks.workload import TEN, Load, Shape
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer

# Data stays in memory: the disk is not what is compared.
MYSQL_OPTIONS = ("--innodb-buffer-pool-size=1G", "--max-allowed-packet=64M")


class Stage(NamedTuple):
    """What a case works with."""

    mysql: MySQLServer
    kafka: KafkaBroker
    product: Product
    load: Load


@contextmanager
def stage(shape: Shape = TEN) -> Iterator[Stage]:
    """Servers of the case's own, empty at its start and gone at its end."""
    with ExitStack() as stack:
        mysql = stack.enter_context(MySQLServer("5.7", MYSQL_OPTIONS))
        kafka = stack.enter_context(KafkaBroker())
        product = stack.enter_context(Product(mysql, kafka))
        load = Load(mysql, shape)
        stack.callback(load.close)
        yield Stage(mysql, kafka, product, load)


def tell(text: str) -> None:
    """Say on standard error what is going on."""
    print(f"  {text}", file=sys.stderr, flush=True)

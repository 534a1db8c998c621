"""Real MySQL and Kafka servers on 127.0.0.1, started in seconds and gone with the process that started them."""

from tests.servers.consume import Record, consume_all
from tests.servers.kafka import KafkaBroker
from tests.servers.mysql import MySQLServer, MySQLVersion
from tests.servers.process import Server, ServerFailed, free_port

__all__ = [
    "KafkaBroker",
    "MySQLServer",
    "MySQLVersion",
    "Record",
    "Server",
    "ServerFailed",
    "consume_all",
    "free_port",
]

"""Real MySQL, OceanBase and Kafka servers on 127.0.0.1, started in seconds and gone with the process that started them."""

from tests.servers.binlogservice.service import BinlogService
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.consume import Record, consume_all
from tests.servers.kafka import KafkaBroker
from tests.servers.kafka_secured import SecuredKafkaBroker
from tests.servers.mysql import MySQLServer, MySQLVersion
from tests.servers.oceanbase import OceanBaseServer
from tests.servers.process import Server, ServerFailed, free_port
from tests.servers.proxy import FaultProxy

__all__ = [
    "BinlogService",
    "Certificates",
    "FaultProxy",
    "KafkaBroker",
    "MySQLServer",
    "MySQLVersion",
    "OceanBaseServer",
    "Record",
    "SecuredKafkaBroker",
    "Server",
    "ServerFailed",
    "consume_all",
    "free_port",
    "make_certificates",
]

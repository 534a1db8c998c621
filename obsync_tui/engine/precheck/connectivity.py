"""Whether a data source can be reached and logged in to, and whether its clock agrees with this machine's."""

from collections.abc import Iterable

import msgspec
import pymysql

from obsync_tui.engine.mysql.connection import connect
from obsync_tui.engine.mysql.server import clock_offset_s, read_variables
from obsync_tui.engine.oceanbase import connection as oceanbase
from obsync_tui.engine.oceanbase.version import read_version
from obsync_tui.engine.precheck.destination import check_cluster
from obsync_tui.engine.precheck.model import Check, CheckResult, Subject, run_checks
from obsync_tui.engine.precheck.oceanbase import check_version as check_oceanbase_version
from obsync_tui.engine.precheck.source_server import check_clock, check_version
from obsync_tui.engine.sinks.kafka.client import SecretResolver, client_properties, where
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, OceanBaseSource, SqlSource

_LIMIT_S = 60.0


def test_source(
    source: DataSource, secrets: SecretResolver, *, limit_s: float = _LIMIT_S
) -> list[CheckResult]:
    """Connect to a data source and say what answered; nothing is raised, a failure is a result.

    No answer is waited for longer than `limit_s` seconds, nor the connection longer than the data source says.
    """
    subject = Subject(source.name)

    def ask() -> Iterable[CheckResult]:
        if isinstance(source, KafkaSource):
            return _test_kafka(subject, source, secrets, limit_s)
        patient = msgspec.structs.replace(source, connect_timeout_s=min(source.connect_timeout_s, limit_s))
        if isinstance(patient, MySQLSource):
            return _test_mysql(subject, patient, secrets, limit_s)
        return _test_oceanbase(subject, patient, secrets, limit_s)

    return run_checks(subject, [Check("connection", ask)])


def _test_mysql(
    subject: Subject, source: MySQLSource, secrets: SecretResolver, limit_s: float
) -> list[CheckResult]:
    with connect(source, secrets(source.password), read_timeout_s=limit_s) as connection:
        version = check_version(subject, read_variables(connection))
        return _answered(subject, source, version, connection)


def _test_oceanbase(
    subject: Subject, source: OceanBaseSource, secrets: SecretResolver, limit_s: float
) -> list[CheckResult]:
    with oceanbase.connect(source, secrets(source.password), read_timeout_s=limit_s) as connection:
        version = check_oceanbase_version(subject, read_version(connection))
        return _answered(subject, source, version, connection)


def _answered(
    subject: Subject, source: SqlSource, version: CheckResult, connection: pymysql.Connection
) -> list[CheckResult]:
    connected = subject.passed("connection", f"{source.host}:{source.port} as {source.user}")
    return [connected, version, check_clock(subject, clock_offset_s(connection))]


def _test_kafka(
    subject: Subject, source: KafkaSource, secrets: SecretResolver, limit_s: float
) -> list[CheckResult]:
    cluster = Cluster(client_properties(source, secrets), where(source), timeout_s=limit_s)
    return [check_cluster(subject, cluster)]

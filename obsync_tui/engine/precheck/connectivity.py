"""Whether a data source can be reached and logged in to."""

from collections.abc import Iterable

from obsync_tui.engine.mysql.connection import connect
from obsync_tui.engine.mysql.server import read_variables
from obsync_tui.engine.oceanbase import connection as oceanbase
from obsync_tui.engine.oceanbase.version import read_version
from obsync_tui.engine.precheck.destination import check_cluster
from obsync_tui.engine.precheck.model import Check, CheckResult, Subject, run_checks
from obsync_tui.engine.precheck.oceanbase import check_version as check_oceanbase_version
from obsync_tui.engine.precheck.source_server import check_version
from obsync_tui.engine.sinks.kafka.client import SecretResolver, client_properties, where
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, OceanBaseSource

_READ_TIMEOUT_S = 60.0


def test_source(source: DataSource, secrets: SecretResolver) -> list[CheckResult]:
    """Connect to a data source and say what answered; nothing is raised, a failure is a result."""
    subject = Subject(source.name)

    def ask() -> Iterable[CheckResult]:
        if isinstance(source, MySQLSource):
            return _test_mysql(subject, source, secrets)
        if isinstance(source, OceanBaseSource):
            return _test_oceanbase(subject, source, secrets)
        return _test_kafka(subject, source, secrets)

    return run_checks(subject, [Check("connection", ask)])


def _test_mysql(subject: Subject, source: MySQLSource, secrets: SecretResolver) -> list[CheckResult]:
    with connect(source, secrets(source.password), read_timeout_s=_READ_TIMEOUT_S) as connection:
        connected = subject.passed("connection", f"{source.host}:{source.port} as {source.user}")
        return [connected, check_version(subject, read_variables(connection))]


def _test_oceanbase(subject: Subject, source: OceanBaseSource, secrets: SecretResolver) -> list[CheckResult]:
    with oceanbase.connect(source, secrets(source.password), read_timeout_s=_READ_TIMEOUT_S) as connection:
        connected = subject.passed("connection", f"{source.host}:{source.port} as {source.user}")
        return [connected, check_oceanbase_version(subject, read_version(connection))]


def _test_kafka(subject: Subject, source: KafkaSource, secrets: SecretResolver) -> list[CheckResult]:
    return [check_cluster(subject, Cluster(client_properties(source, secrets), where(source)))]

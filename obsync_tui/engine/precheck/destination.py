"""Checks of a Kafka cluster as a whole: reachable, and ready for transactions."""

from collections.abc import Mapping

from confluent_kafka import KafkaException, Producer

from obsync_tui.engine.errors import EngineError, SinkRefused
from obsync_tui.engine.precheck.model import CheckResult, Subject, listed
from obsync_tui.engine.precheck.topics import acl
from obsync_tui.engine.sinks.kafka.client import ClientProperties, translate, where
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.project import Guarantee, Project

_PROBE_TIMEOUT_S = 30.0


def check_cluster(subject: Subject, cluster: Cluster) -> CheckResult:
    """The brokers answer, and the user may log in."""
    brokers = cluster.brokers()
    return subject.passed("connection", f"{len(brokers)} brokers: {listed(brokers)}")


def check_transactions(
    subject: Subject, project: Project, destination: KafkaSource, properties: Mapping[str, ClientProperties]
) -> CheckResult:
    """The brokers let the user open transactions.

    The probe's transactional id begins with the project's, so that a right by prefix covers both, and is another one,
    so that a running instance is not fenced.
    """
    item = "transactions"
    if project.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
        return subject.passed(item, "not used: delivery is at-least-once")
    prefix = f"obsync.{project.id}"
    try:
        producer = Producer(
            {
                **properties,
                "transactional.id": f"{prefix}.probe",
                "transaction.timeout.ms": project.delivery.transaction_timeout_s * 1000,
            }
        )
        producer.init_transactions(_PROBE_TIMEOUT_S)
    except KafkaException as error:
        failure = translate(error, where(destination))
        return subject.failed(item, failure.what, _cure(failure, destination, prefix))
    return subject.passed(item, "allowed")


def _cure(failure: EngineError, destination: KafkaSource, prefix: str) -> str:
    if isinstance(failure, SinkRefused) and "AUTHORIZATION" in failure.what:
        command = acl(destination, "--transactional-id", prefix, "Write", "Describe")
        return f"{command} --resource-pattern-type prefixed"
    instead = 'Or set guarantee = "at-least-once" under [delivery].'
    return f"{failure.cure} {instead}" if failure.cure else instead

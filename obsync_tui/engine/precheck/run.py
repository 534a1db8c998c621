"""The precheck of a project."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from obsync_tui.engine.errors import EngineError
from obsync_tui.engine.precheck import destination as cluster_checks
from obsync_tui.engine.precheck import local
from obsync_tui.engine.precheck import topics as topic_checks
from obsync_tui.engine.precheck.model import Check, CheckResult, Outcome, Subject, run_checks
from obsync_tui.engine.precheck.oceanbase import OceanBaseChecks
from obsync_tui.engine.precheck.source import SourceChecks
from obsync_tui.engine.sinks.kafka.checkpoint import checkpoint_topic
from obsync_tui.engine.sinks.kafka.client import ClientProperties, SecretResolver, client_properties, where
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.engine.sinks.kafka.embedded import cluster_of
from obsync_tui.engine.sinks.kafka.topics import read_topics
from obsync_tui.model.datasource import DataSource, KafkaSource, MySQLSource, OceanBaseSource
from obsync_tui.model.project import Guarantee, Project
from obsync_tui.model.table import TableVersion

_AFTER_CONNECTION = ("transactions", "checkpoint topic", "topics")


def precheck(
    project: Project, source: DataSource, destination: DataSource, secrets: SecretResolver, state_dir: Path
) -> list[CheckResult]:
    """Everything that could stop the project or make it lose changes; nothing is raised, a failure is a result."""
    here = Subject("this machine")
    found, tables = _source(project, source, secrets, state_dir / "state.db")
    return [
        local.check_state_dir(here, state_dir),
        local.check_disk(here, state_dir),
        *found,
        *_destination(project, destination, secrets, tables),
    ]


def _source(
    project: Project, source: DataSource, secrets: SecretResolver, state_file: Path
) -> tuple[list[CheckResult], tuple[TableVersion, ...] | None]:
    """Results, and the tables in scope where they could be read."""
    checks: SourceChecks | OceanBaseChecks
    if isinstance(source, MySQLSource):
        checks = SourceChecks(project, source, secrets, state_file)
    elif isinstance(source, OceanBaseSource):
        checks = OceanBaseChecks(project, source, secrets, state_file)
    else:
        cure = "Name a data source of kind mysql or oceanbase as from."
        return [Subject(source.name).failed("kind", "this is no source of changes", cure)], None
    return checks.run(), checks.tables


def _destination(
    project: Project,
    destination: DataSource,
    secrets: SecretResolver,
    tables: Sequence[TableVersion] | None,
) -> list[CheckResult]:
    subject = Subject(destination.name)
    if not isinstance(destination, KafkaSource):
        return [
            subject.failed("kind", "this is no destination for messages", "Name a Kafka data source as to.")
        ]
    try:
        properties = client_properties(destination, secrets)
        cluster = cluster_of(properties, where(destination), destination.embedded)
        connected = cluster_checks.check_cluster(subject, cluster)
    except EngineError as error:
        because = "there is no connection"
        return [
            subject.failure("connection", error),
            *(subject.not_run(item, because) for item in _AFTER_CONNECTION),
        ]
    checks = [
        Check("transactions", lambda: _transactions(project, subject, destination, properties, cluster)),
        Check("topics", lambda: _topics(project, subject, destination, cluster, tables)),
    ]
    return [connected, *run_checks(subject, checks)]


def _transactions(
    project: Project,
    subject: Subject,
    destination: KafkaSource,
    properties: Mapping[str, ClientProperties],
    cluster: Cluster,
) -> Iterator[CheckResult]:
    yield cluster_checks.check_transactions(subject, project, destination, properties)
    if project.delivery.guarantee is Guarantee.EXACTLY_ONCE:
        yield topic_checks.check_checkpoint_topic(subject, cluster, destination, checkpoint_topic(project.id))


def _topics(
    project: Project,
    subject: Subject,
    destination: KafkaSource,
    cluster: Cluster,
    tables: Sequence[TableVersion] | None,
) -> Iterator[CheckResult]:
    if not tables:
        yield subject.not_run("topics", "the tables in scope are not known")
        return
    try:
        topics = topic_checks.topics_of(project, [table.name for table in tables])
    except ValueError as error:
        yield subject.failed(
            "topic names", str(error), "Correct topic under [message] or [[objects.tables]]."
        )
        return
    names = topic_checks.check_names(subject, topics, cluster.partitions())
    yield names
    if names.outcome is Outcome.FAIL:
        yield subject.not_run("topics", "their names are wrong")
        return
    yield from topic_checks.check_topics(subject, project, cluster, destination, sorted(topics))
    facts = read_topics(cluster, topics)
    yield topic_checks.check_message_size(subject, project, facts, tables)

"""Checks of topics: names, what exists, what may be created and written."""

from collections.abc import Iterable, Mapping, Sequence

from confluent_kafka.admin._acl import AclOperation

from obsync_tui.engine.errors import EngineError, SinkError
from obsync_tui.engine.precheck.model import CheckResult, Subject, listed
from obsync_tui.engine.sinks.kafka.cluster import Cluster
from obsync_tui.engine.sinks.kafka.topics import (
    CHECKPOINT_SETTINGS,
    TopicFacts,
    name_problems,
    partition_warnings,
    topic_settings,
    verify_compact,
)
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.objects import topic_for
from obsync_tui.model.project import Project, TooLarge, TopicMode
from obsync_tui.model.table import TableName, TableVersion

_UNBOUNDED = ("mediumtext", "longtext", "mediumblob", "longblob", "json")


def topics_of(project: Project, tables: Iterable[TableName]) -> dict[str, list[TableName]]:
    """Each topic that the project writes to, with its tables; ValueError for an unknown variable."""
    result: dict[str, list[TableName]] = {}
    for table in tables:
        result.setdefault(topic_for(project, table), []).append(table)
    if project.delivery.too_large is TooLarge.DEAD_LETTER:
        result.setdefault(project.delivery.dead_letter_topic, [])
    return result


def check_names(
    subject: Subject, topics: Mapping[str, Sequence[TableName]], existing: Iterable[str]
) -> CheckResult:
    """Topics' names are legal and none collides with another."""
    problems = name_problems(topics, existing)
    if not problems:
        return subject.passed("topic names", f"{len(topics)} topics")
    shown = listed(
        (f"{name!r} for {listed(topics[name], 2)}: {reason}" for name, reason in problems.items()), 3
    )
    return subject.failed(
        "topic names",
        f"{len(problems)} of {len(topics)} topics cannot be: {shown}",
        "Give such tables a topic of their own: [[objects.tables]] with name and topic.",
    )


def check_topics(
    subject: Subject, project: Project, cluster: Cluster, destination: KafkaSource, wanted: Sequence[str]
) -> list[CheckResult]:
    """Topics exist, or may be created, by the project's mode; those that exist may be written to."""
    partitions = cluster.partitions()
    missing = [name for name in wanted if name not in partitions]
    present = [name for name in wanted if name in partitions]
    results = [_missing(subject, project, cluster, destination, missing, len(present))]
    unwritable = _without(cluster, present, {AclOperation.WRITE, AclOperation.DESCRIBE})
    if unwritable:
        results.append(
            subject.failed(
                "topics",
                f"the user may not write to {listed(unwritable)}",
                acl(destination, "--topic", unwritable[0], "Write", "Describe"),
            )
        )
    facts = [TopicFacts(name, partitions[name], 0) for name in present]
    if project.topics.mode is TopicMode.CREATE:
        differing = partition_warnings(project, facts)
        if differing:
            results.append(subject.warned("partitions", listed((line.rstrip(".") for line in differing), 3)))
    one = project.message.one_partition
    short = [fact.name for fact in facts if project.message.partition == "One" and one >= fact.partitions]
    if short:
        results.append(
            subject.failed(
                "partitions",
                f"partition rule One sends to partition {one}, which {listed(short)} have not",
                "Lower one_partition under [message].",
            )
        )
    return results


def _missing(
    subject: Subject,
    project: Project,
    cluster: Cluster,
    destination: KafkaSource,
    missing: Sequence[str],
    present: int,
) -> CheckResult:
    mode = project.topics.mode
    if not missing:
        return subject.passed("topics", f"{present} exist")
    if mode is TopicMode.EXISTING:
        return subject.failed(
            "topics",
            f"{len(missing)} topics do not exist: {listed(missing)}",
            f"Create them, or set mode = {TopicMode.CREATE.value!r} under [topics].",
        )
    if mode is TopicMode.AUTO_CREATE:
        return subject.warned(
            "topics", f"{len(missing)} topics are left to the broker, which makes them with its own settings"
        )
    failed = cluster.create(missing, topic_settings(project), validate_only=True)
    if failed:
        name, error = next(iter(failed.items()))
        return subject.failed(
            "topics",
            f"{len(failed)} topics cannot be created: {name}: {error.what}",
            _cure(error, destination, name, "Correct partitions, replication and settings under [topics]."),
        )
    return subject.passed("topics", f"{present} exist, {len(missing)} will be created")


def check_checkpoint_topic(
    subject: Subject, cluster: Cluster, destination: KafkaSource, name: str
) -> CheckResult:
    """The checkpoint topic is compacted and may be read and written, or may be created."""
    item = "checkpoint topic"
    if destination.embedded:
        return subject.warned(item, "the embedded cluster compacts nothing and forgets all at its end")
    count = cluster.partitions().get(name)
    if count is None:
        failed = cluster.create([name], CHECKPOINT_SETTINGS, validate_only=True)
        if not failed:
            return subject.passed(item, f"{name} will be created")
        error = failed[name]
        return subject.failed(item, error.what, _cure(error, destination, name, error.cure))
    try:
        verify_compact(cluster, name, count)
    except SinkError as error:
        return subject.failed(item, error.what, _cure(error, destination, name, error.cure))
    if _without(cluster, [name], {AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE}):
        return subject.failed(
            item,
            f"the user may not read and write {name}",
            acl(destination, "--topic", name, "Read", "Write", "Describe"),
        )
    return subject.passed(item, f"{name} exists")


def check_message_size(
    subject: Subject, project: Project, facts: Sequence[TopicFacts], tables: Iterable[TableVersion]
) -> CheckResult:
    """Rows that can be larger than a topic takes stop a project whose policy says so."""
    item = "message size"
    if not facts:
        return subject.passed(item, "the broker's limit holds for the topics to be created")
    least = min(facts, key=lambda fact: fact.max_message_bytes)
    text = f"at least {least.max_message_bytes:,} bytes in every topic"
    wide = sorted(
        {str(table.name) for table in tables for column in table.columns if column.data_type in _UNBOUNDED}
    )
    if not wide or project.delivery.too_large is TooLarge.DEAD_LETTER:
        return subject.passed(item, text)
    return subject.warned(
        item,
        f"{text}, but a row of {listed(wide)} can be larger, at which the project stops",
        f"Raise it: kafka-configs.sh --alter --entity-type topics --entity-name {least.name} "
        '--add-config max.message.bytes=…, or set too_large = "dead-letter" under [delivery].',
    )


def acl(destination: KafkaSource, kind: str, name: str, *operations: str) -> str:
    """The command that gives the destination's user rights; `kind` is its option for the resource."""
    user = destination.sasl.user if destination.sasl is not None and destination.sasl.user else "<principal>"
    given = " ".join(f"--operation {operation}" for operation in operations)
    return (
        f"Run: kafka-acls.sh --bootstrap-server {destination.endpoint} --add --allow-principal User:{user} "
        f"{given} {kind} '{name}'"
    )


def _without(cluster: Cluster, names: Sequence[str], needed: set[AclOperation]) -> list[str]:
    """Topics on which one of the rights is missing; a broker that does not say counts as giving all."""
    return [
        name
        for name, operations in cluster.operations(names).items()
        if isinstance(operations, SinkError) or (operations and not needed <= operations)
    ]


def _cure(error: EngineError, destination: KafkaSource, name: str, otherwise: str) -> str:
    if "AUTHORIZATION" not in error.what:
        return otherwise
    return acl(destination, "--topic", name, "Create", "Write", "Read", "Describe", "DescribeConfigs")

"""Schema synchronization: the topics a project writes to, and its checkpoint topic."""

import re
import time
from collections.abc import Collection, Iterable, Mapping

import msgspec

from obsync_tui.engine.errors import CheckpointLost, SinkError, SinkUnreachable, TopicUnfit
from obsync_tui.engine.sinks.kafka.client import ClientProperties
from obsync_tui.engine.sinks.kafka.cluster import Cluster, TopicSettings
from obsync_tui.engine.sinks.kafka.embedded import EmbeddedCluster, cluster_of
from obsync_tui.model.project import PartitionRule, Project, TopicMode

LONGEST_NAME = 249
# Kafka's own limit, less than which no broker is set by default; used where a topic's settings may not be read.
DEFAULT_MAX_MESSAGE_BYTES = 1_048_588
_LEGAL = re.compile(r"[A-Za-z0-9._-]+")
_PROPAGATION_S = 60.0
_PROMPTED_S = 10.0
_PAUSE_S = 0.1
CHECKPOINT_SETTINGS = TopicSettings(
    partitions=1,
    settings={
        "cleanup.policy": "compact",
        # The smallest that brokers accept: only closed segments are compacted.
        "segment.bytes": "1048576",
        "segment.ms": "600000",
        "min.cleanable.dirty.ratio": "0.01",
    },
)


class TopicFacts(msgspec.Struct, frozen=True):
    """A topic as the cluster has it."""

    name: str
    partitions: int
    max_message_bytes: int


class TopicReport(msgspec.Struct, frozen=True):
    """What schema synchronization found and did; `facts` has every topic that was asked for."""

    facts: tuple[TopicFacts, ...]
    created: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def name_problems(names: Iterable[str], existing: Iterable[str]) -> dict[str, str]:
    """Topics that cannot be, each with the reason: illegal, internal, or alike but for `.` and `_`.

    Kafka names metrics after topics with `.` written `_`, so it refuses the second of two such names.
    """
    problems: dict[str, str] = {}
    present = set(existing)
    alike: dict[str, str] = {name.replace(".", "_"): name for name in sorted(present)}
    for name in sorted(set(names)):
        reason = _illegal(name)
        twin = alike.setdefault(name.replace(".", "_"), name)
        if reason:
            problems[name] = reason
        elif twin != name and name not in present:
            problems[name] = (
                f"it differs from the topic {twin} only in . and _, which Kafka takes for the same"
            )
    return problems


def synchronize_topics(
    project: Project,
    names: Iterable[str],
    properties: Mapping[str, ClientProperties],
    where: str = "Kafka",
    used: Collection[str] = (),
    *,
    embedded: bool = False,
) -> TopicReport:
    """Create, require or leave topics, as the project says, and tell what they are like.

    One of the `used`, which the project has written to before, is never made anew: its messages would be missing.
    Raises TopicUnfit naming every topic that is wrong, SinkUnreachable, SinkRefused.
    """
    wanted = sorted(set(names))
    cluster = cluster_of(properties, where, embedded)
    existing = cluster.partitions()
    _refuse(name_problems(wanted, existing), where)
    missing = [name for name in wanted if name not in existing]
    mode = project.topics.mode
    gone = [name for name in missing if name in used]
    if gone or (missing and mode is TopicMode.EXISTING):
        _refuse_leaderless(cluster, missing)
    if gone:
        raise TopicUnfit(
            f"{len(gone)} topics that the project has written to are gone: {_listed(gone)}",
            where=where,
            cure="To go on without what was in them, create them with as many partitions as they had and run again; "
            "to send everything again, run `obsync project reset`.",
        )
    if missing and mode is TopicMode.EXISTING:
        raise TopicUnfit(
            f'{len(missing)} topics do not exist and topics are "existing": {_listed(missing)}',
            where=where,
            cure=f"Create them, or set mode = {TopicMode.CREATE.value!r} under [topics].",
        )
    created: tuple[str, ...] = ()
    if missing and mode is TopicMode.CREATE:
        create_topics(cluster, missing, topic_settings(project))
        created = tuple(missing)
    elif missing:
        prompt_topics(cluster, missing)
    if missing:
        existing = cluster.partitions()
    facts, warnings = _facts(cluster, wanted, existing)
    if mode is TopicMode.CREATE:
        warnings += partition_warnings(project, facts)
    _check_fixed_partition(project, facts, where)
    return TopicReport(facts, created, warnings)


def read_topics(cluster: Cluster, names: Iterable[str]) -> tuple[TopicFacts, ...]:
    """What the topics are like that exist; raises SinkUnreachable, SinkRefused."""
    existing = cluster.partitions()
    return _facts(cluster, [name for name in sorted(set(names)) if name in existing], existing)[0]


def topic_settings(project: Project) -> TopicSettings:
    """What the project creates topics with."""
    return TopicSettings(project.topics.partitions, project.topics.replication, project.topics.settings)


def create_topics(cluster: Cluster, names: list[str], settings: TopicSettings) -> None:
    """Create topics and wait until each has its leaders; raises what the broker said of the first that failed."""
    failed = cluster.create(names, settings)
    if failed:
        name, error = next(iter(failed.items()))
        others = f" (and {len(failed) - 1} more topics)" if len(failed) > 1 else ""
        raise type(error)(
            f"topic {name} cannot be created: {error.what}{others}", where=cluster.where, cure=error.cure
        )
    absent = _still_absent(cluster, names, _PROPAGATION_S)
    if absent:
        raise SinkUnreachable(
            f"{len(absent)} created topics have no leader after {_PROPAGATION_S:.0f} s: {_listed(absent)}",
            where=cluster.where,
        )


def prompt_topics(cluster: Cluster, names: list[str]) -> None:
    """Have the broker make topics by itself; raises TopicUnfit when it does not."""
    cluster.prompt(names)
    absent = _still_absent(cluster, names, _PROMPTED_S)
    if absent:
        raise TopicUnfit(
            f"the broker did not create {len(absent)} topics by itself: {_listed(absent)}",
            where=cluster.where,
            cure="Set auto.create.topics.enable=true on the broker and give the user Create on them, "
            f"or set mode = {TopicMode.CREATE.value!r} under [topics].",
        )


def _still_absent(cluster: Cluster, names: list[str], timeout_s: float) -> list[str]:
    deadline_s = time.monotonic() + timeout_s
    while True:
        present = cluster.partitions()
        absent = [name for name in names if name not in present]
        if not absent or time.monotonic() > deadline_s:
            return absent
        time.sleep(_PAUSE_S)


def partition_warnings(project: Project, facts: Iterable[TopicFacts]) -> tuple[str, ...]:
    """A sentence for each topic that has another partition count than the project would give it."""
    return tuple(
        f"Topic {fact.name} exists with {fact.partitions} partitions, not {project.topics.partitions}; they are used."
        for fact in facts
        if fact.partitions != project.topics.partitions
    )


def ensure_checkpoint_topic(
    properties: Mapping[str, ClientProperties], name: str, where: str, *, create: bool, embedded: bool = False
) -> bool:
    """Make sure that the checkpoint topic is there and compacted; True when it was created now.

    Raises CheckpointLost when it is missing and may not be created, TopicUnfit when it is of another shape. The one
    exception is the embedded cluster of the demo, which compacts nothing. SinkUnreachable when it has no leader.
    """
    cluster = cluster_of(properties, where, embedded)
    count = cluster.partitions().get(name)
    if count is not None:
        verify_compact(cluster, name, count)
        return False
    _refuse_leaderless(cluster, (name,))
    if not create:
        raise CheckpointLost(
            f"the checkpoint topic {name} does not exist, but this project has made progress",
            where=where,
            cure="Somebody deleted it. Nothing was sent. Run `obsync project reset` to start over.",
        )
    create_checkpoint_topic(cluster, name)
    return True


def create_checkpoint_topic(cluster: Cluster, name: str) -> None:
    """Create a checkpoint topic: one compacted partition of small segments; raises SinkError.

    A topic that is there by then, made by others, has to be of that shape too.
    """
    create_topics(cluster, [name], CHECKPOINT_SETTINGS)
    verify_compact(cluster, name, cluster.partitions().get(name, 0))


def verify_compact(cluster: Cluster, name: str, count: int) -> None:
    """Raise TopicUnfit unless the topic, of `count` partitions, has one and is only compacted, never emptied by age.

    A topic of the embedded cluster is neither, and lives no longer than the demo.
    """
    if isinstance(cluster, EmbeddedCluster):
        return
    if count != 1:
        raise TopicUnfit(
            f"the checkpoint topic {name} has {count} partitions, not 1",
            where=cluster.where,
            cure="It was not made by obsync: delete it while the project is stopped, then start again.",
        )
    settings = cluster.settings([name])[name]
    if isinstance(settings, SinkError):
        raise settings
    policy = settings.get("cleanup.policy", "")
    if policy != "compact":
        raise TopicUnfit(
            f"the checkpoint topic {name} has cleanup.policy={policy}: the broker would delete the checkpoint",
            where=cluster.where,
            cure=f"Run: kafka-configs.sh --alter --entity-type topics --entity-name {name} "
            "--add-config cleanup.policy=compact",
        )


def _facts(
    cluster: Cluster, names: list[str], partitions: Mapping[str, int]
) -> tuple[tuple[TopicFacts, ...], tuple[str, ...]]:
    facts = []
    unread = []
    for name, settings in cluster.settings(names).items():
        limit = DEFAULT_MAX_MESSAGE_BYTES
        if isinstance(settings, SinkError):
            unread.append(name)
        else:
            limit = int(settings.get("max.message.bytes", limit))
        facts.append(TopicFacts(name, partitions[name], limit))
    if not unread:
        return tuple(facts), ()
    return tuple(facts), (
        f"The settings of {len(unread)} topics may not be read ({_listed(unread)}): "
        f"max.message.bytes is taken for {DEFAULT_MAX_MESSAGE_BYTES}. Give the user DescribeConfigs on them.",
    )


def _illegal(name: str) -> str:
    if not name or name in (".", ".."):
        return "that is not a topic's name"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name)} characters, Kafka allows {LONGEST_NAME}"
    if _LEGAL.fullmatch(name) is None:
        return "Kafka allows only the letters a-z and A-Z, digits, . _ and -"
    if name.startswith("__"):
        return "names that start with __ are kept for Kafka's and obsync's own topics"
    return ""


def _refuse(problems: Mapping[str, str], where: str) -> None:
    if problems:
        name, reason = next(iter(problems.items()))
        others = f"; and {len(problems) - 1} more: {_listed(list(problems)[1:])}" if len(problems) > 1 else ""
        raise TopicUnfit(
            f"topic {name!r} cannot be: {reason}{others}",
            where=where,
            cure="Give such tables a topic of their own: [[objects.tables]] with name and topic.",
        )


def _refuse_leaderless(cluster: Cluster, names: Collection[str]) -> None:
    """Raise SinkUnreachable for topics that only seemed missing: their brokers are away, or came back just now."""
    if led_by_nobody := cluster.existing(names):
        raise SinkUnreachable(
            f"{len(led_by_nobody)} topics had no leader: {_listed(led_by_nobody)}",
            where=cluster.where,
            cure="Their brokers are down, or have just come back; it is tried again.",
        )


def _check_fixed_partition(project: Project, facts: Iterable[TopicFacts], where: str) -> None:
    if project.message.partition is not PartitionRule.ONE:
        return
    for fact in facts:
        if project.message.one_partition >= fact.partitions:
            raise TopicUnfit(
                f"partition rule One sends to partition {project.message.one_partition}, "
                f"but topic {fact.name} has {fact.partitions}",
                where=where,
                cure=f"Set one_partition under [message] below {fact.partitions}.",
            )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def delete_topic(cluster: Cluster, name: str) -> None:
    """Delete a topic if it is there; raises SinkError."""
    if name in cluster.partitions():
        cluster.delete(name)

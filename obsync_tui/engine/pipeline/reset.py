"""Starting a project over, and releasing it."""

from collections.abc import Mapping

import msgspec

from obsync_tui.engine.errors import SinkError
from obsync_tui.engine.oceanbase.connection import connect
from obsync_tui.engine.pipeline.checkpoint import EPOCH_KEY, decode_checkpoint
from obsync_tui.engine.pipeline.source import Secrets
from obsync_tui.engine.pipeline.stopped import stopped_project
from obsync_tui.engine.sinks.kafka.checkpoint import checkpoint_topic
from obsync_tui.engine.sinks.kafka.client import client_properties, where
from obsync_tui.engine.sinks.kafka.embedded import cluster_of
from obsync_tui.engine.sinks.kafka.topics import delete_topic
from obsync_tui.engine.state.database import StateFile
from obsync_tui.engine.store.mlog.ownership import drop, owned_of
from obsync_tui.model.checkpoint import OWNER_KEY, Record
from obsync_tui.model.datasource import KafkaSource, OceanBaseSource, SqlSource
from obsync_tui.model.project import Guarantee, Project

_READ_TIMEOUT_S = 60.0


def reset_project(
    project: Project, source: SqlSource, destination: KafkaSource, secrets: Secrets, state: StateFile
) -> None:
    """Forget a stopped project's progress: its next run starts over, in the next epoch.

    The records go through the same transactional path as every checkpoint, so that no older instance can overrule
    them. View logs of the project are dropped before. Messages already in the topics stay. Raises SinkError,
    SourceError, ProjectOwned.
    """
    local = tuple(Record(record.key, None) for record in state.records(project.id))
    with stopped_project(project, destination, secrets, state) as stopped:
        values = stopped.values
        epoch = decode_checkpoint(values).epoch + 1
        _drop_logs(source, secrets, values)
        removed = [Record(key, None) for key in sorted(values) if key not in (OWNER_KEY, EPOCH_KEY)]
        stopped.commit((*removed, Record(OWNER_KEY, None), Record(EPOCH_KEY, msgspec.json.encode(epoch))))
    if project.delivery.guarantee is Guarantee.EXACTLY_ONCE:
        state.save(project.id, local)
    state.clear_status(project.id)
    state.add_event(project.id, "reset", f"started over, epoch {epoch}")


def _drop_logs(source: SqlSource, secrets: Secrets, values: Mapping[str, bytes]) -> None:
    """Drop the view logs that a checkpoint holds."""
    owned = owned_of(Record(key, value) for key, value in values.items())
    if owned and isinstance(source, OceanBaseSource):
        with connect(source, secrets(source.password), read_timeout_s=_READ_TIMEOUT_S) as connection:
            drop(connection, owned.values(), f"data source {source.name}")


def release_project(
    project: Project, source: SqlSource, destination: KafkaSource, secrets: Secrets, state: StateFile
) -> str:
    """Remove a project's checkpoint: records first, for whoever may not delete topics, then the topic itself.

    Answers why the topic stays, empty when it is gone.
    """
    reset_project(project, source, destination, secrets, state)
    if project.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
        return ""
    try:
        properties = client_properties(destination, secrets)
        cluster = cluster_of(properties, where(destination), destination.embedded)
        delete_topic(cluster, checkpoint_topic(project.id))
    except SinkError as error:
        return f"the checkpoint is empty, but its topic {checkpoint_topic(project.id)} stays: {error}"
    return ""

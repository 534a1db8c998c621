"""A stopped project's checkpoint, opened to be changed: by the same transactional path as a run's, or in `state.db`."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import time

import msgspec

from obsync_tui.engine.pipeline.source import Commit, Secrets
from obsync_tui.engine.sinks.kafka.client import client_properties, where
from obsync_tui.engine.sinks.kafka.transactional import TransactionalSink
from obsync_tui.engine.state.database import StateFile
from obsync_tui.model.datasource import KafkaSource
from obsync_tui.model.project import Guarantee, Project


class StoppedProject(msgspec.Struct, frozen=True):
    """The checkpoint's records by key, and what changes them durably."""

    values: Mapping[str, bytes]
    commit: Commit


@contextmanager
def stopped_project(
    project: Project, destination: KafkaSource, secrets: Secrets, state: StateFile
) -> Iterator[StoppedProject]:
    """Open the checkpoint as the project's only writer; raises SinkError, ProjectOwned, StateError."""
    if project.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
        values = {r.key: r.value for r in state.records(project.id) if r.value is not None}
        yield StoppedProject(values, lambda records: state.save(project.id, records))
        return
    sink = TransactionalSink(
        project.id,
        client_properties(destination, secrets),
        where=where(destination),
        transaction_timeout_s=project.delivery.transaction_timeout_s,
        expected=False,
        started_s=time(),
        cancel=threading.Event(),
        embedded=destination.embedded,
    )
    try:
        yield StoppedProject(sink.open(take_over=False), sink.commit)
    finally:
        sink.close()

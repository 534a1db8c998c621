"""What a row plan is compiled from, and what it is called with."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from obsync_tui.engine.formats.plan import MessagePlan, RecordKind
from obsync_tui.engine.store.store import WireShape
from obsync_tui.model.message import Lanes
from obsync_tui.model.project import HashFunction, KeyForm
from obsync_tui.model.table import TableVersion


class Routing(msgspec.Struct, frozen=True):
    """Where a table's messages go: ordinals of key and hash columns, partition count, or one fixed partition."""

    key: KeyForm
    key_columns: tuple[int, ...]
    hash_columns: tuple[int, ...]
    partitions: int
    fixed_partition: int | None = None
    hash: HashFunction = HashFunction.CRC32


class PlanRequest(msgspec.Struct, frozen=True):
    """A table version, the wire shape of its images, a kind, and the plans of the messages that may come of it.

    An UPDATE that changes a key or hash column becomes DELETE and INSERT, so it brings three plans. `emit` False only
    counts rows. `careful` adds `skip` and `keep`: the first rows left out, and a decision per image by `cut_columns`.
    """

    table: TableVersion
    shape: WireShape
    kind: RecordKind
    plans: tuple[tuple[RecordKind, MessagePlan], ...]
    routing: Routing
    emit: bool = True
    careful: bool = False
    cut_columns: tuple[int, ...] = ()


Keep = Callable[[tuple[bytes, ...]], bool]


class RowPlan(Protocol):
    """Walks row images and appends messages to their lanes; gives rows walked, the last sequence, bytes
    appended, and bytes of the largest value.

    `commit_s` is the commit time, `gtid` and `gno` name the transaction, `sequence` is the last number given out.
    """

    def __call__(
        self,
        bodies: list[bytes],
        start: int,
        commit_s: int,
        gtid: str,
        gno: int,
        sequence: int,
        lanes: Lanes,
        skip: int,
        keep: Keep,
    ) -> tuple[int, int, int, int]: ...

"""Walks batches that passed once more, to tell which message came of which row.

The same row plans with the project's own routing run over the row images, with messages that hold only kind and key.
Where messages went is told by those that are there: what was left out at first is missing at the beginning of a key's
messages in the batch, because a cut and a restart both hold everything before them.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.plans import KINDS, MESSAGES
from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.formats.plan import (
    Identity,
    Image,
    Joined,
    Literal,
    MessagePlan,
    Operation,
    RecordKind,
    Value,
)
from obsync_tui.engine.formats.registry import FORMATS
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, RowPlan
from obsync_tui.engine.store.store import Begin, LogItem, RowGroup, WireShape
from obsync_tui.model.message import Lanes
from obsync_tui.model.objects import topic_for
from obsync_tui.model.position import LogPosition
from obsync_tui.model.project import Project
from obsync_tui.model.table import TableName, TableVersion
from obsync_tui.model.trace import TraceLine

_SEPARATOR = "\x01"
_NOWHERE = LogPosition("")
_NOBODY = Identity("", "")
Place = tuple[int, bytes | None]
"""A message's partition and its key."""
Plans = dict[tuple[int, RecordKind, int], RowPlan]
"""Compiled plans by the identity of the wire shape, kind, and partitions; good while the batches are held."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A batch as it passed the Connector of a project, when, and whether images could be left out by a cut or after a
    restart.
    """

    project: Project
    items: Sequence[LogItem]
    out: Outgoing
    passed_s: float
    filtered: bool = False
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """A message that the plan makes of a row; `key` is the text of the row's key."""

    table: TableName
    begin: Begin | None
    kind: RecordKind
    record: str
    key: str
    place: Place


def lines_of(
    passage: Passage,
    delivered_s: float | None,
    table: TableName,
    key: tuple[str, ...],
    plans: Plans,
) -> Iterator[TraceLine]:
    """The lines of a row in one batch, in the log's order; texts of the key's columns as messages have them.

    `plans` are those compiled so far, for the other batches of the same question.
    """
    project = passage.project
    topic, wanted = topic_for(project, table), _SEPARATOR.join(key)
    steps = list(_Replay(passage, topic, plans).steps())
    if not any(step.table == table and step.key == wanted for step in steps):
        return
    missing = Counter(step.place for step in steps if _sends(project, step))
    missing.subtract(_places(passage.out, topic))
    for step in steps:
        left_out, place = "", (topic, step.place[0])
        if not _sends(project, step):
            left_out = f"the project leaves {step.kind} out (objects.dml)"
        elif missing[step.place] > 0:
            missing[step.place] -= 1
            left_out, place = _why(project, passage, step), (project.delivery.dead_letter_topic, 0)
        if step.table == table and step.key == wanted:
            yield _line(passage, step, place, left_out, delivered_s)


def _sends(project: Project, step: _Step) -> bool:
    return step.kind is RecordKind.ROW or step.kind.value in project.objects.dml


def _places(out: Outgoing, topic: str) -> Counter[Place]:
    lanes: Lanes = out.messages.get(topic, [])
    return Counter((partition, message["key"]) for partition, lane in enumerate(lanes) for message in lane)


def _why(project: Project, passage: Passage, step: _Step) -> str:
    """Why a message is not there; empty when it is a dead letter."""
    dead = project.delivery.dead_letter_topic
    if dead and any(place[1] == step.place[1] for place in _places(passage.out, dead)):
        return ""
    if passage.filtered:
        return "the rows of full synchronization hold it already (cut)"
    if passage.resumed:
        return "delivered before the project was stopped"
    return "it is not among the batch's messages"


def _line(
    passage: Passage, step: _Step, place: tuple[str, int], left_out: str, delivered_s: float | None
) -> TraceLine:
    out = passage.out
    if out.void:
        left_out = "read again: its range was given up"
    position, begin = out.position or _NOWHERE, step.begin
    return TraceLine(
        str(begin.gtid) if begin else "",
        begin.commit_us / 1e6 if begin else 0.0,
        out.read_us / 1e6 or passage.passed_s,
        step.kind.value,
        "" if left_out else step.record,
        left_out,
        "" if left_out else place[0],
        None if left_out else place[1],
        position.executed,
        position.inside,
        position.rows,
        delivered_s,
    )


class _Replay:
    """Runs plans over the rows of one topic in a batch."""

    def __init__(self, passage: Passage, topic: str, plans: Plans) -> None:
        project = self._project = passage.project
        self._passage = passage
        self._topic = topic
        # A topic without messages in the batch: how many partitions it has does not matter to what was left out.
        self._partitions = len(passage.out.messages.get(topic, ())) or project.message.one_partition + 1
        self._routes = Routes(project, lambda name: TopicRoute(name, self._partitions, 0))
        self._plans = plans

    def steps(self) -> Iterator[_Step]:
        """What the plans make of the rows, in the log's order within each partition."""
        chunk, begin = self._passage.out.chunk, None
        if chunk is not None:
            yield from self._run(chunk.table, chunk.shape, RecordKind.ROW, chunk.bodies, 0, None)
        for item in self._passage.items:
            if isinstance(item, Begin):
                begin = item
            elif isinstance(item, RowGroup):
                kind = KINDS[item.kind]
                yield from self._run(item.table, item.shape, kind, item.bodies, item.start, begin)

    def _run(
        self,
        table: TableVersion,
        shape: WireShape,
        kind: RecordKind,
        bodies: list[bytes],
        start: int,
        begin: Begin | None,
    ) -> Iterator[_Step]:
        if topic_for(self._project, table.name) != self._topic or not bodies:
            return
        lanes: Lanes = [[] for _ in range(self._partitions)]
        self._plan(table, shape, kind)(bodies, start, 0, "", 0, 0, lanes, 0, lambda _: True)
        for partition, lane in enumerate(lanes):
            for message in lane:
                record, key, *_ = message["value"].decode("utf-8", "surrogatepass").split(_SEPARATOR)
                place = (partition, message["key"])
                yield _Step(table.name, begin, kind, record, json.loads(key) if key else "", place)

    def _plan(self, table: TableVersion, shape: WireShape, kind: RecordKind) -> RowPlan:
        found = self._plans.get((id(shape), kind, self._partitions))
        if found is None:
            plans = tuple((record, _marking(self._project, table, record)) for record in MESSAGES[kind])
            request = PlanRequest(table, shape, kind, plans, self._routes.routing(table))
            found = self._plans[id(shape), kind, self._partitions] = compile_row_plan(request)
        return found


def _marking(project: Project, table: TableVersion, record: RecordKind) -> MessagePlan:
    """A message of its kind and the row's key; a JSON key is written as the format writes the key's columns."""
    image = Image.BEFORE if record is RecordKind.DELETE else Image.AFTER
    parts: list[str | int] = []
    for name in table.key_columns():
        parts += [_SEPARATOR, table.column_index(name)] if parts else [table.column_index(name)]
    operations: list[Operation] = [Literal(record.value + _SEPARATOR)]
    if parts:
        operations += [Joined(tuple(parts), image), Literal(_SEPARATOR)]
    key = {table.column_index(name) for name in table.primary_key}
    written = FORMATS[project.message.format].row(table, record, _NOBODY).operations
    return MessagePlan(
        (*operations, *(one for one in written if isinstance(one, Value) and one.column in key))
    )

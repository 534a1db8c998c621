"""The Connector: batches of row images in, messages and positions out."""

from collections.abc import Callable, Sequence
from time import monotonic, time

from obsync_tui.engine.connector.outgoing import Outgoing
from obsync_tui.engine.connector.plans import Plans
from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.connector.toolarge import Oversize
from obsync_tui.engine.connector.upserts import Upserts
from obsync_tui.engine.formats.plan import DdlRecord, Identity, MessageFormat
from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.full.reader import ChunkBatch
from obsync_tui.engine.metrics.meter import TableCounts
from obsync_tui.engine.rowplan.request import Keep
from obsync_tui.engine.store.store import Begin, DdlStatement, LogBatch, LogItem, RowGroup, SchemaVersion
from obsync_tui.engine.store.versions import dropped_schema_record, schema_record
from obsync_tui.model.position import GtidSet, LogPosition
from obsync_tui.model.project import Project

Passed = Callable[[Sequence[LogItem], Outgoing, bool, bool], None]
"""Is told of each batch that is ready: its items, and whether rows could be left out by cuts, or after a restart."""
# After these a later CREATE of the name is another table.
_GONE = ("DROP_TABLE", "RENAME_TABLE")


def _keep_all(_: tuple[bytes, ...]) -> bool:
    return True


class Connector:
    """Filters, routes, partitions and encodes; keeps the position inside the log, not what is committed.

    `position` is where the stream goes on: rows of the transaction that it stands in are skipped by count. What of each
    table passes is counted in `counts`.
    """

    def __init__(
        self,
        project: Project,
        message_format: MessageFormat,
        identity: Identity,
        routes: Routes,
        oversize: Oversize,
        position: LogPosition,
        cut_filter: CutFilter | None = None,
        counts: TableCounts | None = None,
        passed: Passed | None = None,
    ) -> None:
        self._project = project
        self._passed = passed
        self._format = message_format
        self._identity = identity
        self._routes = routes
        self._oversize = oversize
        self._plans = Plans(project, message_format, identity, routes, {} if counts is None else counts)
        self._position = position
        self._cuts = cut_filter
        self._upserts = Upserts() if project.objects.merge_upserts else None
        self._begin: Begin | None = None
        self._rows = 0
        # Inside a transaction whose rest has not come yet; kept until it is whole.
        self._skip = position.rows
        self._skip_in = position.inside
        self._sequence = position.sequence
        self._commit_us = position.commit_us
        self._heartbeat_due_s = monotonic() + project.objects.heartbeat_s

    def chunk(self, batch: ChunkBatch) -> Outgoing:
        """Rows of Full-Import as ROW messages."""
        out = Outgoing(chunk=batch, rows=batch.rows, log_bytes=batch.size_bytes)
        if batch.bodies:
            plan = self._plans.row(batch.table, batch.shape)
            lanes = out.lanes(plan.topic, plan.route.partitions)
            _, _, out.size_bytes, out.largest_bytes = plan.run(
                batch.bodies, 0, 0, "", 0, 0, lanes, 0, _keep_all
            )
            out.count = sum(map(len, lanes))
            self._oversize.check(out, plan.route, str(batch.table.name))
        if self._passed is not None:
            self._passed((), out, False, False)
        return out

    def changes(self, batch: LogBatch) -> Outgoing:
        """Changes of the log, in order, with the position behind them."""
        out = Outgoing(log_bytes=batch.size_bytes, read_us=batch.read_us, whole=batch.whole, more=batch.more)
        items = self._upserts.join(batch.items, batch.whole) if self._upserts else batch.items
        filtered, resumed = self._cuts is not None, self._skip > 0
        for item in items:
            if isinstance(item, RowGroup):
                self._group(item, out)
            elif isinstance(item, Begin):
                if self._begin is None or self._begin.gtid != item.gtid:
                    self._begin, self._rows = item, 0
                    self._commit_us = item.commit_us
            elif isinstance(item, SchemaVersion):
                self._version(item, out)
            elif isinstance(item, DdlStatement):
                self._ddl(item, out)
            else:
                if str(item.gtid) == self._skip_in:
                    self._skip, self._skip_in = 0, ""
                self._begin, self._rows = None, 0
        out.records.extend(batch.records)
        out.newest_commit_us = batch.newest_commit_us or self._commit_us
        if batch.whole and batch.newest_commit_us:
            self._commit_us = batch.newest_commit_us
        out.position = self._position = LogPosition(
            batch.executed,
            str(self._begin.gtid) if self._begin else self._skip_in,
            self._rows if self._begin else self._skip,
            self._commit_us,
            self._sequence,
            self._position.epoch,
        )
        self._heartbeat(out)
        self._oversize.check_all(out, self._routes, self._begin)
        if self._passed is not None:
            self._passed(items, out, filtered, resumed)
        return out

    def _group(self, group: RowGroup, out: Outgoing) -> None:
        begin = self._begin
        assert begin is not None
        skip = self._skip - self._rows if self._skip and self._skip_in == str(begin.gtid) else 0
        cuts, verdict = self._cuts, True
        keep: Keep = _keep_all
        if cuts is not None:
            answer = cuts.verdict(group.table.name, begin)
            if answer is None:
                keep, verdict = self._keep(cuts, group, begin), True
            else:
                verdict = answer
        careful = skip > 0 or keep is not _keep_all
        plan = self._plans.change(group, careful, emit=verdict, cuts=cuts)
        rows, self._sequence, size, largest = plan.run(
            group.bodies,
            group.start,
            begin.commit_us // 1_000_000,
            str(begin.gtid),
            begin.gtid.gno,
            self._sequence,
            out.lanes(plan.topic, plan.route.partitions),
            skip // group.weight,
            keep,
        )
        rows *= group.weight
        self._rows += rows
        plan.count.changes += rows
        plan.count.changed_us = begin.commit_us
        out.rows += rows
        out.size_bytes += size
        if largest > out.largest_bytes:
            out.largest_bytes = largest

    def _keep(self, cuts: CutFilter, group: RowGroup, begin: Begin) -> Keep:
        table = group.table.name
        return lambda key: cuts.decide(table, begin, key)

    def passed(self, position: LogPosition) -> bool:
        """Drop the cut filter once the newest cut is behind; True when it was dropped just now."""
        if self._cuts is None or self._cuts.needs_filter(
            GtidSet.parse(position.executed), position.commit_us
        ):
            return False
        self._cuts = None
        return True

    def _version(self, item: SchemaVersion, out: Outgoing) -> None:
        out.records.append(schema_record(item.table))
        self._routes.route(item.table.name)
        out.notices.append(f"{item.table.name}: schema version of {item.table.since}")

    def _ddl(self, item: DdlStatement, out: Outgoing) -> None:
        out.notices.append(f"{item.table}: {item.statement[:200]}")
        if item.ddl_type in _GONE:
            out.records.append(dropped_schema_record(item.table))
        if not self._project.objects.ddl:
            return
        record = DdlRecord(item.table, item.statement, item.ddl_type, self._commit_us // 1_000_000)
        route, partitions = self._routes.broadcast(item.table)
        self._broadcast(out, route, partitions, self._format.ddl(record, self._identity))

    def _heartbeat(self, out: Outgoing) -> None:
        every_s = self._project.objects.heartbeat_s
        if not every_s or not out.whole or monotonic() < self._heartbeat_due_s:
            return
        self._heartbeat_due_s = monotonic() + every_s
        value = self._format.heartbeat(self._commit_us // 1_000_000 or int(time()), self._identity)
        for route in self._routes.known():
            self._broadcast(out, route, tuple(range(route.partitions)), value)

    def _broadcast(self, out: Outgoing, route: TopicRoute, partitions: tuple[int, ...], value: bytes) -> None:
        lanes = out.lanes(route.topic, route.partitions)
        for partition in partitions:
            lanes[partition].append({"key": None, "value": value})
            out.size_bytes += len(value)
        out.largest_bytes = max(out.largest_bytes, len(value))

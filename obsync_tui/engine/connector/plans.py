"""Row plans by table, compiled at first use and kept while the schema version is."""

import msgspec

from obsync_tui.engine.connector.routes import Routes, TopicRoute
from obsync_tui.engine.errors import SchemaChanged, SchemaMismatch
from obsync_tui.engine.formats.plan import Identity, MessageFormat, MessagePlan, RecordKind
from obsync_tui.engine.full.cuts import CutFilter
from obsync_tui.engine.metrics.meter import TableCount, TableCounts
from obsync_tui.engine.rowplan.compiler import compile_row_plan
from obsync_tui.engine.rowplan.request import PlanRequest, RowPlan
from obsync_tui.engine.store.store import RowGroup, WireShape
from obsync_tui.model.project import DmlKind, Project
from obsync_tui.model.table import TableVersion

_KEPT = 20_000
KINDS = {
    DmlKind.INSERT: RecordKind.INSERT,
    DmlKind.UPDATE: RecordKind.UPDATE,
    DmlKind.DELETE: RecordKind.DELETE,
}
MESSAGES = {
    RecordKind.INSERT: (RecordKind.INSERT,),
    RecordKind.DELETE: (RecordKind.DELETE,),
    RecordKind.ROW: (RecordKind.ROW,),
    RecordKind.UPDATE: (RecordKind.UPDATE, RecordKind.DELETE, RecordKind.INSERT),
}


class TablePlan(msgspec.Struct, frozen=True):
    """A compiled plan and where its messages go; `shape` is kept so that its identity stays its own."""

    run: RowPlan
    topic: str
    route: TopicRoute
    shape: WireShape
    count: TableCount


class Plans:
    """Compiled plans by the identity of the wire shape, which the Store makes anew with each schema version."""

    def __init__(
        self,
        project: Project,
        message_format: MessageFormat,
        identity: Identity,
        routes: Routes,
        counts: TableCounts,
    ) -> None:
        self._counts = counts
        self._dml = frozenset(project.objects.dml)
        self._format = message_format
        self._identity = identity
        self._routes = routes
        self._plans: dict[tuple[int, str, bool, bool], TablePlan] = {}
        self._rows: dict[TableVersion, TablePlan] = {}

    def change(self, group: RowGroup, careful: bool, emit: bool, cuts: CutFilter | None) -> TablePlan:
        """The plan of a group of changes; kinds that the project leaves out are only counted."""
        key = (id(group.shape), group.kind, careful, emit)
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= _KEPT:
                self._plans.clear()
            columns: tuple[str, ...] = cuts.key_of(group.table.name) if careful and cuts else ()
            found = self._plans[key] = self._compile(
                group.table,
                group.shape,
                KINDS[group.kind],
                emit and group.kind in self._dml,
                careful,
                columns,
            )
        return found

    def row(self, table: TableVersion, shape: WireShape) -> TablePlan:
        """The plan of rows of Full-Import."""
        found = self._rows.get(table)
        if found is None:
            found = self._rows[table] = self._compile(table, shape, RecordKind.ROW, True, False, ())
        return found

    def _compile(
        self,
        table: TableVersion,
        shape: WireShape,
        kind: RecordKind,
        emit: bool,
        careful: bool,
        cut_columns: tuple[str, ...],
    ) -> TablePlan:
        route = self._routes.route(table.name)
        try:
            plans: tuple[tuple[RecordKind, MessagePlan], ...] = tuple(
                (message, self._format.row(table, message, self._identity)) for message in MESSAGES[kind]
            )
        except ValueError as error:
            raise SchemaMismatch(
                str(error), where=str(table.name), cure="Exclude the table from the project's objects."
            ) from error
        try:
            routing = self._routes.routing(table)
            cut_ordinals = tuple(table.column_index(name) for name in cut_columns)
        except KeyError as error:
            raise SchemaChanged(
                f"the table has no column {error.args[0]!r} that the project or its progress names",
                where=str(table.name),
                cure="Correct sharding_columns in the project file, or reset the project.",
            ) from error
        request = PlanRequest(table, shape, kind, plans, routing, emit, careful, cut_ordinals)
        count = self._counts.setdefault(table.name, TableCount())
        return TablePlan(compile_row_plan(request), route.topic, route, shape, count)

"""Follows DDL: a statement in the log becomes a new schema version, or a clear stop.

The catalog is read after the statement was met, so it may be ahead of the log. The log up to the catalog's own
position is therefore scanned, headers only, for another statement on the same table.
"""

import threading

from obsync_tui.engine.errors import SchemaChanged
from obsync_tui.engine.store.binlog.ddl import Ddl, Verb
from obsync_tui.engine.store.binlog.scan import ddl_statements
from obsync_tui.engine.store.binlog.schemas import Schemas, resync
from obsync_tui.engine.store.binlog.server import BinlogServer
from obsync_tui.engine.store.store import DdlStatement, LogItem, SchemaVersion
from obsync_tui.model.position import Gtid, GtidSet
from obsync_tui.model.project import Objects, OnDrop
from obsync_tui.model.table import TableName, TableVersion


class SchemaEvolution:
    """Turns DDL on tables in scope into SchemaVersion and DdlStatement items."""

    def __init__(
        self,
        schemas: Schemas,
        server: BinlogServer,
        objects: Objects,
        project_id: str,
        stopping: threading.Event,
    ) -> None:
        self._schemas = schemas
        self._server = server
        self._objects = objects
        self._project_id = project_id
        self._stopping = stopping

    def apply(self, effects: list[Ddl], statement: str, gtid: Gtid, executed: GtidSet) -> list[LogItem]:
        """The items for a statement at `gtid`, `executed` being everything before it.

        Nothing is done of tables that are left out; one that is renamed to such a name is gone, and no more.
        SchemaChanged when the statement cannot be followed.
        """
        items: list[LogItem] = []
        for effect in self._spread(self._placed(effects)):
            left_out = self._schemas.left_out
            if effect.table in left_out:
                continue  # It was read under a later cut, which holds what became of it.
            target = effect.target
            renamed_in = target is not None and target not in left_out and self._schemas.matches(target)
            if not renamed_in and not self._schemas.matches(effect.table):
                continue
            where = f"{effect.table}, transaction {gtid}"
            if renamed_in:
                raise SchemaChanged(
                    f"{effect.table} was renamed to {effect.target}, which is in scope: {statement[:120]!r}",
                    where=where,
                    cure="Its rows were never read under that name. Exclude it, or read it: "
                    + resync(effect.target or effect.table),
                )
            items += self._follow(effect, gtid, executed, where)
            items.append(DdlStatement(effect.table, statement, str(effect.verb)))
        return items

    def _placed(self, effects: list[Ddl]) -> list[Ddl]:
        """Statements without a database, as Binlog Service may send them, on the tables that they can have changed."""
        if all(effect.table.database for effect in effects):
            return effects
        placed: list[Ddl] = []
        with self._server.connect() as connection:
            for effect in effects:
                if effect.table.database:
                    placed.append(effect)
                    continue
                known = self._schemas.named(effect.table.table)
                there = [
                    n for n in self._server.named(connection, effect.table.table) if self._schemas.matches(n)
                ]
                if effect.verb is Verb.CREATE:
                    names = [name for name in there if name not in known]
                elif effect.verb in (Verb.DROP, Verb.RENAME):
                    names = [name for name in known if name not in there]
                elif effect.verb is Verb.TRUNCATE:
                    names = known
                else:
                    names = [n for n in known if not self._schemas.same(n, self._server.table(connection, n))]
                placed += [_in_database(effect, name.database) for name in names]
        return placed

    def _spread(self, effects: list[Ddl]) -> list[Ddl]:
        """DROP DATABASE as one DROP per table that is known."""
        spread: list[Ddl] = []
        for effect in effects:
            if effect.verb is Verb.DROP_DATABASE:
                spread += [Ddl(Verb.DROP, name) for name in self._schemas.in_database(effect.table.database)]
            else:
                spread.append(effect)
        return spread

    def _follow(self, effect: Ddl, gtid: Gtid, executed: GtidSet, where: str) -> list[LogItem]:
        if effect.verb in (Verb.DROP, Verb.TRUNCATE, Verb.RENAME):
            if self._objects.on_drop is OnDrop.STOP:
                raise SchemaChanged(
                    f"{effect.verb.value.replace('_', ' ')} on a table in scope",
                    where=where,
                    cure='The project has on_drop = "stop". Decide, set it to "continue", and run again.',
                )
            if effect.verb is not Verb.TRUNCATE:
                self._schemas.drop(effect.table)
            return []
        if effect.verb in (Verb.CREATE_INDEX, Verb.DROP_INDEX) and not self._schemas.known(effect.table):
            return []
        created = effect.verb is Verb.CREATE
        if created and self._schemas.known(effect.table):
            return []  # CREATE TABLE IF NOT EXISTS of a table that exists.
        table = self._version(effect.table, gtid, executed, where, created)
        if table is None:
            return []  # Created and gone again: rows of it in between stop the Store, for want of a schema.
        self._schemas.put(table)
        return [SchemaVersion(table, created=created)]

    def _version(
        self, name: TableName, gtid: Gtid, executed: GtidSet, where: str, created: bool
    ) -> TableVersion | None:
        with self._server.connect() as connection:
            table = self._server.table(connection, name)
            ahead = GtidSet.parse(self._server.log(connection).executed)
        if table is None and created:
            return None
        reached = executed.copy()
        reached.add(gtid.uuid, gtid.gno)
        self._scan(name, reached, ahead, where)
        if table is None:
            raise SchemaChanged(
                "the table is not in the catalog any more",
                where=where,
                cure="Its rows cannot be read without a schema: exclude it, or reset the project.",
            )
        return TableVersion(
            table.name, table.columns, table.primary_key, table.unique_keys, table.engine, since=str(gtid)
        )

    def _scan(self, name: TableName, reached: GtidSet, ahead: GtidSet, where: str) -> None:
        """Look for another statement on the table between the position and the catalog's own."""
        for found in ddl_statements(self._server, self._project_id, reached, ahead, self._stopping):
            for effect in found.effects:
                dropped = effect.verb is Verb.DROP_DATABASE and effect.table.database == name.database
                if dropped or any(_names(one, name) for one in (effect.table, effect.target)):
                    raise SchemaChanged(
                        f"the log holds another DDL statement on the table, {found.statement[:120]!r} at "
                        f"{found.gtid}, that the catalog already shows",
                        where=where,
                        cure="The shape between the two is not known any more: exclude it, or read it anew: "
                        + resync(name),
                    )


def _in_database(effect: Ddl, database: str) -> Ddl:
    target = effect.target
    if target is not None and not target.database:
        target = TableName(database, target.table)
    return Ddl(effect.verb, TableName(database, effect.table.table), target)


def _names(written: TableName | None, name: TableName) -> bool:
    """Whether a statement's name can be the table's; it may have no database."""
    return written is not None and written.table == name.table and written.database in ("", name.database)

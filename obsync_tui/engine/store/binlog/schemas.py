"""The tables in scope, each with the schema version in force, and their wire shapes."""

from obsync_tui.engine.errors import SchemaMismatch
from obsync_tui.engine.store.binlog.tablemap import TableMap, mismatch, parse_table_map
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.engine.values.jsonbinary import JsonDialect
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import Gtid
from obsync_tui.model.project import DmlKind
from obsync_tui.model.table import Generated, TableName, TableVersion


class WireTable:
    """A table as one TABLE_MAP describes it: None as `table` when it is out of scope.

    `prefixes` are the bytes that stand before the first row image of a full-image rows event, per number of images;
    `kept` are spellings seen with other unused bits.
    """

    __slots__ = ("columns", "prefixes", "shape", "table")

    def __init__(self, table: TableVersion | None, shape: BinlogShape | None) -> None:
        self.table = table
        self.shape = shape
        self.columns = len(shape.types) if shape else 0
        if self.columns < 251:
            count = bytes([self.columns])
        else:
            count = b"\xfc" + self.columns.to_bytes(2, "little")
        bitmap = b"\xff" * ((self.columns + 7) // 8)
        extra = b"\x02\x00" + count
        self.prefixes = {
            DmlKind.INSERT: extra + bitmap,
            DmlKind.DELETE: extra + bitmap,
            DmlKind.UPDATE: extra + bitmap + bitmap,
        }


OUT_OF_SCOPE = WireTable(None, None)


class Schemas:
    """Schema versions in force by name, and the TABLE_MAP bodies met since the last DDL.

    The body is the key, never the table id: ids change with the server and with DDL.
    """

    def __init__(
        self, tables: tuple[TableVersion, ...], rules: ObjectRules, checksum: bool, json_dialect: JsonDialect
    ) -> None:
        self._tables = {table.name: table for table in tables}
        self._rules = rules
        self._checksum = checksum
        self._json_dialect = json_dialect
        self._by_body: dict[bytes, WireTable] = {}
        self.left_out: frozenset[TableName] = frozenset()

    def leave_out(self, tables: frozenset[TableName]) -> None:
        """Take these tables for out of scope, instead of those before."""
        self.left_out = tables
        self._by_body.clear()

    def matches(self, name: TableName) -> bool:
        """Whether the project's rules take the table."""
        return self._rules.matches(name)

    def known(self, name: TableName) -> bool:
        """Whether a version of the table is in force."""
        return name in self._tables

    def in_database(self, database: str) -> list[TableName]:
        """The known tables of a database."""
        return [name for name in self._tables if name.database == database]

    def named(self, table: str) -> list[TableName]:
        """The known tables of that name in any database."""
        return [name for name in self._tables if name.table == table]

    def same(self, name: TableName, there: TableVersion | None) -> bool:
        """Whether a table has the columns and keys of the version in force."""
        known = self._tables.get(name)
        if known is None or there is None:
            return known is there
        return (known.columns, known.primary_key, known.unique_keys) == (
            there.columns,
            there.primary_key,
            there.unique_keys,
        )

    def put(self, table: TableVersion) -> None:
        """Make the version the one in force."""
        self._tables[table.name] = table
        self._by_body.clear()

    def drop(self, name: TableName) -> None:
        """Forget a table that is gone."""
        self._tables.pop(name, None)
        self._by_body.clear()

    def wire_table(self, body: bytes, gtid: Gtid | None) -> WireTable:
        """The table of a TABLE_MAP body; SchemaMismatch when its shape is not the schema's in force."""
        found = self._by_body.get(body)
        if found is None:
            found = self._by_body[body] = self._resolve(body, str(gtid))
        return found

    def _resolve(self, body: bytes, gtid: str) -> WireTable:
        table_map = parse_table_map(body)
        name = table_map.name
        if name in self.left_out or not self._rules.matches(name):
            return OUT_OF_SCOPE
        table = self._tables.get(name)
        if table is None:
            raise SchemaMismatch(
                "the log has rows of a table whose schema is not known",
                where=f"{name}, transaction {gtid}",
                cure=f"It was renamed or restored into scope: exclude it, or read it: {resync(name)}",
            )
        table = _fitting(table, table_map, gtid)
        return WireTable(
            table, BinlogShape(table_map.types, table_map.metadata, self._checksum, self._json_dialect)
        )


def resync(name: TableName) -> str:
    """The command that reads a table anew."""
    return f"obsync project gap <project> --resync {name}"


def _fitting(table: TableVersion, table_map: TableMap, gtid: str) -> TableVersion:
    difference = mismatch(table.columns, table_map)
    if difference and len(table.columns) > len(table_map.types):
        # OceanBase leaves virtual generated columns out of its log.
        stored = tuple(c for c in table.columns if c.generated is not Generated.VIRTUAL)
        if not mismatch(stored, table_map):
            return TableVersion(
                table.name, stored, table.primary_key, table.unique_keys, table.engine, table.since
            )
    if difference:
        raise SchemaMismatch(
            difference,
            where=f"{table.name}, transaction {gtid}",
            cure="The table was changed in a way the log does not tell: exclude it, or read it anew: "
            + resync(table.name),
        )
    return table

"""The tenant's tables as they are now: columns in their order, keys, and what TABLE_MAP says of them.

Virtual generated columns are not in OceanBase's log and so not among the columns (reference 1.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.servers.binlogservice.columns import CatalogColumn, Column, Unfit, quoted, wire_of
from tests.servers.binlogservice.engine import Engine, listed

LOG_PREFIX = "mlog$_"
_OWN = ("oceanbase", "information_schema", "mysql", "sys_external_tbs", "sys", "SYS", "LBACSYS", "ORAAUDITOR")
_LONGEST_NAME = 58


@dataclass(frozen=True)
class Table:
    """A table that can be followed."""

    database: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    in_row_bytes: int = 8192

    @property
    def quoted(self) -> str:
        """The table's name for SQL."""
        return f"{quoted(self.database)}.{quoted(self.name)}"

    @property
    def log(self) -> str:
        """The view log's name for SQL."""
        return f"{quoted(self.database)}.{quoted(LOG_PREFIX + self.name)}"

    @property
    def map(self) -> tuple[bytes, bytes, bytes]:
        """Types, metadata and the bitmap of nullable columns."""
        nullable = sum(1 << place for place, column in enumerate(self.columns) if column.nullable)
        return (
            bytes(column.wire.type for column in self.columns),
            b"".join(column.wire.metadata for column in self.columns),
            nullable.to_bytes((len(self.columns) + 7) // 8, "little"),
        )


@dataclass(frozen=True)
class Found:
    """The tables that can be followed, and the reasons why others cannot, by `database.table`."""

    tables: dict[str, Table]
    refused: dict[str, str]


def read_tables(engine: Engine) -> Found:
    """All base tables outside of the engine's own databases."""
    names = engine.texts(
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
        f" AND TABLE_SCHEMA NOT IN ({listed(_OWN)})"
    )
    everyone = set(names)
    names = [
        (database, name)
        for database, name in names
        if not (
            name.startswith(("__", LOG_PREFIX))
            and (name.startswith("__") or (database, name.removeprefix(LOG_PREFIX)) in everyone)
        )
    ]
    columns = _columns(engine)
    keys = _keys(engine)
    found = Found({}, {})
    for database, name in sorted(names):
        try:
            found.tables[f"{database}.{name}"] = _table(database, name, columns, keys)
        except Unfit as reason:
            found.refused[f"{database}.{name}"] = str(reason)
    return found


Catalog = dict[tuple[str, str], list[tuple[str, ...]]]


def _columns(engine: Engine) -> Catalog:
    rows = engine.texts(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH,"
        " NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME, IS_NULLABLE, EXTRA,"
        " GENERATION_EXPRESSION FROM information_schema.COLUMNS"
        f" WHERE TABLE_SCHEMA NOT IN ({listed(_OWN)}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    )
    return _grouped(rows)


def _keys(engine: Engine) -> Catalog:
    rows = engine.texts(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE INDEX_NAME = 'PRIMARY'"
        f" AND TABLE_SCHEMA NOT IN ({listed(_OWN)}) ORDER BY TABLE_SCHEMA, TABLE_NAME, SEQ_IN_INDEX"
    )
    return _grouped(rows)


def _grouped(rows: Sequence[tuple[str, ...]]) -> Catalog:
    found: Catalog = {}
    for database, table, *rest in rows:
        found.setdefault((database, table), []).append(tuple(rest))
    return found


def _table(database: str, name: str, columns: Catalog, keys: Catalog) -> Table:
    if len(name) > _LONGEST_NAME or any(sign in database + name for sign in ".`'"):
        raise Unfit("the engine has no view logs for a table of this name")
    described = [_column(row) for row in columns.get((database, name), [])]
    return Table(
        database,
        name,
        tuple(column for column in described if column is not None),
        tuple(row[0] for row in keys.get((database, name), [])),
    )


def _column(row: tuple[str, ...]) -> Column | None:
    (
        name,
        data_type,
        column_type,
        characters,
        precision,
        scale,
        fraction,
        charset,
        nullable,
        extra,
        expression,
    ) = row
    if "VIRTUAL" in extra.upper():
        return None
    catalog = CatalogColumn(
        name,
        data_type.lower(),
        column_type,
        *(int(text) if text else None for text in (characters, precision, scale, fraction)),
        charset=charset or None,
    )
    stored = expression if "STORED" in extra.upper() else ""
    return Column(name, data_type.lower(), column_type, nullable == "YES", wire_of(catalog), stored)

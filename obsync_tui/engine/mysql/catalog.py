"""MySQL's catalog: the tables in scope as they are now, read in a few queries for all of them."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec
import pymysql

from obsync_tui.engine.errors import SourceError
from obsync_tui.engine.mysql.connection import address, query
from obsync_tui.engine.mysql.members import unprinted
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.table import Column, Generated, TableName, TableVersion

_CHARACTERS = ("char", "varchar", "binary", "varbinary")
_MEMBERS = ("enum", "set")
_NUMBERS = ("decimal", "float", "double")
# What MySQL writes with a backslash in COLUMN_TYPE; a quote it doubles.
_ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "\\": "\\"}
_CONNECTION = re.compile(r"( CONNECTION=)'(?:[^'\\]|\\.|'')*'")
_FEDERATED = "\n) ENGINE=FEDERATED "
# The members of an ENUM or SET from the text in COLUMN_TYPE and the column's character set.
Members = Callable[[str, str | None], tuple[str, ...]]
# Below this share of a schema's tables, one query a table is cheaper than the whole schema's.
_FEW = 0.05


class _TableRow(msgspec.Struct, array_like=True):
    table: str
    engine: str | None


class _ColumnRow(msgspec.Struct, array_like=True):
    table: str
    name: str
    data_type: str
    column_type: str
    is_nullable: str
    charset: str | None
    collation: str | None
    characters: int | None
    precision: int | None
    scale: int | None
    fsp: int | None
    extra: str


class _KeyRow(msgspec.Struct, array_like=True):
    table: str
    key: str
    column: str | None
    prefix: int | None
    nullable: str | None


def mysql_members(column_type: str, charset: str | None) -> tuple[str, ...]:
    """The members of an ENUM or SET as MySQL's catalog prints them; ValueError when the text is of another form."""
    return unprinted(parse_members(column_type), charset)


def read_tables(
    connection: pymysql.Connection, rules: ObjectRules, members: Members = mysql_members
) -> tuple[TableVersion, ...]:
    """Every base table in scope, sorted by name; raises SourceError."""
    schemas = [
        schema
        for schema in msgspec.convert(
            [row[0] for row in query(connection, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")],
            list[str],
        )
        if rules.may_hold(schema)
    ]
    versions: list[TableVersion] = []
    for schema in sorted(schemas):
        names = _base_tables(connection, schema)
        wanted = {table: engine for table, engine in names.items() if rules.matches(TableName(schema, table))}
        if len(wanted) < _FEW * len(names):
            found = (read_table(connection, TableName(schema, table), members) for table in sorted(wanted))
            versions += [version for version in found if version is not None]
        elif wanted:
            versions += _versions(connection, schema, wanted, None, members)
    return tuple(versions)


def read_table(
    connection: pymysql.Connection, name: TableName, members: Members = mysql_members
) -> TableVersion | None:
    """One base table, None when there is none of that name; raises SourceError."""
    names = _base_tables(connection, name.database, name.table)
    # information_schema may compare names without case; a table of another spelling is another table.
    if name.table not in names:
        return None
    engines = {name.table: names[name.table]}
    found = _versions(connection, name.database, engines, name.table, members)
    return found[0] if found else None


def read_ddl(connection: pymysql.Connection, name: TableName) -> str:
    """The statement that makes a table, as the server prints it; raises SourceError (1146, 1049: not there).

    Of a FEDERATED table the server prints the address of another one with its password, which is left out.
    """
    row = query(connection, f"SHOW CREATE TABLE {name.quoted}")[0]
    text = row[1]
    # A driver gives bytes where a server marks the column as binary.
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    columns, engine, options = text.partition(_FEDERATED)
    return columns + engine + _CONNECTION.sub(r"\1'***'", options)


def estimates(connection: pymysql.Connection, names: Iterable[TableName]) -> dict[TableName, int]:
    """The server's estimate of each table's rows, 0 when it has none; a table that is gone is left out."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name in names:
        wanted[name.database].add(name.table)
    result: dict[TableName, int] = {}
    for schema, tables in wanted.items():
        rows = query(
            connection,
            "SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s",
            (schema,),
        )
        for table, count in msgspec.convert(rows, list[tuple[str, int | None]]):
            if table in tables:
                result[TableName(schema, table)] = count or 0
    return result


def parse_members(column_type: str) -> tuple[str, ...]:
    """The members of `enum('a','b''c')` or `set(…)`, as `information_schema.COLUMNS` prints them.

    MySQL doubles quotes and writes NUL, newline, carriage return and backslash as backslash sequences
    (`append_unescaped` in its sources). ValueError when the text is not of that form.
    """
    members: list[str] = []
    i = column_type.find("(") + 1
    while i > 0 and column_type[i : i + 1] == "'":
        i += 1
        parts: list[str] = []
        while True:
            character = column_type[i : i + 1]
            following = column_type[i + 1 : i + 2]
            if character == "\\" and following:
                parts.append(_ESCAPES.get(following, following))
                i += 2
            elif character == "'" and following == "'":
                parts.append("'")
                i += 2
            elif character == "'":
                break
            elif character:
                parts.append(character)
                i += 1
            else:
                raise ValueError(f"not an ENUM or SET type: {column_type}")
        members.append("".join(parts))
        if following == ")":
            return tuple(members)
        i += 2 if following == "," else len(column_type)
    raise ValueError(f"not an ENUM or SET type: {column_type}")


def _base_tables(connection: pymysql.Connection, schema: str, table: str | None = None) -> dict[str, str]:
    """Name to storage engine."""
    sql = (
        "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = %s AND TABLE_TYPE = 'BASE TABLE'"
    )
    rows = msgspec.convert(_of_schema(connection, sql, "", schema, table), list[_TableRow])
    return {row.table: row.engine or "" for row in rows}


def _of_schema(
    connection: pymysql.Connection, sql: str, order: str, schema: str, table: str | None
) -> list[tuple[object, ...]]:
    # Only an equality lets MySQL 5.7 skip the tables of other schemas.
    if table is None:
        return query(connection, sql + order, (schema,))
    return query(connection, f"{sql} AND TABLE_NAME = %s{order}", (schema, table))


def _versions(
    connection: pymysql.Connection, schema: str, engines: dict[str, str], table: str | None, members: Members
) -> list[TableVersion]:
    columns = _columns(connection, schema, engines, table, members)
    primary, unique = _keys(connection, schema, engines, table)
    return [
        TableVersion(
            name=TableName(schema, name),
            columns=tuple(columns[name]),
            primary_key=primary.get(name, ()),
            unique_keys=unique.get(name, ()),
            engine=engines[name],
        )
        for name in sorted(engines)
        if name in columns
    ]


def _columns(
    connection: pymysql.Connection, schema: str, wanted: Iterable[str], table: str | None, members: Members
) -> dict[str, list[Column]]:
    sql = (
        "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, COLLATION_NAME,"
        " CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, EXTRA"
        " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
    )
    rows = _of_schema(connection, sql, " ORDER BY TABLE_NAME, ORDINAL_POSITION", schema, table)
    result: dict[str, list[Column]] = defaultdict(list)
    names = set(wanted)
    for row in msgspec.convert(rows, list[_ColumnRow]):
        if row.table in names:
            result[row.table].append(_column(row, f"{address(connection)}, {schema}.{row.table}", members))
    return result


def _column(row: _ColumnRow, where: str, read_members: Members) -> Column:
    data_type = row.data_type.lower()
    members: tuple[str, ...] = ()
    if data_type in _MEMBERS:
        try:
            members = read_members(row.column_type, row.charset)
        except ValueError as error:
            raise SourceError(f"column {row.name}: {error}", where=where) from error
    length = 0
    if data_type in _CHARACTERS:
        length = row.characters or 0
    elif data_type == "bit":
        length = row.precision or 1
    numeric = data_type in _NUMBERS
    text = row.charset is not None and row.charset != "binary"
    return Column(
        name=row.name,
        data_type=data_type,
        column_type=row.column_type,
        nullable=row.is_nullable == "YES",
        # Behind the parentheses: a member of an ENUM may be called that.
        unsigned=not members and "unsigned" in row.column_type.rpartition(")")[2],
        charset=row.charset if text else None,
        collation=row.collation if text else None,
        members=members,
        length=length,
        precision=(row.precision or 0) if numeric else 0,
        scale=(row.scale or 0) if numeric else 0,
        fsp=row.fsp or 0,
        generated=_generated(row.extra.upper()),
    )


def _generated(extra: str) -> Generated | None:
    # DEFAULT_GENERATED, with an underscore, is 8.0's word for a default that is an expression.
    if "VIRTUAL GENERATED" in extra:
        return Generated.VIRTUAL
    if "STORED GENERATED" in extra or extra == "PERSISTENT":
        return Generated.STORED
    return None


_Keys = dict[str, tuple[tuple[str, ...], ...]]


def _keys(
    connection: pymysql.Connection, schema: str, wanted: Iterable[str], table: str | None
) -> tuple[dict[str, tuple[str, ...]], _Keys]:
    """Primary keys, and the unique keys that identify a row, by table, sorted by their names."""
    sql = (
        "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART, NULLABLE FROM information_schema.STATISTICS"
        " WHERE TABLE_SCHEMA = %s AND NON_UNIQUE = 0 /*!80000 AND IS_VISIBLE = 'YES' */"
    )
    rows = _of_schema(connection, sql, " ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX", schema, table)
    names = set(wanted)
    parts: dict[tuple[str, str], list[_KeyRow]] = defaultdict(list)
    for row in msgspec.convert(rows, list[_KeyRow]):
        if row.table in names:
            parts[row.table, row.key].append(row)
    primary: dict[str, tuple[str, ...]] = {}
    unique: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for (name, key), fields in parts.items():
        columns = tuple(field.column for field in fields if _identifies(key, field) and field.column)
        if key == "PRIMARY":
            primary[name] = columns
        elif len(columns) == len(fields):
            unique[name].append(columns)
    return primary, {name: tuple(keys) for name, keys in unique.items()}


def _identifies(key: str, field: _KeyRow) -> bool:
    """Whether a key's field is a whole column that is never NULL; a functional part has no column."""
    return key == "PRIMARY" or (field.prefix is None and field.nullable != "YES")

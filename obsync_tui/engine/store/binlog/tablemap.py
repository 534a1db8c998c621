"""TABLE_MAP bodies, and whether a table's schema fits one.

Format: MySQL internals, `Table_map_log_event`. Column names, signs, charsets and members are not in it.
"""

import msgspec

from obsync_tui.engine.rowplan.binlog import string_metadata
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.model.table import Column, TableName

_TWO_BYTES = (
    *(WireType.VARCHAR, WireType.BIT, WireType.NEWDECIMAL, WireType.ENUM, WireType.SET),
    *(WireType.VAR_STRING, WireType.STRING),
)
_ONE_BYTE = (
    *(WireType.FLOAT, WireType.DOUBLE, WireType.BLOB, WireType.JSON, WireType.GEOMETRY),
    *(WireType.TIMESTAMP2, WireType.DATETIME2, WireType.TIME2),
)


class TableMap(msgspec.Struct, frozen=True):
    """A table's name and the wire's types; metadata of two bytes has the first byte high where the type packs two."""

    name: TableName
    types: bytes
    metadata: tuple[int, ...]


def read_length(body: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer and where the next byte is."""
    first = body[at]
    if first < 251:
        return first, at + 1
    width = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(body[at + 1 : at + 1 + width], "little"), at + 1 + width


def parse_table_map(body: bytes) -> TableMap:
    """Read a TABLE_MAP from behind its table id and flags."""
    at = 1 + body[0]
    database = body[1:at].decode("utf-8", "surrogateescape")
    length = body[at + 1]
    table = body[at + 2 : at + 2 + length].decode("utf-8", "surrogateescape")
    count, at = read_length(body, at + 3 + length)
    types = body[at : at + count]
    _, at = read_length(body, at + count)
    metadata: list[int] = []
    for wire_type in types:
        if wire_type in _TWO_BYTES:
            first, second = body[at], body[at + 1]
            # VARCHAR's length is a little-endian number; BIT's is (bits, bytes); the others pack two bytes in order.
            low_first = wire_type in (WireType.VARCHAR, WireType.VAR_STRING, WireType.BIT)
            metadata.append(second << 8 | first if low_first else first << 8 | second)
            at += 2
        elif wire_type in _ONE_BYTE:
            metadata.append(body[at])
            at += 1
        else:
            metadata.append(0)
    return TableMap(TableName(database, table), types, tuple(metadata))


_EXPECTED: dict[str, tuple[int, ...]] = {
    "tinyint": (WireType.TINY,),
    "smallint": (WireType.SHORT,),
    "mediumint": (WireType.INT24,),
    "int": (WireType.LONG,),
    "bigint": (WireType.LONGLONG,),
    "decimal": (WireType.NEWDECIMAL,),
    "float": (WireType.FLOAT,),
    "double": (WireType.DOUBLE,),
    "bit": (WireType.BIT,),
    "year": (WireType.YEAR,),
    "date": (WireType.DATE,),
    "time": (WireType.TIME2,),
    "datetime": (WireType.DATETIME2,),
    "timestamp": (WireType.TIMESTAMP2,),
    "char": (WireType.STRING,),
    "binary": (WireType.STRING,),
    "enum": (WireType.ENUM,),
    "set": (WireType.SET,),
    "varchar": (WireType.VARCHAR, WireType.VAR_STRING),
    "varbinary": (WireType.VARCHAR, WireType.VAR_STRING),
    "json": (WireType.JSON,),
}
_BLOB_LENGTHS = {"tinyblob": 1, "tinytext": 1, "blob": 2, "text": 2, "mediumblob": 3, "mediumtext": 3}
_BLOB_LENGTHS |= {"longblob": 4, "longtext": 4}


def mismatch(columns: tuple[Column, ...], table_map: TableMap) -> str:
    """How the schema and the wire differ, both shapes told; empty when they agree."""
    wire = ", ".join(
        f"{t}({m})" if m else str(t) for t, m in zip(table_map.types, table_map.metadata, strict=True)
    )
    schema = ", ".join(f"{c.name} {c.column_type}" for c in columns)
    if len(columns) != len(table_map.types):
        return (
            f"the log has {len(table_map.types)} columns, the schema in force {len(columns)}; "
            f"wire types: {wire}; schema: {schema}"
        )
    for i, column in enumerate(columns):
        wire_type, metadata = table_map.types[i], table_map.metadata[i]
        if not _fits(column, wire_type, metadata):
            return (
                f"column {column.name} is {column.column_type} in the schema in force but type {wire_type}({metadata}) "
                f"in the log; wire types: {wire}; schema: {schema}"
            )
    return ""


def _fits(column: Column, wire_type: int, metadata: int) -> bool:
    data_type = column.data_type
    real = string_metadata(metadata)[0] if wire_type == WireType.STRING else wire_type
    if data_type in _BLOB_LENGTHS:
        return wire_type == WireType.BLOB and metadata == _BLOB_LENGTHS[data_type]
    if data_type not in _EXPECTED:
        return wire_type == WireType.GEOMETRY
    if real not in _EXPECTED[data_type]:
        return False
    if data_type == "decimal":
        return metadata == (column.precision << 8 | column.scale)
    if data_type in ("time", "datetime", "timestamp"):
        return metadata == column.fsp
    if data_type == "bit":
        return (metadata >> 8) * 8 + (metadata & 0xFF) == column.length
    if data_type in ("binary", "varbinary"):
        return (string_metadata(metadata)[1] if wire_type == WireType.STRING else metadata) == column.length
    return True

"""OMS's Default and DefaultExtendColumnType formats.

Source: OMS Community Edition 4.2.2, "Data formats". One JSON object a message; values are native JSON.
"""

from json.encoder import encode_basestring as quote

from obsync_tui.engine.formats.dialect import oms_renderer, schema_type
from obsync_tui.engine.formats.plan import (
    DdlRecord,
    Identity,
    Image,
    Joined,
    Literal,
    MessageFormat,
    MessagePlan,
    Operation,
    RecordKind,
    Value,
    Variable,
)
from obsync_tui.model.table import TableVersion

_SEPARATOR = "\x01"


def _nullable(text: str | None) -> str:
    return "null" if text is None else quote(text)


def _database(database: str, identity: Identity) -> str:
    return f"{identity.tenant}.{database}" if identity.tenant else database


def _struct(table: TableVersion, image: Image, light_types: bool) -> list[Operation]:
    operations: list[Operation] = []
    unknown = table.unknown_before if image is Image.BEFORE else table.unknown_after
    lead = "{"
    for i, column in enumerate(table.columns):
        if column.name in unknown:
            continue
        operations.append(Literal(f"{lead}{quote(column.name)}:"))
        operations.append(Value(i, image, oms_renderer(column)))
        lead = ","
    if light_types:
        types = ",".join(f'{quote(c.name)}:{{"schemaType":{quote(schema_type(c))}}}' for c in table.columns)
        operations.append(Literal(f'{lead}"__light_type":{{{types}}}'))
    operations.append(Literal("}"))
    return operations


def _key(table: TableVersion, image: Image) -> list[Operation]:
    if not table.primary_key:
        return [Literal('"record_primary_key":null,"record_primary_value":null')]
    parts: list[str | int] = []
    for name in table.primary_key:
        parts += [_SEPARATOR, table.column_index(name)] if parts else [table.column_index(name)]
    names = quote(_SEPARATOR.join(table.primary_key))
    return [Literal(f'"record_primary_key":{names},"record_primary_value":'), Joined(tuple(parts), image)]


def _row_checkpoint(table: TableVersion) -> Operation:
    parts: list[str | int] = []
    for name in table.primary_key:
        parts += [f"{_SEPARATOR if parts else ''}{name}=", table.column_index(name)]
    return Joined(tuple(parts), Image.AFTER) if parts else Literal("null")


def _row_metadata(table: TableVersion, identity: Identity) -> list[Operation]:
    return [
        Literal('"allMetaData":{"checkpoint":'),
        _row_checkpoint(table),
        Literal(","),
        *_key(table, Image.AFTER),
        Literal(
            f',"source_identity":"0","dbType":{quote(identity.db_type)},"table_name":{quote(table.name.table)},'
            f'"db":{quote(_database(table.name.database, identity))}}}'
        ),
    ]


def _change_metadata(table: TableVersion, image: Image, identity: Identity) -> list[Operation]:
    return [
        Literal('"allMetaData":{"checkpoint":"'),
        Variable.COMMIT_S,
        Literal('",'),
        *_key(table, image),
        Literal(
            f',"source_identity":{quote(identity.source_identity)},"dbType":{quote(identity.db_type)}'
            ',"storeDataSequence":'
        ),
        Variable.SEQUENCE,
        Literal(
            f',"table_name":{quote(table.name.table)},"db":{quote(_database(table.name.database, identity))}'
            ',"timestamp":"'
        ),
        Variable.COMMIT_S,
        Literal('","uniqueId":"'),
        Variable.GNO,
        Literal('","transId":"'),
        Variable.GTID,
        Literal(f'","clusterId":{_nullable(identity.cluster_id)},"ddlType":null{_unknown(table)}}}'),
    ]


def _unknown(table: TableVersion) -> str:
    """The columns left out of a struct because the log does not tell their value."""
    names = sorted({*table.unknown_before, *table.unknown_after})
    return f',"unknownColumns":[{",".join(map(quote, names))}]' if names else ""


def _plan(table: TableVersion, kind: RecordKind, identity: Identity, light_types: bool) -> MessagePlan:
    operations: list[Operation] = [Literal('{"prevStruct":')]
    if kind in (RecordKind.UPDATE, RecordKind.DELETE):
        operations += _struct(table, Image.BEFORE, light_types)
    else:
        operations.append(Literal("null"))
    operations.append(Literal(',"postStruct":'))
    if kind is RecordKind.DELETE:
        operations.append(Literal("null"))
    else:
        operations += _struct(table, Image.AFTER, light_types)
    operations.append(Literal(","))
    if kind is RecordKind.ROW:
        operations += _row_metadata(table, identity)
    else:
        image = Image.BEFORE if kind is RecordKind.DELETE else Image.AFTER
        operations += _change_metadata(table, image, identity)
    operations.append(Literal(f',"recordType":"{kind}"}}'))
    return MessagePlan(tuple(operations))


def _ddl(record: DdlRecord, identity: Identity, light_types: bool) -> bytes:
    light = ',"__light_type":{"ddl":{"schemaType":"VAR_STRING"}}' if light_types else ""
    return (
        f'{{"prevStruct":null,"postStruct":{{"ddl":{quote(record.statement)}{light}}},'
        f'"allMetaData":{{"checkpoint":"{record.commit_s}","record_primary_key":null,"record_primary_value":null,'
        f'"source_identity":null,"dbType":{quote(identity.db_type)},"storeDataSequence":null,'
        f'"table_name":{quote(record.table.table)},"db":{quote(record.table.database)},'
        f'"timestamp":"{record.commit_s}","uniqueId":null,"ddlType":{quote(record.ddl_type)}}},"recordType":"DDL"}}'
    ).encode("utf-8", "surrogatepass")


def _heartbeat(commit_s: int, identity: Identity) -> bytes:
    return (
        f'{{"prevStruct":null,"postStruct":null,"allMetaData":{{"checkpoint":"{commit_s}",'
        f'"dbType":{quote(identity.db_type)},"timestamp":"{commit_s}"}},"recordType":"HEARTBEAT"}}'
    ).encode()


DEFAULT = MessageFormat(
    row=lambda table, kind, identity: _plan(table, kind, identity, light_types=False),
    ddl=lambda record, identity: _ddl(record, identity, light_types=False),
    heartbeat=_heartbeat,
)
DEFAULT_EXTEND_COLUMN_TYPE = MessageFormat(
    row=lambda table, kind, identity: _plan(table, kind, identity, light_types=True),
    ddl=lambda record, identity: _ddl(record, identity, light_types=True),
    heartbeat=_heartbeat,
)

"""Default and DefaultExtendColumnType to the byte, against OMS's documented examples."""

from __future__ import annotations

import json
import struct

from obsync_tui.engine.formats.default import DEFAULT, DEFAULT_EXTEND_COLUMN_TYPE
from obsync_tui.engine.formats.plan import DdlRecord, Identity, RecordKind
from obsync_tui.engine.store.store import BinlogShape, TextShape
from obsync_tui.model.table import Column, TableName, TableVersion
from tests.engine.rowplan.images import COMMIT_S, GTID, IDENTITY, ITEM, Planned, item, text_row

GOODS = TableVersion(
    TableName("shop", "item"),
    (
        Column("id", "int", "int(11)", nullable=False),
        Column("name", "varchar", "varchar(40)", charset="utf8mb4", length=40),
        Column("price", "decimal", "decimal(10,2)", precision=10, scale=2),
        Column("pic", "blob", "blob"),
        Column("d", "date", "date"),
        Column("t", "time", "time"),
        Column("dt", "datetime", "datetime"),
        Column("ts", "timestamp", "timestamp(6)", fsp=6),
    ),
    primary_key=("id",),
)
GOODS_SHAPE = BinlogShape(
    bytes([3, 15, 246, 252, 10, 19, 18, 17]), (0, 160, 10 << 8 | 2, 2, 0, 0, 0, 6), checksum=False
)
GOODS_IMAGE = (
    b"\x00" + struct.pack("<i", 7) + b"\x03pen" + bytes([0x80, 0, 0, 2, 50]) + b"\x02\x00hi"
    + (2024 << 9 | 5 << 5 | 1).to_bytes(3, "little")
    + (0x800000 + (8 << 12 | 1)).to_bytes(3, "big")
    + (0x8000000000 + ((2024 * 13 + 5) << 22 | 1 << 17 | 8 << 12 | 1)).to_bytes(5, "big")
    + (1714521601).to_bytes(4, "big") + (12345).to_bytes(3, "big")
)  # fmt: skip
POST = (
    '{"id":7,"name":"pen","price":2.50,"pic":"aGk=","d":"2024-05-01","t":"08:00:01","dt":"2024-05-01 08:00:01",'
    '"ts":"1714521601.012345"}'
)


def change(prev: str, post: str, kind: str, sequence: int = 171452160100001, pk: str = "7") -> bytes:
    return (
        f'{{"prevStruct":{prev},"postStruct":{post},"allMetaData":{{"checkpoint":"1714521601","record_primary_key":"id",'
        f'"record_primary_value":"{pk}","source_identity":"OB_MYSQL_np_x_1-0","dbType":"OB_MYSQL",'
        f'"storeDataSequence":{sequence},"table_name":"item","db":"mytenant.shop","timestamp":"1714521601",'
        f'"uniqueId":"5","transId":"{GTID}","clusterId":"1","ddlType":null}},"recordType":"{kind}"}}'
    ).encode()


def test_insert() -> None:
    plan = Planned(RecordKind.INSERT, GOODS, GOODS_SHAPE)
    assert plan.run(GOODS_IMAGE)[:2] == (1, COMMIT_S * 100000 + 1)
    assert plan.values() == [change("null", POST, "INSERT")]


def test_insert_has_what_the_reference_shows() -> None:
    """The documented example, but for the values that this project defines: checkpoint, uniqueId and transId."""
    example = json.loads(
        '{"prevStruct":null,"postStruct":{"id":7,"name":"pen","price":2.50,"pic":"aGk=","d":"2024-05-01","t":"08:00:01","dt":"2024-05-01 08:00:01","ts":"1714521601.012345"},'
        '"allMetaData":{"checkpoint":"1714521600","record_primary_key":"id","record_primary_value":"7","source_identity":"OB_MYSQL_np_x_1-0","dbType":"OB_MYSQL","storeDataSequence":171452160100001,"table_name":"item","db":"mytenant.shop","timestamp":"1714521601","uniqueId":"1","transId":"1002_336195","clusterId":"1","ddlType":null},"recordType":"INSERT"}'
    )
    plan = Planned(RecordKind.INSERT, GOODS, GOODS_SHAPE)
    plan.run(GOODS_IMAGE)
    ours = json.loads(plan.values()[0])
    assert list(ours) == list(example)
    assert list(ours["allMetaData"]) == list(example["allMetaData"])
    for name in ("checkpoint", "uniqueId", "transId"):
        del ours["allMetaData"][name], example["allMetaData"][name]
    assert ours == example


def test_update_and_delete() -> None:
    pen, pencil = '{"id":7,"name":"pen","place":"A"}', '{"id":7,"name":null,"place":"B"}'
    plan = Planned(RecordKind.UPDATE)
    plan.run(item(7, "pen") + item(7, None, "B"))
    assert plan.values() == [change(pen, pencil, "UPDATE")]
    plan = Planned(RecordKind.DELETE)
    plan.run(item(7, None, "B"))
    assert plan.values() == [change(pencil, "null", "DELETE")]


def test_row() -> None:
    plan = Planned(RecordKind.ROW, shape=TextShape(3))
    plan.run(text_row(b"1", b"ink", b"A"), text_row(b"2", None, b"B"))
    rows = [
        f'{{"prevStruct":null,"postStruct":{{"id":{i},"name":{name},"place":"{place}"}},"allMetaData":'
        f'{{"checkpoint":"id={i}","record_primary_key":"id","record_primary_value":"{i}","source_identity":"0",'
        f'"dbType":"OB_MYSQL","table_name":"item","db":"mytenant.shop"}},"recordType":"ROW"}}'
        for i, name, place in ((1, '"ink"', "A"), (2, "null", "B"))
    ]
    assert sorted(plan.values()) == sorted(row.encode() for row in rows)


def test_without_key_and_tenant() -> None:
    """A MySQL source: no tenant, no cluster; a table without primary key has no record_primary_key."""
    bare = TableVersion(ITEM.name, ITEM.columns)
    identity = Identity("MYSQL", "MYSQL_np_x_1-0")
    insert = Planned(RecordKind.INSERT, bare, identity=identity)
    insert.run(item(7, "pen"))
    metadata = json.loads(insert.values()[0])["allMetaData"]
    assert (metadata["record_primary_key"], metadata["record_primary_value"]) == (None, None)
    assert (metadata["db"], metadata["clusterId"], metadata["transId"]) == ("shop", None, GTID)
    row = Planned(RecordKind.ROW, bare, TextShape(3), identity=identity)
    row.run(text_row(b"1", b"ink", b"A"))
    assert json.loads(row.values()[0])["allMetaData"]["checkpoint"] is None


def test_ddl_and_heartbeat() -> None:
    record = DdlRecord(ITEM.name, 'alter table shop.item add column "c1" int', "ALTER_TABLE", 1714521604)
    head = '{"prevStruct":null,"postStruct":{"ddl":"alter table shop.item add column \\"c1\\" int"'
    tail = (
        '},"allMetaData":{"checkpoint":"1714521604","record_primary_key":null,"record_primary_value":null,'
        '"source_identity":null,"dbType":"OB_MYSQL","storeDataSequence":null,"table_name":"item","db":"shop",'
        '"timestamp":"1714521604","uniqueId":null,"ddlType":"ALTER_TABLE"},"recordType":"DDL"}'
    )
    assert DEFAULT.ddl(record, IDENTITY) == (head + tail).encode()
    light = ',"__light_type":{"ddl":{"schemaType":"VAR_STRING"}}'
    assert DEFAULT_EXTEND_COLUMN_TYPE.ddl(record, IDENTITY) == (head + light + tail).encode()
    heartbeat = (
        b'{"prevStruct":null,"postStruct":null,"allMetaData":{"checkpoint":"1714521610","dbType":"OB_MYSQL",'
        b'"timestamp":"1714521610"},"recordType":"HEARTBEAT"}'
    )
    assert DEFAULT.heartbeat(1714521610, IDENTITY) == heartbeat
    assert DEFAULT_EXTEND_COLUMN_TYPE.heartbeat(1714521610, IDENTITY) == heartbeat


def test_extended_structs_tell_their_types() -> None:
    light = '"__light_type":{"id":{"schemaType":"INT"},"name":{"schemaType":"VARCHAR"},"place":{"schemaType":"VARCHAR"}}'
    pen = f'{{"id":7,"name":"pen","place":"A",{light}}}'
    pencil = f'{{"id":7,"name":"pencil","place":"A",{light}}}'
    update = Planned(RecordKind.UPDATE, message_format=DEFAULT_EXTEND_COLUMN_TYPE)
    update.run(item(7, "pen") + item(7, "pencil"))
    assert update.values() == [change(pen, pencil, "UPDATE")]
    delete = Planned(RecordKind.DELETE, message_format=DEFAULT_EXTEND_COLUMN_TYPE)
    delete.run(item(7, "pen"))
    assert delete.values() == [change(pen, "null", "DELETE")]
    row = Planned(RecordKind.ROW, shape=TextShape(3), message_format=DEFAULT_EXTEND_COLUMN_TYPE)
    row.run(text_row(b"7", b"pen", b"A"))
    assert row.values()[0].startswith(f'{{"prevStruct":null,"postStruct":{pen},"allMetaData"'.encode())


def test_text_and_names_are_escaped() -> None:
    table = TableVersion(
        TableName('sh"op', "it{e}m\\"),
        (
            Column('i"d', "int", "int(11)", nullable=False),
            Column("{n}\n", "varchar", "varchar(40)", charset="utf8mb4", length=40),
            Column("p'`", "varchar", "varchar(10)", nullable=False, charset="utf8mb4", length=10),
        ),
        primary_key=('i"d', "p'`"),
    )
    text = 'a"b\\{c}\x00\n\x7fñ😀'
    struct_of = {'i"d': 7, "{n}\n": text, "p'`": 'x"'}
    insert = Planned(RecordKind.INSERT, table)
    insert.run(item(7, text, 'x"'))
    body = json.loads(insert.values()[0])
    assert body["postStruct"] == struct_of
    assert list(body["postStruct"]) == list(struct_of)
    assert body["allMetaData"]["record_primary_key"] == "i\"d\x01p'`"
    assert body["allMetaData"]["record_primary_value"] == '7\x01x"'
    assert (body["allMetaData"]["db"], body["allMetaData"]["table_name"]) == ('mytenant.sh"op', "it{e}m\\")
    row = Planned(RecordKind.ROW, table, TextShape(3))
    row.run(text_row(b"7", text.encode(), b'x"'))
    body = json.loads(row.values()[0])
    assert body["postStruct"] == struct_of
    assert body["allMetaData"]["checkpoint"] == 'i"d=7\x01p\'`=x"'
    # A numeric key needs no escaping; its name does.
    numeric = TableVersion(table.name, table.columns, ('i"d',))
    row = Planned(RecordKind.ROW, numeric, TextShape(3))
    row.run(text_row(b"7", None, b"x"))
    assert json.loads(row.values()[0])["allMetaData"]["checkpoint"] == 'i"d=7'

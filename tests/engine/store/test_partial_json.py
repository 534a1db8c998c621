"""JSON that comes in part: the messages have the documents that the server has."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from pymysql.cursors import Cursor

from obsync_tui.engine.store.binlog.partial import PartialRows
from obsync_tui.engine.store.binlog.wiretype import WireType
from obsync_tui.engine.store.store import BinlogShape
from obsync_tui.engine.values.jsondiff import apply_diffs
from obsync_tui.engine.values.jsontree import write_tree
from obsync_tui.model.position import LogPosition
from tests.contract.sources import ServiceSource
from tests.engine.store.test_lobs import messages
from tests.servers import BinlogService, MySQLServer
from tests.servers.rawdump import PARTIAL_UPDATE_ROWS, UPDATE_ROWS, RawDump
from tests.types.pipeline import Reader, texts

# Long enough that a part is shorter than the whole, and 64 KiB in one row: the form for large documents.
_DOCUMENT = (
    "JSON_OBJECT('a', {n}, 'list', JSON_ARRAY(1, 'two', NULL, JSON_ARRAY(3, 4), JSON_OBJECT('x', 1)),"
    " 'obj', JSON_OBJECT('k', 'v', 'a b', true, 'é\"\\\\', -1, 'deep', JSON_OBJECT('er', JSON_ARRAY())),"
    " 'd', CAST('12.50' AS DECIMAL(10,3)), 't', TIMESTAMP('2020-01-02 03:04:05.678'), 'f', 1.0e0,"
    " 'big', 18446744073709551615, 'pad', REPEAT('p', {pad}))"
)
_VALUES = (
    "7", "-40000", "3000000000", "-5000000000", "18446744073709551615", "1.0e0", "1e300", "0.1e0", "true", "NULL",
    "CAST('null' AS JSON)", "'short'", "'ünï \\\\ \" \\n'", "REPEAT('l', 200)", "CAST('-1.50' AS DECIMAL(5,2))",
    "DATE('2021-02-03')", "TIME('-01:02:03.5')", "TIMESTAMP('2021-02-03 04:05:06')", "_binary x'00ff'",
    "JSON_OBJECT()", "JSON_ARRAY()", "JSON_OBJECT('z', 1, 'aa', JSON_ARRAY(1.5e0, 'x'), 'b', NULL)",
    "JSON_ARRAY(1, JSON_OBJECT('q', 'r'))", "j",
)  # fmt: skip
_PATHS = (
    "$.a", "$.list", "$.list[0]", "$.list[2]", "$.list[last]", "$.list[last-1]", "$.list[99]", "$.list[3][1]",
    "$.list[3][7]", "$.list[4].x", "$.list[4].y", "$.obj", "$.obj.k", '$.obj."a b"', '$.obj."é\\\\"\\\\\\\\"',
    "$.obj.new", '$.obj."n e.w[1]"', "$.obj.deep.er", "$.obj.deep.er[0]", "$.obj.deep.other", "$.d", "$.t", "$.f",
    "$.big", "$.pad", '$."名"', "$.a[0]", "$.obj[0].k",
)  # fmt: skip
_STATEMENTS = 400

Documents = tuple[str | None, str | None]


def _assignment(rng: random.Random) -> str:
    text = "j"
    for _ in range(rng.randint(1, 3)):
        path = rng.choice(_PATHS)
        verb = rng.choice(("JSON_SET", "JSON_SET", "JSON_REPLACE", "JSON_REMOVE"))
        value = "" if verb == "JSON_REMOVE" else f", {rng.choice(_VALUES)}"
        text = f"{verb}({text}, '{path}'{value})"
    return text


def _rows(cursor: Cursor) -> dict[int, Documents]:
    cursor.execute("SELECT id, CAST(j AS CHAR), CAST(k AS CHAR) FROM t")
    return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def _told(struct: dict[str, str]) -> Documents:
    found = [json.loads(struct[name]) for name in ("j", "k")]
    return found[0], found[1]


@pytest.fixture
def database(mysql80: MySQLServer) -> Iterator[str]:
    name = f"part{uuid4().hex[:8]}"
    mysql80.execute(f"CREATE DATABASE {name}")
    yield name
    mysql80.execute(f"DROP DATABASE {name}")


def test_documents_are_those_of_the_server(mysql80: MySQLServer, database: str) -> None:
    rng = random.Random(8015)
    reader = Reader(mysql80, f"{database}.*")
    wanted: dict[int, list[Documents]] = defaultdict(list)
    with closing(mysql80.connect(database=database)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id INT PRIMARY KEY, j JSON, n INT, k JSON)")
        cursor.execute("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'")
        for n in range(8):
            document = _DOCUMENT.format(n=n, pad=70_000 if n == 7 else 2000)
            cursor.execute(f"INSERT INTO t VALUES ({n}, {document}, 0, {document})")
        start, before = reader.start_point(), _rows(cursor)
        for _ in range(_STATEMENTS):
            assigned = rng.choice(
                ("j = {0}", "j = {0}, n = n + 1", "n = n + 1", "k = JSON_SET(k, '$.a', n), j = {0}")
            )
            first = rng.randrange(8)
            condition = f"id BETWEEN {first} AND {first + rng.choice((0, 0, 2))} AND LENGTH(j) < 100000"
            cursor.execute(f"UPDATE t SET {assigned.format(_assignment(rng))} WHERE {condition}")
            after = _rows(cursor)
            for row in after:
                # Other columns' changes are no concern here.
                if after[row] != before[row]:
                    wanted[row] += [before[row], after[row]]
            before = after
        with RawDump(mysql80.connect, start.cut.executed) as dump:
            cursor.execute("SELECT @@server_uuid, @@global.gtid_executed")
            uuid, executed = cursor.fetchone() or ("", "")
            newest = executed.replace("\n", "").split(f"{uuid}:")[1].partition(",")[0].rpartition("-")[2]
            kinds = Counter(event.kind for event in dump.until(f"{uuid}:{newest}"))
    told: dict[int, list[Documents]] = defaultdict(list)
    for sent in reader.changes(start):
        old, new = texts(sent.body.prevStruct), texts(sent.body.postStruct)
        if _told(old) != _told(new):
            told[int(new["id"])] += [_told(old), _told(new)]
    assert kinds[PARTIAL_UPDATE_ROWS] > _STATEMENTS // 2 and not kinds[UPDATE_ROWS]
    assert sum(map(len, told.values())) > _STATEMENTS
    for row in range(8):
        assert len(told[row]) == len(wanted[row])
        for ours, theirs in zip(told[row], wanted[row], strict=True):
            assert ours == theirs


def test_documents_of_binlog_service_in_part(binlog_service: BinlogService) -> None:
    source = ServiceSource(binlog_service)
    source.run("CREATE TABLE d (id INT PRIMARY KEY, j JSON, n INT)")
    start, tables = source.executed(), source.tables()
    binlog_service.update_json_in_part()
    source.run(
        """INSERT INTO d VALUES (1, '{"a": 1, "b": "x", "c": null}', 0)""",
        """UPDATE d SET j = JSON_REMOVE(JSON_SET(j, '$.a', 2, '$.d', 'n'), '$.c')""",
        """UPDATE d SET j = JSON_SET(j, '$."e f"', JSON_ARRAY(1, 2.5)), n = 1""",
    )
    end, store, told = source.executed(), source.store(), []
    for batch in store.batches(LogPosition(start), tables):
        told += [(kind, json.loads(after["j"]), after["n"]) for kind, _, after, _ in messages(batch)]  # type: ignore[index]
        if source.behind(batch.executed, end):
            store.stop()
            break
    binlog_service.heal()
    assert told == [
        ("INSERT", {"a": 1, "b": "x", "c": None}, 0),
        ("UPDATE", {"a": 2, "b": "x", "d": "n"}, 0),
        ("UPDATE", {"a": 2, "b": "x", "d": "n", "e f": [1, 2.5]}, 1),
    ]


def _diff(operation: int, path: str, value: bytes | None = None) -> bytes:
    parts = [path.encode()] + ([value] if value is not None else [])
    return bytes([operation]) + b"".join(bytes([len(part)]) + part for part in parts)


_ONE = b"\x05\x01\x00"
_LIST = write_tree([_ONE, _ONE])


@pytest.mark.parametrize(
    ("document", "diffs", "said"),
    [
        (_ONE, _diff(0, "$.a", _ONE), "cannot be changed at"),
        (_ONE, _diff(1, "$", _ONE), "does not replace it"),
        (_LIST, _diff(0, "$[2]", _ONE), "cannot be changed at"),
        (_LIST, _diff(2, "$[1].a.b"), "has nothing at"),
        (_LIST, _diff(1, "$.a", _ONE), "cannot be changed at"),
        (write_tree({b"a": _ONE}), _diff(1, "$.a", _ONE), "cannot be changed at"),
        (write_tree({b"a": _ONE}), _diff(2, "$.b"), "cannot be changed at"),
        (_ONE, _diff(0, "a", _ONE), "not a JSON path"),
        (_ONE, b"\x00\x01", "ends too early"),
    ],
)
def test_changes_that_do_not_fit_are_refused(document: bytes, diffs: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        apply_diffs(document, diffs)


def test_a_document_that_the_log_left_out_before_is_left_out_after_on_oceanbase() -> None:
    shape = BinlogShape(bytes([WireType.LONG, WireType.JSON]), (0, 4), checksum=False)
    before, diff = b"\xfe" + bytes(4), _diff(0, "$.a", _ONE)
    after = b"\x01\x01\xfc" + bytes(4) + len(diff).to_bytes(4, "little") + diff
    assert PartialRows(shape, oceanbase=True).whole(before + after, 0, len(before + after)) == before + before
    with pytest.raises(ValueError, match="NULL before"):
        PartialRows(shape, oceanbase=False).whole(before + after, 0, len(before + after))

"""Values of every type: what the snapshot's messages say against what the engine itself says."""

from __future__ import annotations

import random
from collections import Counter

import pymysql
import pytest
from pymysql.cursors import Cursor

from obsync_tui.engine.errors import SchemaMismatch
from obsync_tui.engine.oceanbase.snapshot import OceanBaseSnapshots
from obsync_tui.model.table import quote_identifier
from tests.engine.oceanbase.driving import snapshots
from tests.servers import OceanBaseServer
from tests.types.agreement import agree, answers, by_row
from tests.types.columns import GEOMETRIES, kinds
from tests.types.pipeline import Reader, texts
from tests.types.tables import AWKWARD, COLUMNS, RandomTable, session

DATABASE = "typ{e}s'列"
ROWS = 40
# The engine has no spatial reference systems, without which it takes no geometry.
NOT_HERE = GEOMETRIES
REFUSED: Counter[tuple[int, str]] = Counter()


class OceanBaseReader(Reader):
    """Reads the engine's tables as a project would."""

    def __init__(self, server: OceanBaseServer, include: str) -> None:
        super().__init__(server, include)  # type: ignore[arg-type]
        self._snapshots = snapshots(server, include, 2)

    def snapshots(self) -> OceanBaseSnapshots:  # type: ignore[override]
        return self._snapshots


def tables(rng: random.Random) -> list[RandomTable]:
    chosen = [kind for kind in kinds() if kind.sql not in NOT_HERE]
    rng.shuffle(chosen)
    result = []
    for start in range(0, len(chosen), COLUMNS - 1):
        columns = []
        for i, kind in enumerate(chosen[start : start + COLUMNS - 1]):
            nullable = kind.nullable if kind.nullable is not None else rng.random() < 0.7
            columns.append((f"c{i}{rng.choice(AWKWARD)}x", kind, nullable))
        result.append(RandomTable(DATABASE, f"t{start}{rng.choice(AWKWARD)}t", tuple(columns)))
    return result


def insert(cursor: Cursor, table: RandomTable, rng: random.Random, row: int) -> None:
    """A random row, another one when the engine refuses a value, as it does geometries in JSON.

    It takes a binary string into a JSON document as text, which is then not UTF-8: no such row either.
    """
    for _ in range(50):
        statement = table.insert(rng, range(row, row + 1))
        if "REPEAT(x'fe'" in statement:
            continue
        try:
            cursor.execute(statement)
            return
        except pymysql.MySQLError as error:
            REFUSED[error.args[:2]] += 1
    raise AssertionError(f"no row for {table.name}: {REFUSED}")


def test_snapshot_and_engine_agree(oceanbase: OceanBaseServer) -> None:
    rng = random.Random(435)
    with oceanbase.connect() as connection, connection.cursor() as cursor:
        session(cursor)
        cursor.execute(f"CREATE DATABASE {quote_identifier(DATABASE)} DEFAULT CHARACTER SET utf8mb4")
        made = tables(rng)
        for table in made:
            cursor.execute(table.create())
            for row in range(1, ROWS + 1):
                insert(cursor, table, rng, row)
        theirs = answers(made, cursor)
        ours = by_row(OceanBaseReader(oceanbase, "typ{e}s?列.*").full(), after=True)
        cursor.execute(f"DROP DATABASE {quote_identifier(DATABASE)}")
    assert {code for code, _ in REFUSED} <= {3141}
    assert agree(ours, theirs, made, "ROW") > 4_000


# What each value is in a message, of types and character sets that MySQL's tests do not reach.
ONLY_HERE = (
    ("TIMESTAMP(6)", "'2100-01-01 00:00:00.5'", '"4102444800.5"'),
    ("TIMESTAMP", "'2038-01-19 03:14:08'", '"2147483648"'),
    ("VARCHAR(9) CHARACTER SET gbk", "_gbk x'A2E3'", '"€"'),
    ("VARCHAR(9) CHARACTER SET gb18030", "_gb18030 x'A2E3'", '"€"'),
    ("VARCHAR(9) CHARACTER SET utf16le", "CONVERT('ü中😀' USING utf16le)", '"ü中😀"'),
    ("VARCHAR(9) CHARACTER SET gb2312", "CONVERT('中文' USING gb2312)", '"中文"'),
    ("VARCHAR(9) CHARACTER SET big5", "CONVERT('中文' USING big5)", '"中文"'),
    ("VARCHAR(9) CHARACTER SET sjis", "CONVERT('日本' USING sjis)", '"日本"'),
    ("VARCHAR(9) CHARACTER SET cp932", "CONVERT('日本' USING cp932)", '"日本"'),
    ("VARCHAR(9) CHARACTER SET ujis", "CONVERT('日本' USING ujis)", '"日本"'),
    ("VARCHAR(9) CHARACTER SET euckr", "CONVERT('한국' USING euckr)", '"한국"'),
    ("VARCHAR(9) CHARACTER SET ascii", "'a~'", '"a~"'),
    ("VARCHAR(9) CHARACTER SET tis620", "CONVERT('ก' USING tis620)", '"ก"'),
    ("VARCHAR(9) CHARACTER SET cp850", "CONVERT('é' USING cp850)", '"é"'),
    ("VARCHAR(9) CHARACTER SET macroman", "CONVERT('é' USING macroman)", '"é"'),
    ("VARCHAR(9) CHARACTER SET hp8", "CONVERT('é' USING hp8)", '"é"'),
)


@pytest.mark.parametrize(("sql", "literal", "expected"), ONLY_HERE, ids=lambda text: str(text)[-14:])
def test_values_of_the_engine_alone(
    oceanbase: OceanBaseServer, database: str, sql: str, literal: str, expected: str
) -> None:
    oceanbase.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, c {sql} NULL)",
        "SET time_zone = '+00:00'",
        f"INSERT INTO {database}.t VALUES (1, {literal}), (2, NULL)",
    )
    rows = [texts(sent.body.postStruct) for sent in OceanBaseReader(oceanbase, f"{database}.t").full()]
    assert {row["id"]: row["c"] for row in rows} == {"1": expected, "2": "null"}


@pytest.mark.parametrize("charset", ["gb18030_2022", "eucjpms", "dec8", "swe7", "hkscs"])
def test_character_sets_that_cannot_be_read_are_refused(
    oceanbase: OceanBaseServer, database: str, charset: str
) -> None:
    oceanbase.execute(
        f"CREATE TABLE {database}.t (id INT PRIMARY KEY, c VARCHAR(9) CHARACTER SET {charset})",
        f"INSERT INTO {database}.t VALUES (1, 'a')",
    )
    with pytest.raises(SchemaMismatch, match=f"character set {charset} is not supported"):
        OceanBaseReader(oceanbase, f"{database}.t").full()

"""Whether messages and the server agree, as text, on every value of every row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pymysql.cursors import Cursor

from tests.types.pipeline import Sent, texts
from tests.types.tables import RandomTable

Rows = dict[str, dict[int, dict[str, str]]]


def answers(tables: list[RandomTable], cursor: Cursor) -> Rows:
    return {table.name: table.answers(cursor) for table in tables}


def by_row(messages: Iterable[Sent], after: bool) -> Rows:
    """Texts of one image by table and id; a row that comes twice fails."""
    rows: Rows = defaultdict(dict)
    for message in messages:
        found = texts(message.body.postStruct if after else message.body.prevStruct)
        table, row = rows[message.body.allMetaData.table_name], int(found["id"])
        assert row not in table
        table[row] = found
    return rows


def agree(found: Rows, expected: Rows, tables: list[RandomTable], what: str) -> int:
    """Hold every text against the server's; the first few differences name column, type and row."""
    assert set(found) == set(expected), what
    differences, compared = [], 0
    for table in tables:
        kinds = {"id": "INT"} | {name: kind.sql for name, kind, _ in table.columns}
        assert set(found[table.name]) == set(expected[table.name]), what
        for row, values in expected[table.name].items():
            ours = found[table.name][row]
            assert list(ours) == list(kinds), f"{what} {table.name} {row}"
            for name, value in values.items():
                compared += 1
                if ours[name] != value:
                    differences.append(f"{what} {kinds[name]} row {row}: {ours[name]:.200} is {value:.200}")
    assert not differences, f"{len(differences)} of {compared}:\n" + "\n".join(differences[:40])
    return compared

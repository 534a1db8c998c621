"""Members of ENUM and SET that the catalog cannot print: from a row, or a clear stop."""

from __future__ import annotations

import pytest

from obsync_tui.engine.errors import ValueUnreadable
from obsync_tui.engine.full.reader import StartPoint
from tests.servers import MySQLServer
from tests.types.pipeline import Reader, texts


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found: MySQLServer = request.getfixturevalue(request.param)
    return found


def last_insert(reader: Reader, start: StartPoint) -> dict[str, str]:
    rows = (texts(m.body.postStruct) for m in reader.changes(start) if m.body.recordType == "INSERT")
    return max(rows, key=lambda row: int(row["id"]))


def test_members_above_three_bytes(server: MySQLServer) -> None:
    reader = Reader(server, "members.*")
    server.execute(
        "CREATE DATABASE members",
        "CREATE TABLE members.m (id INT PRIMARY KEY, e ENUM('😀','ok ?','a','👍👎','?') CHARACTER SET utf8mb4,"
        " s SET('x','😀','?') CHARACTER SET gb18030)",
    )
    try:
        start = reader.start_point()
        server.execute(
            "INSERT INTO members.m VALUES (1, 1, 1), (2, 2, 3), (3, 3, 7), (4, 4, 4), (5, NULL, NULL)"
        )
        expected = [
            {"id": "1", "e": '"😀"', "s": '"x"'},
            {"id": "2", "e": '"ok ?"', "s": '"x,😀"'},
            {"id": "3", "e": '"a"', "s": '"x,😀,?"'},
            {"id": "4", "e": '"👍👎"', "s": '"?"'},
            {"id": "5", "e": "null", "s": "null"},
        ]
        for messages in (reader.full(), reader.changes(start)):
            assert sorted((texts(m.body.postStruct) for m in messages), key=lambda t: t["id"]) == expected
        # No row holds the member when the reader starts: it stops, and goes on once one does.
        server.execute("INSERT INTO members.m VALUES (6, 5, '')", "DELETE FROM members.m WHERE id = 6")
        with pytest.raises(
            ValueUnreadable,
            match=r"members\.m.*column e .*member 5 .*run the project again",
        ):
            list(reader.changes(start))
        server.execute("INSERT INTO members.m VALUES (7, 5, '')")
        assert last_insert(reader, start) == {"id": "7", "e": '"?"', "s": '""'}
        # The same after a statement that makes another version.
        server.execute("ALTER TABLE members.m ADD n INT", "INSERT INTO members.m VALUES (8, 1, 2, 3)")
        assert last_insert(reader, start) == {"id": "8", "e": '"😀"', "s": '"😀"', "n": "3"}
    finally:
        server.execute("DROP DATABASE members")

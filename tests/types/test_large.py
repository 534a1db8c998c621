"""Values around and above the 16 MiB that one protocol packet holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import MySQLServer
from tests.types.pipeline import Reader, texts

PACKET = 0xFFFFFF
# A row packet: lengths and id before the value. An event: header, bitmaps, id and length before, CRC32 behind.
AROUND = (*range(PACKET - 47, PACKET - 43), *range(PACKET - 14, PACKET - 11), 2 * PACKET + 3)


@pytest.mark.parametrize("version", ["5.7", "8.0"])
def test_values_of_several_packets(new_mysql: Callable[..., MySQLServer], version: str) -> None:
    server = new_mysql(version, ["--max-allowed-packet=64M"])
    server.execute(
        "CREATE DATABASE large", "CREATE TABLE large.l (id INT PRIMARY KEY, c LONGTEXT CHARACTER SET latin1)"
    )
    reader = Reader(server, "large.*")
    start = reader.start_point()
    with server.connect() as connection, connection.cursor() as cursor:
        for size in AROUND:
            cursor.execute(f"INSERT INTO large.l VALUES ({size}, REPEAT(CHAR(97 + {size} % 26), {size}))")
    for messages in (reader.full(), reader.changes(start)):
        sizes = []
        for message in messages:
            size, text = map(texts(message.body.postStruct).__getitem__, ("id", "c"))
            assert text == f'"{chr(97 + int(size) % 26) * int(size)}"'
            sizes.append(int(size))
        assert sorted(sizes) == sorted(AROUND)

"""The bytes that a server writes to its binary log for the rows of a test table."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.servers.mysql import MySQLServer

COM_BINLOG_DUMP = 0x12
DUMP_NON_BLOCK = 1
WRITE_ROWS = 30
HEADER_BYTES = 19
CHECKSUM_BYTES = 4


def log_end(server: MySQLServer) -> tuple[str, int]:
    """The server's binary log file and the offset where its next event will stand."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW MASTER STATUS")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0]), int(row[1])


def inserted_documents(server: MySQLServer, since: tuple[str, int]) -> dict[int, bytes]:
    """The stored documents of every row inserted into tables (INT, JSON NOT NULL) since `log_end`, by the INT."""
    documents: dict[int, bytes] = {}
    for event in _events(server, since):
        if event[4] != WRITE_ROWS:
            continue
        extra_bytes = struct.unpack_from("<H", event, HEADER_BYTES + 8)[0]
        at = HEADER_BYTES + 8 + extra_bytes
        assert event[at] == 2 and event[at + 1] & 3 == 3, "two columns, both present"
        at += 2
        while at < len(event):
            nulls, key, length = struct.unpack_from("<BiI", event, at)
            assert nulls & 3 == 0
            at += 9
            documents[key] = event[at : at + length]
            at += length
    return documents


def _events(server: MySQLServer, since: tuple[str, int]) -> Iterator[bytes]:
    """Events from `since` to the end of the log, header first, checksum cut off."""
    file, offset = since
    with server.connect() as connection:
        with connection.cursor() as cursor:
            cursor.execute("SET @master_binlog_checksum = 'CRC32'")
        request = struct.pack("<IHI", offset, DUMP_NON_BLOCK, 0x7F000001) + file.encode()
        connection._execute_command(COM_BINLOG_DUMP, request)
        while True:
            packet = connection._read_packet()
            if packet.is_eof_packet():
                return
            yield packet.get_all_data()[1:-CHECKSUM_BYTES]

"""A reader as one writes it first: one streaming cursor, a dict for each row, `json.dumps`, and nothing sent anywhere.

python -m benchmarks.plainreader PORT TABLE ID; `allMetaData` of obsync's message of the row ID on standard input. It
prints what it took, and its own message of that row.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from decimal import Decimal
from time import monotonic

import msgspec
import pymysql
from pymysql.cursors import SSCursor

from benchmarks.measure import Run
from benchmarks.probe import cpu_s


class Plain(msgspec.Struct, frozen=True):
    """What the process prints."""

    run: Run
    message: str


def _value(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def main(port: int, table: str, wanted: int) -> None:
    """Read the table."""
    began_s, template = monotonic(), json.loads(sys.stdin.read())
    connection = pymysql.connect(
        host="127.0.0.1", port=port, user="root", charset="utf8mb4", cursorclass=SSCursor
    )
    rows = half = size_bytes = 0
    kept, half_s = "", 0.0
    with connection, connection.cursor() as cursor:
        # OceanBase ends a query after 10 s, and that includes the time that its reader takes.
        cursor.execute("SET ob_query_timeout = 3600000000, ob_trx_timeout = 3600000000")
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        ((total,),) = cursor.fetchall()
        cursor.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        first_s, first_cpu_s = monotonic(), cpu_s()
        for row in cursor:
            number = row[0]
            metadata = {**template, "checkpoint": f"id={number}", "record_primary_value": str(number)}
            message = json.dumps(
                {"prevStruct": None, "postStruct": dict(zip(names, row, strict=True)), "allMetaData": metadata, "recordType": "ROW"},
                default=_value, ensure_ascii=False, separators=(",", ":"),
            )  # fmt: skip
            size_bytes += len(message.encode())
            rows += 1
            if number == wanted:
                kept = message
            if rows * 2 == total:
                half, half_s = rows, monotonic()
    ended_s = monotonic()
    run = Run(
        rows,
        ended_s - first_s,
        cpu_s() - first_cpu_s,
        ended_s - began_s,
        cpu_s(),
        (rows - half) / (ended_s - half_s),
    )
    print(msgspec.json.encode(Plain(run, kept)).decode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

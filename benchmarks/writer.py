"""Writes rows at a steady rate: python -m benchmarks.writer PORT TABLE FIRST SECONDS ROWS_PER_S ROWS_PER_INSERT.

Column `sent_us` holds the clock before the INSERT that brings the row. It prints how many rows it wrote.
"""

from __future__ import annotations

import sys
from time import sleep, time

import pymysql

COLUMNS = (
    "id BIGINT PRIMARY KEY, sent_us BIGINT, b INT UNSIGNED, price DECIMAL(10,2), name VARCHAR(40), note VARCHAR(100),"
    " made DATETIME, flag TINYINT"
)


def main(port: int, table: str, first: int, seconds: float, rows_per_s: int, rows_per_insert: int) -> None:
    """Write; behind its rate it writes as fast as the server lets it."""
    connection = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    written, began_s = 0, time()
    with connection, connection.cursor() as cursor:
        while (now_s := time()) < began_s + seconds:
            if written > (now_s - began_s) * rows_per_s:
                sleep(0.002)
                continue
            sent_us = int(now_s * 1e6)
            values = ",".join(
                f"({first + written + i}, {sent_us}, 8, 9.95, 'a name', 'x', '2026-01-02 03:04:05', 1)"
                for i in range(rows_per_insert)
            )
            cursor.execute(f"INSERT INTO {table} VALUES {values}")
            written += rows_per_insert
    print(written)


if __name__ == "__main__":
    main(
        int(sys.argv[1]),
        sys.argv[2],
        int(sys.argv[3]),
        float(sys.argv[4]),
        int(sys.argv[5]),
        int(sys.argv[6]),
    )

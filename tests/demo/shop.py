"""The demo's shop: three tables, the rows that exist, and orders that come in while one looks."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

from pymysql.connections import Connection
from pymysql.cursors import Cursor

from tests.servers import MySQLServer

USER, PASSWORD = "obsync", "a-password-of-the-demo"
TABLES = ("items", "customers", "orders")
RIGHTS = (
    f"CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}'",
    f"GRANT RELOAD, REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO '{USER}'@'%'",
    f"GRANT SELECT ON shop.* TO '{USER}'@'%'",
)
SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.items (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) NOT NULL,"
    " price DECIMAL(8,2) NOT NULL, stock INT NOT NULL)",
    "CREATE TABLE shop.customers (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40) NOT NULL,"
    " city VARCHAR(40))",
    "CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, state ENUM('new','paid','sent') NOT NULL,"
    " customer INT NOT NULL, item INT NOT NULL, n INT NOT NULL, total DECIMAL(10,2) NOT NULL,"
    " at DATETIME NOT NULL)",
    "CREATE TABLE shop.tmp_cart (id INT PRIMARY KEY AUTO_INCREMENT, customer INT NOT NULL)",
)
THINGS = ("lamp", "chair", "desk", "shelf", "mirror", "carpet", "vase", "clock", "kettle", "blanket")
COLOURS = ("red", "blue", "green", "white")
FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Günter", "小明", "Ines", "José")
CITIES = ("Oslo", "Kyōto", "São Paulo", "Zürich", "Lagos", "上海", None)


def load(server: MySQLServer, rng: random.Random) -> int:
    """Make the user, the tables and their first rows; the number of rows."""
    server.execute(*RIGHTS, *SCHEMA)
    items = [
        (f"{colour} {thing}", rng.randrange(500, 20000) / 100, rng.randrange(50, 200))
        for thing in THINGS
        for colour in COLOURS
    ]
    customers = [(f"{rng.choice(FIRST)} {chr(65 + i % 26)}.", rng.choice(CITIES)) for i in range(60)]
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO shop.items (name, price, stock) VALUES (%s, %s, %s)", items)
        cursor.executemany("INSERT INTO shop.customers (name, city) VALUES (%s, %s)", customers)
        for _ in range(100):
            _order(cursor, rng, rng.choice(("paid", "sent")))
    return len(items) + len(customers) + 100


def _order(cursor: Cursor, rng: random.Random, state: str) -> None:
    cursor.execute(
        "INSERT INTO shop.orders (state, customer, item, n, total, at)"
        " SELECT %s, c.id, i.id, n.n, n.n * i.price, NOW() FROM shop.customers c, shop.items i, (SELECT %s AS n) n"
        " WHERE c.id = %s AND i.id = %s",
        (state, rng.randrange(1, 4), rng.randrange(1, 61), rng.randrange(1, 41)),
    )


class LiveShop(threading.Thread):
    """Runs small transactions until stopped; `transactions` counts those that are committed."""

    def __init__(self, server: MySQLServer, rng: random.Random, pause_s: float) -> None:
        super().__init__(name="shop", daemon=True)
        self._server = server
        self._rng = rng
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self.transactions = 0

    def run(self) -> None:
        """Work until stopped."""
        with self._server.connect() as connection:
            connection.autocommit(False)
            while not self._stopping.wait(self._pause_s):
                with connection.cursor() as cursor:
                    self._transaction(cursor)
                connection.commit()
                self.transactions += 1

    def stop(self) -> None:
        """Stop and wait for the transaction under way."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def _transaction(self, cursor: Cursor) -> None:
        rng = self._rng
        kind = rng.choices(("buy", "advance", "cancel", "join", "price"), (5, 4, 1, 1, 1))[0]
        if kind == "buy":
            _order(cursor, rng, "new")
            cursor.execute(
                "UPDATE shop.items JOIN shop.orders o ON o.item = items.id SET stock = stock - o.n"
                " WHERE o.id = LAST_INSERT_ID()"
            )
        elif kind == "advance":
            cursor.execute("UPDATE shop.orders SET state = state + 1 WHERE state < 3 ORDER BY RAND() LIMIT 1")
        elif kind == "cancel":
            cursor.execute("DELETE FROM shop.orders WHERE state = 'new' ORDER BY id LIMIT 1")
        elif kind == "join":
            name = f"{rng.choice(FIRST)} {chr(rng.randrange(65, 91))}."
            cursor.execute(
                "INSERT INTO shop.customers (name, city) VALUES (%s, %s)", (name, rng.choice(CITIES))
            )
        else:
            cursor.execute(
                "UPDATE shop.items SET price = ROUND(price * 0.9, 2) WHERE id = %s", (rng.randrange(1, 41),)
            )


def rows(connection: Connection[Cursor], table: str) -> dict[str, tuple[str | None, ...]]:
    """A table's rows by key, each value as text."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM shop.{table}")
        return {str(row[0]): tuple(_text(value) for value in row) for row in cursor.fetchall()}


def all_rows(server: MySQLServer) -> Iterator[tuple[str, dict[str, tuple[str | None, ...]]]]:
    """Every table that is synchronized, with its rows."""
    with server.connect() as connection:
        for table in TABLES:
            yield table, rows(connection, table)


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""The demo's shop: three tables, the rows that exist, and what goes on in it while one looks."""

import random
import threading
from collections.abc import Iterator
from itertools import count

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from obsync_tui.demo.oceanbase import EmbeddedOceanBase

USER, PASSWORD = "obsync", "a-password-of-the-demo"
TABLES = ("items", "customers", "orders")
SCHEMA = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.items (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL,"
    " price DECIMAL(8,2) NOT NULL, stock INT NOT NULL)",
    "CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL, city VARCHAR(40))",
    "CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, state ENUM('new','paid','sent') NOT NULL,"
    " customer INT NOT NULL, item INT NOT NULL, n INT NOT NULL, total DECIMAL(10,2) NOT NULL,"
    " at DATETIME NOT NULL)",
    "CREATE TABLE shop.tmp_cart (id INT PRIMARY KEY AUTO_INCREMENT, customer INT NOT NULL)",
)
THINGS = ("lamp", "chair", "desk", "shelf", "mirror", "carpet", "vase", "clock", "kettle", "blanket")
COLOURS = ("red", "blue", "green", "white")
FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Günter", "小明", "Ines", "José")
CITIES = ("Oslo", "Kyōto", "São Paulo", "Zürich", "Lagos", "上海", None)
ITEMS, CUSTOMERS, ORDERS = len(THINGS) * len(COLOURS), 60, 100
ROWS = ITEMS + CUSTOMERS + ORDERS
# What each of the two writers does, and how often.
SALES = {"buy": 5, "advance": 4, "cancel": 1}
OFFICE = {"join": 3, "price": 2, "restock": 3, "renumber": 2}
# Another transaction holds the row; the server has rolled back.
_BUSY = (1205, 1213)


def load(server: EmbeddedOceanBase, rng: random.Random) -> None:
    """Make the tables and their first rows."""
    names = [f"{colour} {thing}" for thing in THINGS for colour in COLOURS]
    items = [
        (number, name, rng.randrange(500, 20000) / 100, rng.randrange(50, 200))
        for number, name in enumerate(names, 1)
    ]
    customers = [
        (number, f"{rng.choice(FIRST)} {chr(65 + number % 26)}.", rng.choice(CITIES))
        for number in range(1, CUSTOMERS + 1)
    ]
    with server.connect() as connection, connection.cursor() as cursor:
        for statement in SCHEMA:
            cursor.execute(statement)
        connection.begin()
        cursor.executemany("INSERT INTO shop.items VALUES (%s, %s, %s, %s)", items)
        cursor.executemany("INSERT INTO shop.customers VALUES (%s, %s, %s)", customers)
        for _ in range(ORDERS):
            _order(cursor, rng, rng.choice(("paid", "sent")))
        connection.commit()


def _order(cursor: Cursor, rng: random.Random, state: str) -> tuple[int, int]:
    """Order a number of an item; answers with both."""
    item, number = rng.randrange(1, ITEMS + 1), rng.randrange(1, 4)
    cursor.execute("SELECT id FROM shop.customers ORDER BY RAND() LIMIT 1")
    ((customer,),) = cursor.fetchall()
    cursor.execute(
        "INSERT INTO shop.orders (state, customer, item, n, total, at)"
        " SELECT %s, %s, id, %s, %s * price, NOW() FROM shop.items WHERE id = %s",
        (state, customer, number, number, item),
    )
    return item, number


class Writer(threading.Thread):
    """Runs small transactions of some kinds until stopped.

    `transactions` counts those that are committed, `error` is what ended it early.
    """

    def __init__(
        self, server: EmbeddedOceanBase, rng: random.Random, kinds: dict[str, int], pause_s: float
    ) -> None:
        super().__init__(name="shop", daemon=True)
        self._server = server
        self._rng = rng
        self._kinds = kinds
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._customers = count(CUSTOMERS + 1)
        self.transactions = 0
        self.error: Exception | None = None

    def run(self) -> None:
        """Work until stopped."""
        try:
            with self._server.connect() as connection:
                while not self._stopping.wait(self._pause_s * self._rng.uniform(0.5, 1.5)):
                    self._transaction(connection)
        except Exception as error:  # whatever it is, the demo says that the shop is closed
            self.error = error

    def stop(self) -> None:
        """Stop and wait for the transaction under way."""
        self._stopping.set()
        if self.is_alive():
            self.join()

    def _transaction(self, connection: "Connection[Cursor]") -> None:
        (kind,) = self._rng.choices(tuple(self._kinds), tuple(self._kinds.values()))
        connection.begin()
        try:
            with connection.cursor() as cursor:
                getattr(self, f"_{kind}")(cursor)
            connection.commit()
            self.transactions += 1
        except pymysql.err.OperationalError as error:
            if error.args[0] not in _BUSY:
                raise
            connection.rollback()

    def _buy(self, cursor: Cursor) -> None:
        item, number = _order(cursor, self._rng, "new")
        cursor.execute("UPDATE shop.items SET stock = stock - %s WHERE id = %s", (number, item))

    def _advance(self, cursor: Cursor) -> None:
        cursor.execute("SELECT id FROM shop.orders WHERE state < 3 ORDER BY RAND() LIMIT 1")
        cursor.executemany("UPDATE shop.orders SET state = state + 1 WHERE id = %s", cursor.fetchall())

    def _cancel(self, cursor: Cursor) -> None:
        cursor.execute("DELETE FROM shop.orders WHERE state = 'new' ORDER BY id LIMIT 1")

    def _join(self, cursor: Cursor) -> None:
        rng = self._rng
        name = f"{rng.choice(FIRST)} {chr(rng.randrange(65, 91))}."
        cursor.execute(
            "INSERT INTO shop.customers VALUES (%s, %s, %s)",
            (next(self._customers), name, rng.choice(CITIES)),
        )

    def _price(self, cursor: Cursor) -> None:
        cursor.execute(
            "UPDATE shop.items SET price = ROUND(price * 0.9, 2) WHERE id = %s",
            (self._rng.randrange(1, ITEMS + 1),),
        )

    def _restock(self, cursor: Cursor) -> None:
        """An upsert: some of the numbers are of items that the shop does not have yet."""
        number = self._rng.randrange(1, ITEMS + 20)
        cursor.execute(
            "INSERT INTO shop.items VALUES (%s, %s, 9.90, 25) ON DUPLICATE KEY UPDATE stock = stock + 25",
            (number, f"article {number}"),
        )

    def _renumber(self, cursor: Cursor) -> None:
        """A change of a key, and of what refers to it."""
        cursor.execute("SELECT id FROM shop.customers ORDER BY RAND() LIMIT 1")
        ((old,),), new = cursor.fetchall(), next(self._customers)
        cursor.execute("UPDATE shop.customers SET id = %s WHERE id = %s", (new, old))
        cursor.execute("UPDATE shop.orders SET customer = %s WHERE customer = %s", (new, old))


class LiveShop:
    """Sales and the office, each a writer of its own."""

    def __init__(self, server: EmbeddedOceanBase, rng: random.Random, pause_s: float) -> None:
        self._writers = [
            Writer(server, random.Random(rng.random()), kinds, pause_s) for kinds in (SALES, OFFICE)
        ]
        self.open = False

    def start(self) -> None:
        """Open the shop."""
        self.open = True
        for writer in self._writers:
            writer.start()

    def stop(self) -> None:
        """Close it when the transactions under way are done."""
        for writer in self._writers:
            writer.stop()

    @property
    def transactions(self) -> int:
        """How many were committed."""
        return sum(writer.transactions for writer in self._writers)

    @property
    def error(self) -> Exception | None:
        """What went wrong in the shop itself."""
        return next((writer.error for writer in self._writers if writer.error), None)


def all_rows(server: EmbeddedOceanBase) -> Iterator[tuple[str, dict[str, tuple[str | None, ...]]]]:
    """Every table that is synchronized, with its rows by key, each value as text."""
    with server.connect() as connection, connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM shop.{table}")
            yield table, {str(row[0]): tuple(map(_text, row)) for row in cursor.fetchall()}


def _text(value: object) -> str | None:
    return None if value is None else str(value)

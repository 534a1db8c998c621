"""A bank under load: every transaction leaves the sum of all balances as it was, and is journaled in itself.

A row's `ver` is the number of the last thing that happened to its key: 1 for the first INSERT, then one more for each
UPDATE, DELETE and INSERT, across deletions and changes of key. The journal table stands outside of the project's
objects; being written in the same transactions, it is exact whatever happens to the server.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pymysql

from tests.faults.banks import Bank

TABLES = ("account", "ledger", "wallet", "spread")
KEYS = {"account": ("id",), "ledger": ("region", "code"), "wallet": ("name",), "spread": ("id",)}
COLUMNS = "balance BIGINT NOT NULL, ver INT NOT NULL, txn BIGINT NOT NULL, note VARCHAR(300)"
DEFINITIONS = (
    f"account (id BIGINT PRIMARY KEY, {COLUMNS})",
    f"ledger (region INT, code VARCHAR(20), {COLUMNS}, PRIMARY KEY (region, code))",
    f"wallet (name VARCHAR(60) COLLATE utf8mb4_general_ci PRIMARY KEY, {COLUMNS})",
    f"spread (id INT PRIMARY KEY, {COLUMNS})",
    "journal (writer INT, txn BIGINT, n INT, gtid VARCHAR(60), tab VARCHAR(10), k VARCHAR(80), ver INT, "
    "kind CHAR(1), PRIMARY KEY (writer, txn, n))",
)
WRITERS = 2
Key = tuple[int | str, ...]
# Letters whose order differs between bytes and the collation.
_LETTERS = ("a", "B", "ä", "Ö", "z", "_", "é", "Z")


def key_text(key: Key) -> str:
    """A key as messages show it."""
    return "\x01".join(str(part) for part in key)


def make_key(table: str, writer: int, number: int) -> Key:
    """The writer's number-th key of a table; no two writers share a key."""
    n = number * WRITERS + writer
    if table == "ledger":
        return (n % 7 - 3, f"c{n}")
    if table == "wallet":
        return (f"{_LETTERS[n % 8]}{_LETTERS[n // 8 % 8]} {n}",)
    return (n,)


@dataclass
class Model:
    """What a writer knows of its keys: balances of living rows, and what happened last to every key."""

    rows: dict[tuple[str, Key], int] = field(default_factory=dict)
    versions: dict[tuple[str, Key], int] = field(default_factory=dict)


@dataclass
class Plan:
    """One transaction: statements, what each key comes to, and the journal's lines."""

    txn: int
    statements: list[tuple[str, Sequence[object]]] = field(default_factory=list)
    rows: dict[tuple[str, Key], int | None] = field(default_factory=dict)
    versions: dict[tuple[str, Key], int] = field(default_factory=dict)
    journal: list[tuple[str, str, int, str]] = field(default_factory=list)


class Writer:
    """Makes transactions of its own keys, and knows after every fault which of them are committed."""

    def __init__(self, server: Bank, database: str, number: int, seed: int) -> None:
        self._server = server
        self._database = database
        self.number = number
        self._random = random.Random(f"{seed}:{number}")
        self.model = Model()
        self.uuid = str(uuid.UUID(int=random.Random(f"{database}:{number}:{seed}").getrandbits(128)))
        self._connection: pymysql.Connection[pymysql.cursors.Cursor] | None = None
        self.txn = 0
        self._fresh = 0

    def seed(self, rows: int) -> None:
        """The first rows, in one transaction."""
        plan = Plan(1)
        for table in TABLES:
            for i in range(rows if table in ("account", "spread") else rows // 3):
                self._insert(plan, table, make_key(table, self.number, i), 100)
        self._fresh = rows
        self._commit(plan)

    def step(self) -> None:
        """One random transaction."""
        plan = Plan(self.txn + 1)
        pick = self._random.random()
        if pick < 0.04:
            self._touch_many(plan, self._random.choice(TABLES), self._random.randint(20, 120))
        for _ in range(self._random.randint(1, 5)):
            self._operate(plan)
        self._commit(plan)

    def big(self, note: str = "") -> None:
        """Change every row of one table in one transaction, and one row more."""
        plan = Plan(self.txn + 1)
        self._touch_many(plan, "spread", 1 << 30, note)
        self._transfer(plan)
        self._commit(plan)

    def _operate(self, plan: Plan) -> None:
        operation = self._random.choices(
            (self._transfer, self._open, self._close, self._move), (70, 12, 9, 9)
        )[0]
        operation(plan)

    def _living(self, plan: Plan) -> tuple[str, Key] | None:
        """A random row that the transaction has not removed."""
        for _ in range(50):
            table = self._random.choice(TABLES)
            found = (table, make_key(table, self.number, self._random.randrange(self._fresh)))
            if self._balance(plan, found) is not None:
                return found
        return None

    def _balance(self, plan: Plan, row: tuple[str, Key]) -> int | None:
        return plan.rows[row] if row in plan.rows else self.model.rows.get(row)

    def _transfer(self, plan: Plan) -> None:
        giver, taker = self._living(plan), self._living(plan)
        if giver is None or taker is None or giver == taker:
            return
        amount = self._random.randint(1, 20)
        self._update(plan, giver, -amount)
        self._update(plan, taker, amount)

    def _open(self, plan: Plan) -> None:
        giver = self._living(plan)
        if giver is None:
            return
        table = self._random.choice(TABLES)
        if self._random.random() < 0.5:  # a key that lived before, where there is one
            key = make_key(table, self.number, self._random.randrange(self._fresh))
        else:
            key = make_key(table, self.number, self._fresh)
            self._fresh += 1
        if self._balance(plan, (table, key)) is not None:
            return
        amount = self._random.randint(1, 20)
        self._update(plan, giver, -amount)
        self._insert(plan, table, key, amount)

    def _close(self, plan: Plan) -> None:
        gone, taker = self._living(plan), self._living(plan)
        if gone is None or taker is None or gone == taker:
            return
        amount = self._balance(plan, gone)
        assert amount is not None
        where, values = self._where(gone)
        plan.statements.append((f"DELETE FROM {gone[0]} WHERE {where}", values))
        self._note(plan, gone, None, "D")
        self._update(plan, taker, amount)

    def _move(self, plan: Plan) -> None:
        """Change a row's key."""
        row = self._living(plan)
        if row is None:
            return
        table = row[0]
        key = make_key(table, self.number, self._random.randrange(self._fresh))
        if (table, key) == row or self._balance(plan, (table, key)) is not None:
            return
        amount = self._balance(plan, row)
        where, values = self._where(row)
        self._note(plan, row, None, "D")
        version = self._note(plan, (table, key), amount, "I")
        sets = ", ".join(f"{column} = %s" for column in KEYS[table])
        plan.statements.append(
            (
                f"UPDATE {table} SET {sets}, ver = %s, txn = %s WHERE {where}",
                (*key, version, plan.txn, *values),
            )
        )

    def _touch_many(self, plan: Plan, table: str, count: int, note: str = "") -> None:
        """One statement over many rows."""
        rows = [row for row in self.model.rows if row[0] == table][:count]
        marks = ", ".join(["(" + ", ".join(["%s"] * len(KEYS[table])) + ")"] * len(rows))
        columns = ", ".join(KEYS[table])
        changed = ", note = %s" if note else ""
        values = [plan.txn, *([note] if note else []), *(part for row in rows for part in row[1])]
        sql = f"UPDATE {table} SET ver = ver + 1, txn = %s{changed} WHERE ({columns}) IN ({marks})"
        plan.statements.append((sql, values))
        for row in rows:
            self._note(plan, row, self.model.rows[row], "U")

    def _insert(self, plan: Plan, table: str, key: Key, balance: int) -> None:
        version = self._note(plan, (table, key), balance, "I")
        columns = (*KEYS[table], "balance", "ver", "txn", "note")
        marks = ", ".join(["%s"] * len(columns))
        note = f"opened by {plan.txn} – «ü»"
        plan.statements.append(
            (
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",
                (*key, balance, version, plan.txn, note),
            )
        )

    def _update(self, plan: Plan, row: tuple[str, Key], amount: int) -> None:
        balance = self._balance(plan, row)
        assert balance is not None
        version = self._note(plan, row, balance + amount, "U")
        where, values = self._where(row)
        plan.statements.append(
            (
                f"UPDATE {row[0]} SET balance = balance + %s, ver = %s, txn = %s WHERE {where}",
                (amount, version, plan.txn, *values),
            )
        )

    def _where(self, row: tuple[str, Key]) -> tuple[str, Key]:
        return " AND ".join(f"{column} = %s" for column in KEYS[row[0]]), row[1]

    def _note(self, plan: Plan, row: tuple[str, Key], balance: int | None, kind: str) -> int:
        version = plan.versions.get(row, self.model.versions.get(row, 0)) + 1
        plan.rows[row], plan.versions[row] = balance, version
        plan.journal.append((row[0], key_text(row[1]), version, kind))
        return version

    def _commit(self, plan: Plan) -> None:
        """Commit for certain: after a fault the journal tells whether it is done."""
        while True:
            try:
                self._try(plan)
                break
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError):
                self._connection = None
                if self._done(plan.txn):
                    break
        self.txn = plan.txn
        for row, balance in plan.rows.items():
            self.model.versions[row] = plan.versions[row]
            if balance is None:
                self.model.rows.pop(row, None)
            else:
                self.model.rows[row] = balance

    def _try(self, plan: Plan) -> None:
        cursor = self._connected().cursor()
        gtid = f"{self.uuid}:{plan.txn}"
        self._server.announce(cursor, gtid)
        cursor.execute("BEGIN")
        for sql, values in plan.statements:
            cursor.execute(sql, tuple(values))
        cursor.executemany(
            "INSERT INTO journal (writer, txn, n, gtid, tab, k, ver, kind) VALUES (%s,%s,%s,%s,%s,%s,%s,%s)",
            [(self.number, plan.txn, n, gtid, *line) for n, line in enumerate(plan.journal)],
        )
        cursor.execute("COMMIT")

    def _done(self, txn: int) -> bool:
        while True:
            try:
                with self._connected().cursor() as cursor:
                    cursor.execute(
                        "SELECT COUNT(*) FROM journal WHERE writer = %s AND txn = %s", (self.number, txn)
                    )
                    row = cursor.fetchone()
                    return bool(row and row[0])
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError):
                self._connection = None
                time.sleep(0.2)

    def _connected(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        if self._connection is None:
            self._connection = self._server.connect(database=self._database)
            self._connection.cursor().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        return self._connection


class Workload:
    """Writers on threads of their own; a context manager that ends them."""

    def __init__(self, server: Bank, database: str, *, seed: int = 1, rows: int = 600) -> None:
        self.server = server
        self.database = database
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {database}")
            for definition in DEFINITIONS:
                cursor.execute(f"CREATE TABLE {database}.{definition}")
        self.writers = [Writer(server, database, number, seed) for number in range(WRITERS)]
        for writer in self.writers:
            writer.seed(rows)
        self._pause_s = 0.004
        self._stopping = threading.Event()
        self._failed: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    @property
    def topics(self) -> list[str]:
        """The topics of the tables in scope."""
        return [f"{self.database}_{table}" for table in TABLES]

    def steps(self, count: int) -> None:
        """So many transactions of each writer, now."""
        for _ in range(count):
            for writer in self.writers:
                writer.step()

    def start(self) -> None:
        """Write until `stop`."""
        self._stopping.clear()
        self._threads = [threading.Thread(target=self._write, args=(writer,)) for writer in self.writers]
        for thread in self._threads:
            thread.start()

    def _write(self, writer: Writer) -> None:
        try:
            begun = writer.txn
            while not self._stopping.is_set():
                writer.big() if (writer.txn - begun) % 700 == 500 else writer.step()
                self._stopping.wait(self._pause_s)
        except BaseException as error:
            self._failed.append(error)

    def stop(self) -> None:
        """End the writers and raise what one of them failed of."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []
        if self._failed:
            raise self._failed[0]

    def executed(self) -> str:
        """The position of a project that has delivered everything that is committed now."""
        return self.server.executed()

    def now(self) -> str:
        """A set that holds the journal's name of every transaction that is committed now."""
        return self.server.now()

    def __enter__(self) -> Workload:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

"""Random tables of up to 40 columns under awkward names, filled, changed and read back by plain SQL."""

from __future__ import annotations

import random
from dataclasses import dataclass

from pymysql.cursors import Cursor

from obsync_tui.model.table import quote_identifier
from tests.types.answers import Answer
from tests.types.columns import Kind, kinds

COLUMNS = 40
AWKWARD = (
    "", '"', "'", ".", "`", "{}", "}{x", "%s", "\\", "\\n", " a b", "ñ列", "$", "${database}", "\t", "?", "/", "#", "--",
    ":", "[0]", "{{", "ß", "\u2028", "'''", '"""',
)  # fmt: skip


def session(cursor: Cursor) -> None:
    """Let the server take what its users' servers took: zero and invalid dates, values cut to fit; UTC."""
    cursor.execute("SET time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'")


@dataclass(frozen=True)
class RandomTable:
    """A table with an INT key `id`; `columns` are name, kind and whether it takes NULL."""

    database: str
    name: str
    columns: tuple[tuple[str, Kind, bool], ...]

    @property
    def quoted(self) -> str:
        return f"{quote_identifier(self.database)}.{quote_identifier(self.name)}"

    def create(self) -> str:
        lines = ["`id` INT NOT NULL PRIMARY KEY"]
        for name, kind, nullable in self.columns:
            null = "" if kind.literal is None else " NULL" if nullable else " NOT NULL"
            lines.append(f"{quote_identifier(name)} {kind.sql}{null}")
        return f"CREATE TABLE {self.quoted} ({', '.join(lines)}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4"

    def _literals(self, rng: random.Random, row: int) -> list[tuple[str, str]]:
        """Column and value; the first row is NULL wherever it may be."""
        found = []
        for name, kind, nullable in self.columns:
            if kind.literal is not None:
                empty = nullable and (row == 1 or rng.random() < 0.1)
                found.append((quote_identifier(name), "NULL" if empty else kind.literal(rng)))
        return found

    def insert(self, rng: random.Random, rows: range) -> str:
        values = []
        for row in rows:
            literals = self._literals(rng, row)
            values.append(f"({row}, {', '.join(value for _, value in literals)})")
        names = ", ".join(name for name, _ in literals)
        return f"INSERT INTO {self.quoted} (`id`, {names}) VALUES {', '.join(values)}"

    def update(self, rng: random.Random, row: int) -> str:
        changes = ", ".join(f"{name} = {value}" for name, value in self._literals(rng, row + 1))
        return f"UPDATE {self.quoted} SET {changes} WHERE `id` = {row}"

    def answers(self, cursor: Cursor) -> dict[int, dict[str, str]]:
        """Each row's JSON texts by column, as the server has them now."""
        asked: list[tuple[str, Answer]] = [(name, kind.answer) for name, kind, _ in self.columns]
        columns = ", ".join(answer.select.replace("{c}", quote_identifier(name)) for name, answer in asked)
        cursor.execute(f"SELECT `id`, {columns} FROM {self.quoted}")
        rows = {}
        for row in cursor.fetchall():
            texts = zip(asked, row[1:], strict=True)
            rows[int(row[0])] = {"id": str(row[0])} | {name: a.json(value) for (name, a), value in texts}
        return rows


def random_tables(rng: random.Random, database: str) -> list[RandomTable]:
    """Tables that together hold every kind of column, in random order; some kinds take NULL, some do not."""
    shuffled = kinds()
    rng.shuffle(shuffled)
    tables = []
    for start in range(0, len(shuffled), COLUMNS - 1):
        columns = []
        for i, kind in enumerate(shuffled[start : start + COLUMNS - 1]):
            nullable = kind.nullable if kind.nullable is not None else rng.random() < 0.7
            columns.append((f"c{i}{rng.choice(AWKWARD)}x", kind, nullable))
        tables.append(RandomTable(database, f"t{start}{rng.choice(AWKWARD)}t", tuple(columns)))
    return tables

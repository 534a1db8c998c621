"""What a table looks like in one stretch of the log."""

from enum import StrEnum

import msgspec


class TableName(msgspec.Struct, frozen=True, order=True):
    """A table's database and name, as the source spells them."""

    database: str
    table: str

    @classmethod
    def parse(cls, text: str) -> "TableName":
        """The name in `database.table`; ValueError for anything else."""
        database, _, table = text.partition(".")
        if not (database and table):
            raise ValueError("the name of a table is database.table")
        return cls(database, table)

    def __str__(self) -> str:
        return f"{self.database}.{self.table}"

    @property
    def quoted(self) -> str:
        """The name as an SQL identifier."""
        return f"{quote_identifier(self.database)}.{quote_identifier(self.table)}"


UNPRINTED = "\ufffd"
"""Stands in a member of ENUM or SET for a character that the catalog shows as "?", whatever it is."""


def quote_identifier(name: str) -> str:
    """A name as a quoted MySQL identifier."""
    return "`" + name.replace("`", "``") + "`"


class Generated(StrEnum):
    """How a generated column is kept."""

    VIRTUAL = "VIRTUAL"
    STORED = "STORED"


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column as `information_schema.COLUMNS` describes it.

    `data_type` is the bare lower-case type (`bigint`), `column_type` the whole text (`bigint(20) unsigned`).
    `charset` is None for types without text; `binary` never appears. `members` are those of ENUM and SET.
    `length` counts characters (CHAR, VARCHAR) or bytes (BINARY, VARBINARY) or bits (BIT).
    """

    name: str
    data_type: str
    column_type: str
    nullable: bool = True
    unsigned: bool = False
    charset: str | None = None
    collation: str | None = None
    members: tuple[str, ...] = ()
    length: int = 0
    precision: int = 0
    scale: int = 0
    fsp: int = 0
    generated: Generated | None = None


class TableVersion(msgspec.Struct, frozen=True, omit_defaults=True):
    """A table's shape from one point of the log on, until its next DDL.

    `unique_keys` lists only keys whose columns are all NOT NULL and whole, in the catalog's order.
    `since` is the text of the position from which the shape is valid. `unknown_before` and `unknown_after` name columns
    whose values single rows of the log do not tell: those rows have a version of their own.
    """

    name: TableName
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    engine: str = "InnoDB"
    since: str = ""
    unknown_before: tuple[str, ...] = ()
    unknown_after: tuple[str, ...] = ()

    def column_index(self, name: str) -> int:
        """The column's ordinal from 0; KeyError when the table has none of that name."""
        for i, column in enumerate(self.columns):
            if column.name == name:
                return i
        raise KeyError(name)

    def key_columns(self) -> tuple[str, ...]:
        """The primary key, else the first unique key that identifies a row, else nothing."""
        if self.primary_key:
            return self.primary_key
        return self.unique_keys[0] if self.unique_keys else ()

"""What a statement does to the converter: reads, writes, or changes tables."""

from __future__ import annotations

import re
from enum import Enum, auto


class Kind(Enum):
    """READ changes nothing; SET sets variables; DDL is written into the binlog as text; all else may write rows."""

    READ = auto()
    SET = auto()
    DDL = auto()
    WRITE = auto()


_READS = ("SELECT", "SHOW", "USE", "DESC", "DESCRIBE", "EXPLAIN", "KILL", "HELP", "(")
_DDL = re.compile(
    r"(?:CREATE|ALTER|DROP|RENAME)\s+(?:OR\s+REPLACE\s+)?(?:EXTERNAL\s+)?(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?"
    r"(?:TABLES?|DATABASE|SCHEMA|INDEX|VIEW)\b|TRUNCATE\b",
    re.IGNORECASE,
)
_CREATE_TABLE = re.compile(r"CREATE\s+TABLE\b", re.IGNORECASE)
_WORD = re.compile(r"`((?:[^`]|``)+)`|([\w$\u0080-\uffff]+)")
_CONDITION = re.compile(r"\bIF\s+(?:NOT\s+)?EXISTS\b", re.IGNORECASE)
_USE = re.compile(r"USE\s+`?([^`\s;]+)`?$", re.IGNORECASE)
# What the engine adds to a table that is created, as SHOW CREATE TABLE prints it.
_CLAUSES = (
    " ORGANIZATION INDEX DEFAULT CHARSET = utf8mb4 ROW_FORMAT = DYNAMIC COMPRESSION = 'zstd_1.3.8' REPLICA_NUM = 1"
    " BLOCK_SIZE = 16384 USE_BLOOM_FILTER = FALSE TABLET_SIZE = 134217728 PCTFREE = 0"
)


def kind_of(statement: str) -> Kind:
    """What kind a statement is of, by its beginning."""
    first = statement.split(None, 1)[0].upper() if statement else ""
    if first.startswith(_READS):
        return Kind.READ
    if first == "SET":
        return Kind.SET
    return Kind.DDL if _DDL.match(statement) else Kind.WRITE


def names_in(statement: str) -> set[str]:
    """Every word that may name a table or a database, in lower case."""
    return {(quoted.replace("``", "`") or word).lower() for quoted, word in _WORD.findall(statement)}


def started_database(statement: str) -> str:
    """The database that a USE statement names."""
    match = _USE.match(statement)
    return match[1] if match else ""


def conditional(statement: str) -> bool:
    """Whether the statement does nothing where there is, or is not, what it names."""
    return bool(_CONDITION.search(statement))


def extended(statement: str) -> str:
    """The statement as OceanBase's log has it: a new table with all of the engine's own clauses."""
    plain = _CREATE_TABLE.match(statement) and statement.endswith(")")
    return statement + _CLAUSES if plain else statement

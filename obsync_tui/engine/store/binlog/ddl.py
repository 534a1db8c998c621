"""Recognises the DDL statements that matter, whatever dialect they are written in.

Only the verb and the table names are read, by a tolerant tokenizer: OceanBase's own clauses, comments and unknown
words are passed over. Nothing here tells what a statement does to columns; the catalog does.
"""

import re
from enum import StrEnum

import msgspec

from obsync_tui.model.table import TableName

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|\#[^\n]*|--(?=\s|$)[^\n]*|/\*(?![!M])[\s\S]*?\*/)
    | (?P<open>/\*M?!\d*) | (?P<close>\*/)
    | `(?P<quoted>(?:[^`]|``)*)`
    | (?P<string>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
    | (?P<word>[\w$\u0080-\uffff@]+)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Verb(StrEnum):
    """What a statement does to a table."""

    CREATE = "CREATE_TABLE"
    ALTER = "ALTER_TABLE"
    DROP = "DROP_TABLE"
    TRUNCATE = "TRUNCATE_TABLE"
    RENAME = "RENAME_TABLE"
    CREATE_INDEX = "CREATE_INDEX"
    DROP_INDEX = "DROP_INDEX"
    DROP_DATABASE = "DROP_DATABASE"
    DML = "DML"


class Ddl(msgspec.Struct, frozen=True):
    """One effect on one table; `target` is the new name of RENAME; no table name stands for the whole database."""

    verb: Verb
    table: TableName
    target: TableName | None = None


class _Tokens:
    """The statement's tokens: words upper-cased beside their own spelling."""

    def __init__(self, statement: str) -> None:
        self._items: list[tuple[str, str]] = []
        for match in _TOKEN.finditer(statement):
            if match.lastgroup in ("space", "open", "close"):
                continue
            if match.lastgroup == "quoted":
                self._items.append(("", match["quoted"].replace("``", "`")))
            elif match.lastgroup == "string":
                text = match["string"]
                self._items.append(("'" if text[0] == "'" else "", text[1:-1]))
            else:
                self._items.append((match[0].upper(), match[0]))
        self.at = 0

    def peek(self) -> str:
        return self._items[self.at][0] if self.at < len(self._items) else ";"

    def take(self, *words: str) -> bool:
        """Pass the words when they come next, all of them."""
        for i, word in enumerate(words):
            if self.at + i >= len(self._items) or self._items[self.at + i][0] != word:
                return False
        self.at += len(words)
        return True

    def skip_to(self, *words: str) -> bool:
        """Move behind the first of the words; False when none comes."""
        while self.at < len(self._items):
            self.at += 1
            if self._items[self.at - 1][0] in words:
                return True
        return False

    def name(self, default_database: str) -> TableName | None:
        """`[database.]table`, or None when something else stands here."""
        first = self._identifier()
        if first is None:
            return None
        if self.peek() == ".":
            self.at += 1
            second = self._identifier()
            return None if second is None else TableName(first, second)
        return TableName(default_database, first)

    def names(self, default_database: str) -> list[TableName]:
        """Everything from here on that could be a table's name: each pair around a dot, each word by itself."""
        found: list[TableName] = []
        while self.at < len(self._items):
            name = self.name(default_database)
            if name is None:
                self.at += 1
            elif name not in found:
                found.append(name)
        return found

    def _identifier(self) -> str | None:
        if self.at >= len(self._items):
            return None
        kind, text = self._items[self.at]
        if kind and not re.match(r"[\w$\u0080-\uffff]", text):
            return None
        self.at += 1
        return text


def parse_ddl(statement: str, default_database: str, lower_case: bool = False) -> list[Ddl]:
    """The statement's effects on tables; empty when it has none that matter (GRANT, CREATE USER, …).

    `lower_case` gives the names as a server with lower_case_table_names = 1 keeps them.
    """
    effects = _effects(statement, default_database)
    if not lower_case:
        return effects
    return [Ddl(one.verb, _lowered(one.table), one.target and _lowered(one.target)) for one in effects]


def _lowered(name: TableName) -> TableName:
    return TableName(name.database.lower(), name.table.lower())


def _effects(statement: str, default_database: str) -> list[Ddl]:
    tokens = _Tokens(statement)
    if tokens.take("CREATE"):
        return _create(tokens, default_database)
    if tokens.take("ALTER"):
        return _alter(tokens, default_database)
    if tokens.take("DROP"):
        return _drop(tokens, default_database)
    if tokens.take("TRUNCATE"):
        tokens.take("TABLE")
        return _one(Verb.TRUNCATE, tokens.name(default_database))
    if tokens.take("RENAME", "TABLE") or tokens.take("RENAME", "TABLES"):
        return _rename(tokens, default_database)
    return _dml(tokens, default_database)


def creates_with_rows(statement: str) -> bool:
    """Whether the statement opens a transaction whose rows follow (CREATE TABLE … SELECT in 8.0.21 and later)."""
    return statement.rstrip().upper().endswith("START TRANSACTION")


def _one(verb: Verb, name: TableName | None) -> list[Ddl]:
    return [] if name is None else [Ddl(verb, name)]


def _create(tokens: _Tokens, database: str) -> list[Ddl]:
    if tokens.take("TEMPORARY"):
        return []
    tokens.take("OR", "REPLACE")
    tokens.take("EXTERNAL")
    if tokens.take("TABLE"):
        tokens.take("IF", "NOT", "EXISTS")
        return _one(Verb.CREATE, tokens.name(database))
    if tokens.peek() in ("INDEX", "UNIQUE", "FULLTEXT", "SPATIAL") and tokens.skip_to("ON"):
        return _one(Verb.CREATE_INDEX, tokens.name(database))
    return []


def _alter(tokens: _Tokens, database: str) -> list[Ddl]:
    tokens.take("IGNORE")
    if not tokens.take("TABLE"):
        return []
    name = tokens.name(database)
    if name is None:
        return []
    while tokens.skip_to("RENAME"):
        if tokens.peek() in ("COLUMN", "INDEX", "KEY", "CONSTRAINT"):
            continue
        tokens.take("TO") or tokens.take("AS") or tokens.take("=")
        target = tokens.name(database)
        if target is not None:
            return [Ddl(Verb.RENAME, name, target)]
    return [Ddl(Verb.ALTER, name)]


def _drop(tokens: _Tokens, database: str) -> list[Ddl]:
    if tokens.take("TEMPORARY"):
        return []
    if tokens.take("DATABASE") or tokens.take("SCHEMA"):
        tokens.take("IF", "EXISTS")
        name = tokens.name("")
        return [] if name is None else [Ddl(Verb.DROP_DATABASE, TableName(name.table, ""))]
    if tokens.take("INDEX"):
        return _one(Verb.DROP_INDEX, tokens.name(database)) if tokens.skip_to("ON") else []
    if not (tokens.take("TABLE") or tokens.take("TABLES")):
        return []
    tokens.take("IF", "EXISTS")
    dropped = []
    while (name := tokens.name(database)) is not None:
        dropped.append(Ddl(Verb.DROP, name))
        if not tokens.take(","):
            break
    return dropped


def _rename(tokens: _Tokens, database: str) -> list[Ddl]:
    renamed = []
    while (name := tokens.name(database)) is not None:
        if not tokens.take("TO"):
            break
        target = tokens.name(database)
        if target is None:
            break
        renamed.append(Ddl(Verb.RENAME, name, target))
        if not tokens.take(","):
            break
    return renamed


def _dml(tokens: _Tokens, database: str) -> list[Ddl]:
    verb = tokens.peek()
    if verb not in ("INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"):
        return []
    tokens.at += 1
    if verb in ("UPDATE", "DELETE"):
        return _changed(tokens, database, verb)
    if not tokens.skip_to("INTO", "TABLE"):
        return [Ddl(Verb.DML, TableName(database, ""))]
    while tokens.peek() in ("LOW_PRIORITY", "IGNORE", "TABLE"):
        tokens.at += 1
    name = tokens.name(database)
    return [Ddl(Verb.DML, name if name is not None else TableName(database, ""))]


def _changed(tokens: _Tokens, database: str, verb: str) -> list[Ddl]:
    """UPDATE and DELETE: the one table, or whatever a statement over several tables could mean."""
    while tokens.peek() in ("LOW_PRIORITY", "QUICK", "IGNORE"):
        tokens.at += 1
    start = tokens.at
    if verb == "UPDATE" or tokens.take("FROM"):
        name = tokens.name(database)
        if name is not None and tokens.peek() in (
            ("SET",) if verb == "UPDATE" else ("WHERE", "ORDER", "LIMIT", ";")
        ):
            return [Ddl(Verb.DML, name)]
    tokens.at = start
    return [Ddl(Verb.DML, name) for name in tokens.names(database)]

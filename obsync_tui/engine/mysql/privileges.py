"""A MySQL user's rights, what a project's steps need, and the GRANT statements between the two."""

import re
from collections.abc import Iterable

import msgspec
import pymysql

from obsync_tui.engine.mysql.connection import query
from obsync_tui.model.project import Step
from obsync_tui.model.table import TableName, quote_identifier

_NEEDED = {
    Step.SCHEMA: (),
    # RELOAD is for the brief global read lock under which cuts are taken, the first of the stream included.
    Step.FULL: ("RELOAD", "REPLICATION CLIENT"),
    Step.INCREMENTAL: ("RELOAD", "REPLICATION CLIENT", "REPLICATION SLAVE"),
}
_NAME = r"(`(?:[^`]|``)*`|\*)"
_GRANT = re.compile(rf"(GRANT|REVOKE) (.+?) ON (?:TABLE )?{_NAME}\.{_NAME} (?:TO|FROM) ", re.DOTALL)
# A right on columns alone, `SELECT (a, b)`, is not one on the table.
_COLUMNS = re.compile(r"\b[A-Z ]+ \([^)]*\)")
_ALL = "ALL PRIVILEGES"


class Grant(msgspec.Struct, frozen=True):
    """Rights on `*.*`, on the databases that a pattern matches, or on one table; `revoked` takes them away again."""

    rights: frozenset[str]
    database: str = "*"
    table: str = "*"
    revoked: bool = False

    def covers(self, database: str, table: str, *, wildcards: bool = True) -> bool:
        """Whether it speaks of the table, `*` standing for all tables or all databases."""
        if self.database == "*":
            return True
        if database == "*":
            return False
        if self.table != "*":
            return (self.database, self.table) == (database, table)
        if not wildcards:
            return self.database == database
        return _like(self.database).fullmatch(database) is not None


class Rights(msgspec.Struct, frozen=True):
    """All rights of the connected account, which is `user@host`."""

    account: str
    grants: tuple[Grant, ...]

    def has(self, right: str, database: str = "*", table: str = "*") -> bool:
        """Whether the account has a right globally, or on a database or table."""
        # With partial revokes the server reads % and _ in database names literally.
        partial = any(grant.revoked for grant in self.grants)
        relevant = [
            grant
            for grant in self.grants
            if (right in grant.rights or _ALL in grant.rights)
            and grant.covers(database, table, wildcards=not partial)
        ]
        if any(not grant.revoked and grant.database != "*" for grant in relevant):
            return True
        allowed = any(not grant.revoked for grant in relevant)
        return allowed and not any(grant.revoked for grant in relevant)

    @property
    def quoted_account(self) -> str:
        """The account as GRANT writes it."""
        user, _, host = self.account.rpartition("@")
        return "@".join("'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in (user, host))


def read_rights(connection: pymysql.Connection) -> Rights:
    """The rights of the connected account, those of its active roles included; raises SourceError."""
    account = str(query(connection, "SELECT CURRENT_USER()")[0][0])
    statement = "SHOW GRANTS"
    if int(str(connection.get_server_info()).partition(".")[0]) >= 8:
        roles = str(query(connection, "SELECT CURRENT_ROLE()")[0][0])
        if roles != "NONE":
            statement = f"SHOW GRANTS FOR CURRENT_USER() USING {roles}"
    lines = [str(row[0]) for row in query(connection, statement)]
    return Rights(account, parse_grants(lines))


def parse_grants(lines: Iterable[str]) -> tuple[Grant, ...]:
    """Read the lines of SHOW GRANTS; those on roles, proxies and routines say nothing of tables and are left out."""
    grants = []
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            continue
        verb, rights, database, table = match.groups()
        whole = _COLUMNS.sub("", rights)
        names = frozenset(right for part in whole.split(",") if (right := part.strip()))
        grants.append(Grant(names, _unquoted(database), _unquoted(table), verb == "REVOKE"))
    return tuple(grants)


def missing_grants(
    rights: Rights, steps: Iterable[Step], tables: Iterable[TableName], databases: Iterable[str]
) -> tuple[str, ...]:
    """The GRANT statements without which the steps cannot run; empty when nothing is missing.

    `tables` are those in scope that the account sees, `databases` those that rules name: of a database without any
    right the account sees no table.
    """
    needed = {right for step in steps for right in _NEEDED[step]}
    lacking = sorted(right for right in needed if not rights.has(right))
    statements = []
    if lacking:
        statements.append(f"GRANT {', '.join(lacking)} ON *.* TO {rights.quoted_account};")
    names = sorted(tables)
    seen = {name.database for name in names}
    unreadable = {name.database for name in names if not rights.has("SELECT", name.database, name.table)}
    unreadable |= {
        database for database in databases if database not in seen and not rights.has("SELECT", database)
    }
    for database in sorted(unreadable):
        pattern = re.sub(r"([_%\\])", r"\\\1", database)
        statements.append(f"GRANT SELECT ON {quote_identifier(pattern)}.* TO {rights.quoted_account};")
    return tuple(statements)


def _unquoted(name: str) -> str:
    return name if name == "*" else name[1:-1].replace("``", "`")


def _like(pattern: str) -> re.Pattern[str]:
    r"""A database name of GRANT as a regular expression: `%` anything, `_` one character, `\_` and `\%` themselves."""
    parts = []
    for piece in re.findall(r"\\.|.", pattern, re.DOTALL):
        if piece == "%":
            parts.append(".*")
        elif piece == "_":
            parts.append(".")
        else:
            parts.append(re.escape(piece[1:] if len(piece) == 2 else piece))
    return re.compile("".join(parts), re.DOTALL)

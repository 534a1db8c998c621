"""Synchronization objects: OMS's match rules, and the topic of each table."""

import re

import msgspec

from obsync_tui.model.project import Objects, Project, TableRule
from obsync_tui.model.table import TableName

SYSTEM_SCHEMAS = frozenset(
    {
        "mysql",
        "information_schema",
        "performance_schema",
        "sys",
        "ndbinfo",
        "oceanbase",
        "lbacsys",
        "oraauditor",
        "sys_external_tbs",
        "__public",
        "__recyclebin",
    }
)
_WILDCARDS = "*?[]"
# Characters that OMS does not allow in a rule; `*`, `?`, `[` and `]` it reads as wildcards.
_ILLEGAL = re.compile(r"[\s|\"'`()=;/&\x00]")
# Joins database and table for one comparison; no identifier holds it.
_JOINT = "\0"
_VARIABLE = re.compile(r"\$\{([^}]*)\}|\$\{?")
_DATABASE = ("database", "Database Name")
_TABLE = ("table", "Table Name")


class Scope(msgspec.Struct, frozen=True):
    """The rules by which tables are followed, as they stand in a project."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, objects: Objects) -> "Scope":
        """Those of a project's objects."""
        return cls(objects.include, objects.exclude)


class ObjectRules:
    """Which tables are in scope: what the include rules match minus what the exclude rules match.

    A rule is `<db>.<table>`, case-sensitive, with `*` (anything), `?` (one character), `[abc]`, `[a-z]`, `[!a-z]`.
    System schemas never match. Source: OMS, "Match Rules". ValueError names the rule that cannot be read. `only`
    narrows the scope to some tables.
    """

    def __init__(self, objects: Objects, only: frozenset[TableName] = frozenset()) -> None:
        self._only = only
        self.include = tuple(_split(rule) for rule in objects.include)
        exclude = tuple(_split(rule) for rule in objects.exclude)
        self._include = _compile(self.include)
        self._exclude = _compile(exclude) if exclude else None
        self._databases = re.compile("|".join(_expression(db) for db, _ in self.include), re.DOTALL)

    def matches(self, name: TableName) -> bool:
        """Whether the table is in scope."""
        if name.database.lower() in SYSTEM_SCHEMAS:
            return False
        joined = f"{name.database}{_JOINT}{name.table}"
        if self._include.fullmatch(joined) is None:
            return False
        if self._only and name not in self._only:
            return False
        return self._exclude is None or self._exclude.fullmatch(joined) is None

    def may_hold(self, database: str) -> bool:
        """Whether a table of that database can be in scope."""
        return database.lower() not in SYSTEM_SCHEMAS and self._databases.fullmatch(database) is not None

    def named(self) -> tuple[TableName, ...]:
        """The tables that include rules name in full, without a wildcard, and no exclude rule takes away."""
        names = (TableName(db, table) for db, table in self.include if not _is_pattern(db + table))
        return tuple(name for name in names if self.matches(name))

    def databases(self) -> tuple[str, ...]:
        """The databases that include rules name in full, in the rules' order."""
        return tuple(dict.fromkeys(db for db, _ in self.include if not _is_pattern(db)))


def topic_for(project: Project, name: TableName) -> str:
    """The topic of a table: its own when the project gives it one, else the template's.

    Variables are `${database}` and `${table}`, or OMS's `${Database Name}` and `${Table Name}`.
    ValueError names a variable that does not exist.
    """
    rule = table_rule(project.objects, name)
    template = rule.topic if rule is not None and rule.topic else project.message.topic

    def value(variable: re.Match[str]) -> str:
        if variable[1] in _DATABASE:
            return name.database
        if variable[1] in _TABLE:
            return name.table
        raise ValueError(
            f"topic {template!r}: {variable[0]!r} is not a variable; those are ${{database}} and ${{table}}"
        )

    return _VARIABLE.sub(value, template)


def table_rule(objects: Objects, name: TableName) -> TableRule | None:
    """What the project says of one table, None when it says nothing."""
    text = str(name)
    return next((rule for rule in objects.tables if rule.name == text), None)


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _WILDCARDS)


def _split(rule: str) -> tuple[str, str]:
    """Database and table pattern of a rule; a dot inside `[…]` does not divide."""
    illegal = _ILLEGAL.search(rule)
    if illegal is not None:
        raise ValueError(f"rule {rule!r}: the character {illegal[0]!r} is not allowed; ? stands for any one")
    dots = [i for i, character in enumerate(rule) if character == "." and not _inside_class(rule, i)]
    if len(dots) != 1:
        raise ValueError(f"rule {rule!r}: write <db>.<table>, with one dot; ? stands for a dot in a name")
    database, table = rule[: dots[0]], rule[dots[0] + 1 :]
    if not database or not table:
        raise ValueError(f"rule {rule!r}: write <db>.<table>; * stands for all")
    return database, table


def _inside_class(rule: str, index: int) -> bool:
    return rule.rfind("[", 0, index) > rule.rfind("]", 0, index)


def _compile(rules: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{_expression(db)}{_JOINT}{_expression(table)})" for db, table in rules), re.DOTALL
    )


def _expression(pattern: str) -> str:
    """A pattern as a regular expression that never crosses the joint."""
    parts = []
    i = 0
    while i < len(pattern):
        character = pattern[i]
        if character == "*":
            parts.append(f"[^{_JOINT}]*")
        elif character == "?":
            parts.append(f"[^{_JOINT}]")
        elif character == "[":
            end = pattern.find("]", i)
            parts.append(_class(pattern, pattern[i + 1 : end] if end > 0 else ""))
            i = end
        elif character == "]":
            raise ValueError(f"rule {pattern!r}: ] without [")
        else:
            parts.append(re.escape(character))
        i += 1
    return "".join(parts)


def _class(pattern: str, inside: str) -> str:
    negated = inside.startswith("!")
    members = inside[1:] if negated else inside
    if not members or "[" in members or "*" in members or "?" in members:
        raise ValueError(f"rule {pattern!r}: write [abc], [a-z] or [!a-z]")
    ranges = []
    i = 0
    while i < len(members):
        first = last = members[i]
        if i + 2 < len(members) and members[i + 1] == "-":
            last = members[i + 2]
            i += 2
        if last < first:
            raise ValueError(f"rule {pattern!r}: the range {first}-{last} is empty")
        ranges.append(f"{re.escape(first)}-{re.escape(last)}")
        i += 1
    return f"[^{_JOINT}{''.join(ranges)}]" if negated else f"[{''.join(ranges)}]"

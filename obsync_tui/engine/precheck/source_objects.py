"""Checks of the tables in scope."""

import re
from collections.abc import Iterable, Sequence

from obsync_tui.engine.mysql.hazards import CascadingKey, doubtful_members
from obsync_tui.engine.precheck.model import CheckResult, Subject, listed
from obsync_tui.engine.values import charsets
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.project import Objects
from obsync_tui.model.table import Generated, TableName, TableVersion

_TYPES = re.compile(
    "(tiny|small|medium|big)?int|decimal|float|double|bit|year|date|time|datetime|timestamp"
    "|(var)?(char|binary)|(tiny|medium|long)?(text|blob)|enum|set|json"
    "|geometry|(multi)?(point|linestring|polygon)|geom(etry)?collection"
)
# Hidden columns of functional indexes stood in the row events of 8.0.15.
_HIDDEN_COLUMNS_UNTIL = (8, 0, 17)


def check_found(subject: Subject, rules: ObjectRules, tables: Sequence[TableVersion]) -> CheckResult:
    """The rules match something, and every table named in full is there."""
    present = {table.name for table in tables}
    absent = [name for name in rules.named() if name not in present]
    cure = "Correct include and exclude under [objects], or give the user SELECT on the tables."
    if absent:
        return subject.failed(
            "objects", f"{len(absent)} tables do not exist or are not seen: {listed(absent)}", cure
        )
    if not tables:
        return subject.failed("objects", "the rules match no table", cure)
    return subject.passed("objects", f"{len(tables)} tables")


def check_table_rules(
    subject: Subject, objects: Objects, tables: Iterable[TableVersion]
) -> list[CheckResult]:
    """Tables with settings of their own are in scope and have their sharding columns."""
    by_name = {str(table.name): table for table in tables}
    results = []
    for rule in objects.tables:
        table = by_name.get(rule.name)
        if table is None:
            results.append(
                subject.warned(
                    "table settings",
                    f"{rule.name} is not in scope",
                    "Correct its name under [[objects.tables]].",
                )
            )
            continue
        names = {column.name for column in table.columns}
        unknown = [column for column in rule.sharding_columns if column not in names]
        if unknown:
            results.append(
                subject.failed(
                    "table settings",
                    f"{rule.name} has no column {listed(unknown)}",
                    "Correct sharding_columns under [[objects.tables]].",
                )
            )
    return results


def check_keys(subject: Subject, tables: Iterable[TableVersion]) -> CheckResult:
    """Rows of a table without a key cannot be spread over partitions, nor read again from where full stopped."""
    keyless = [table.name for table in tables if not table.key_columns()]
    if not keyless:
        return subject.passed("keys", "every table has a primary key or a unique key without NULL")
    return subject.warned(
        "keys",
        f"{len(keyless)} tables have no key: {listed(keyless)}. Each goes to one partition, and is read again "
        "from its beginning when full synchronization is interrupted",
        f"ALTER TABLE {keyless[0].quoted} ADD PRIMARY KEY (…);",
    )


def check_engines(subject: Subject, tables: Iterable[TableVersion]) -> CheckResult:
    """Only InnoDB has snapshots and transactions."""
    others = [table for table in tables if table.engine != "InnoDB"]
    if not others:
        return subject.passed("storage engines", "InnoDB")
    shown = listed(f"{table.name} ({table.engine})" for table in others)
    statements = " ".join(f"ALTER TABLE {table.name.quoted} ENGINE = InnoDB;" for table in others[:5])
    return subject.failed(
        "storage engines",
        f"{len(others)} tables are not InnoDB: {shown}",
        f"Exclude them or run: {statements}",
    )


def check_foreign_keys(subject: Subject, keys: Sequence[CascadingKey]) -> CheckResult:
    """What CASCADE and SET NULL do is not in MySQL's log."""
    if not keys:
        return subject.passed("foreign keys", "none changes rows without a word in the log")
    shown = listed(f"{key.name} on {key.child} ({_rules(key)})" for key in keys)
    first = keys[0]
    return subject.failed(
        "foreign keys",
        f"{len(keys)} foreign keys change rows that the log is silent about: {shown}",
        f"Exclude these tables, or make each key RESTRICT: ALTER TABLE {first.child.quoted} "
        f"DROP FOREIGN KEY `{first.name}`; and add it again without ON DELETE and ON UPDATE.",
    )


def _rules(key: CascadingKey) -> str:
    silent = ("RESTRICT", "NO ACTION")
    actions = (("ON DELETE", key.on_delete), ("ON UPDATE", key.on_update))
    return ", ".join(f"{event} {action}" for event, action in actions if action not in silent)


def check_types(subject: Subject, tables: Iterable[TableVersion]) -> list[CheckResult]:
    """Every column's type and character set can be read, and ENUM and SET members are what the catalog prints."""
    item = "column types"
    unknown: list[str] = []
    doubtful: list[str] = []
    for table in tables:
        for column in table.columns:
            where = f"{table.name}.{column.name}"
            if _TYPES.fullmatch(column.data_type) is None:
                unknown.append(f"{where} ({column.column_type})")
            elif column.charset is not None and not charsets.supported(column.charset):
                unknown.append(f"{where} (character set {column.charset})")
        doubtful += [f"{table.name}.{column}" for column in doubtful_members(table)]
    results = []
    if unknown:
        results.append(
            subject.failed(
                item, f"{len(unknown)} columns cannot be read: {listed(unknown)}", "Exclude their tables."
            )
        )
    if doubtful:
        results.append(
            subject.warned(
                item,
                f"{listed(doubtful)}: MySQL's catalog prints members beyond U+FFFF as ?, "
                "so a member with ? in it is read from a row, and a change to one that no row held before stops the "
                "project",
                "Rename such members; or, when the project stops, run it again: a row then holds the member.",
            )
        )
    return results or [subject.passed(item, "all can be read")]


def check_functional_indexes(
    subject: Subject, version: tuple[int, ...], names: Sequence[TableName]
) -> CheckResult:
    """Early 8.0 servers log the hidden column of an index on an expression, which the catalog does not show."""
    item = "functional indexes"
    if not names:
        return subject.passed(item, "none")
    text = f"{len(names)} tables have an index on an expression: {listed(names)}"
    if version > _HIDDEN_COLUMNS_UNTIL:
        return subject.warned(
            item, f"{text}; if the server logs their hidden columns, the project stops there"
        )
    return subject.failed(
        item,
        f"{text}; this server logs a hidden column for each",
        "Exclude these tables, replace the indexes by ones on generated columns, or upgrade the server.",
    )


def check_generated(subject: Subject, tables: Iterable[TableVersion]) -> CheckResult:
    """Virtual columns are in MySQL's log; OceanBase leaves them out."""
    virtual = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        if column.generated is Generated.VIRTUAL
    ]
    if not virtual:
        return subject.passed("virtual columns", "none")
    return subject.passed(
        "virtual columns", f"{len(virtual)}, with the values that the server logs: {listed(virtual)}"
    )

"""The shapes that tables had at a position, as far as they are still known.

The catalog shows the present. A shape of it is that of the position when the log holds no statement since then that can
have changed it. CREATE TABLE cannot: before it there are no rows to be read.
"""

from collections.abc import Collection, Iterable, Iterator

import msgspec

from obsync_tui.engine.errors import SchemaChanged
from obsync_tui.engine.store.binlog.ddl import Ddl, Verb
from obsync_tui.engine.store.binlog.scan import LoggedDdl
from obsync_tui.model.moment import Moment
from obsync_tui.model.objects import ObjectRules
from obsync_tui.model.position import GtidSet
from obsync_tui.model.retime import UnknownShape
from obsync_tui.model.table import TableName, TableVersion

_HARMLESS = (Verb.DML, Verb.CREATE, Verb.TRUNCATE)


class Shapes(msgspec.Struct, frozen=True):
    """The tables in scope as they were at a position, and those whose shape then is not known any more."""

    tables: tuple[TableVersion, ...]
    unknown: tuple[UnknownShape, ...] = ()


def shapes_at(
    position: GtidSet,
    there: Iterable[TableVersion],
    statements: Iterable[LoggedDdl],
    rules: ObjectRules,
    known: Iterable[TableVersion] = (),
    known_at: GtidSet | None = None,
) -> Shapes:
    """The shapes at a position; `there` are the tables of the catalog, `statements` those since the position.

    `known` are the shapes at a later position `known_at`: they were the same before when no statement lies between.
    """
    present, kept = {t.name: t for t in there}, {t.name: t for t in known}
    changes: dict[TableName, list[LoggedDdl]] = {}
    for statement in statements:
        for effect in statement.effects:
            for name in _touched(effect, {*present, *kept}, rules):
                changes.setdefault(name, []).append(statement)
    later = known_at is not None and position.issubset(known_at)
    tables: list[TableVersion] = []
    unknown: list[UnknownShape] = []
    for name in sorted({*present, *kept, *changes}):
        found = changes.get(name)
        if not found:
            if name in present:
                tables.append(present[name])
        elif later and name in kept and not any(_within(one, known_at) for one in found):
            tables.append(kept[name])
        else:
            # The last one: from there on the shape is known.
            last = found[-1]
            unknown.append(UnknownShape(name, last.statement[:200], str(last.gtid), Moment(last.commit_us)))
    return Shapes(tuple(tables), tuple(unknown))


def check_known(unknown: Collection[UnknownShape], where: str, cure: str) -> None:
    """SchemaChanged when there are tables whose shape is not known."""
    if not unknown:
        return
    last = max(unknown, key=lambda one: one.changed.at_us)
    tables = ", ".join(f"{one.table} ({one.statement[:60]!r})" for one in list(unknown)[:5])
    raise SchemaChanged(
        f"{len(unknown)} tables were changed by DDL since, and how they were before is not known: {tables}; "
        f"the last at {last.changed.utc}",
        where=where,
        cure=cure,
    )


def _within(statement: LoggedDdl, executed: GtidSet | None) -> bool:
    return executed is not None and executed.contains(statement.gtid.uuid, statement.gtid.gno)


def _touched(effect: Ddl, tables: set[TableName], rules: ObjectRules) -> Iterator[TableName]:
    """The tables in scope whose shape the effect can have changed; a name without a database can be of any."""
    if effect.verb in _HARMLESS:
        return
    if effect.verb is Verb.DROP_DATABASE:
        yield from (name for name in tables if name.database == effect.table.database)
        return
    for name in (effect.table, effect.target):
        if name is None:
            continue
        if not name.database:
            yield from (one for one in tables if one.table == name.table)
        elif name in tables or rules.matches(name):
            yield name

"""Which view logs are a project's: claimed before they are created, known by their id ever after.

A record says whose a log is; the claim is committed before the log is created, so that no log of ours is ever without
one. A log that another owns, or nobody known here, is never read, purged or dropped: reading it purges it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec
import pymysql

from obsync_tui.engine.errors import CheckpointError, SourceError, SourceUnfit, SourceUnreachable
from obsync_tui.engine.mysql.connection import error_number, query
from obsync_tui.engine.store.mlog.catalog import LogFacts, read_logs
from obsync_tui.engine.store.mlog.columns import LOB_TYPES, logged_columns, unfit
from obsync_tui.model.checkpoint import VIEW_LOG_PREFIX, Record
from obsync_tui.model.table import TableName, TableVersion, quote_identifier

_EXISTS = 9756
_NO_TABLE = 1146
# What a row of a log may hold in all is 1.5 MiB: with several LOB columns each gets less.
LOB_BYTES = (786_432, 524_288, 393_216, 262_144, 196_608, 131_072, 65_536, 32_768, 16_384)
_TOO_LONG = (1210, 1118)

OwnerOf = Callable[[LogFacts], str]


class Owned(msgspec.Struct, frozen=True):
    """Whose a table's log is. `log_id` and `created_scn` are 0 while it is only claimed.

    `lob_bytes` is the longest LOB value that can be written to the table, 0 where the log has no LOB columns. Of what
    was committed up to `floor_scn` nothing is looked for in the log: that is from before it, or given up.
    """

    table: TableName
    project_id: str
    log_id: int = 0
    created_scn: int = 0
    lob_bytes: int = 0
    floor_scn: int = 0

    @property
    def record(self) -> Record:
        """The checkpoint record of it."""
        return Record(VIEW_LOG_PREFIX + self.table.quoted, msgspec.json.encode(self))


def owned_of(records: Iterable[Record]) -> dict[TableName, Owned]:
    """The logs among a checkpoint's records, by table; CheckpointError when one cannot be read."""
    try:
        found = (
            msgspec.json.decode(record.value, type=Owned)
            for record in records
            if record.key.startswith(VIEW_LOG_PREFIX) and record.value is not None
        )
        return {owned.table: owned for owned in found}
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise CheckpointError(
            f"the record of a view log cannot be read: {error}", where="checkpoint", cure="Reset the project."
        ) from error


def claim(
    connection: pymysql.Connection,
    project_id: str,
    tables: Iterable[TableVersion],
    owned: dict[TableName, Owned],
    owner_of: OwnerOf,
    where: str,
) -> tuple[Record, ...]:
    """The claims to commit before `create`, for tables that have no log of this project yet.

    SourceUnfit names a table that cannot have a log, and the owner of a log that is there already. `owner_of` tells who
    owns a log as far as this machine knows, "" for nobody. Raises SourceError.
    """
    there = read_logs(connection, where)
    claims = []
    for table in tables:
        facts, mine = there.get(table.name), owned.get(table.name)
        if facts is not None and (mine is None or mine.log_id not in (0, facts.log_id)):
            raise _owned_by_another(table.name, owner_of(facts), where)
        if mine is None:
            reason = unfit(table)
            if reason:
                raise SourceUnfit(
                    reason, where=f"{where}, {table.name}", cure="Leave the table out, or use Binlog Service."
                )
            claims.append(Owned(table.name, project_id).record)
    return tuple(claims)


def create(
    connection: pymysql.Connection,
    tables: Iterable[TableVersion],
    owned: dict[TableName, Owned],
    lost_lobs: frozenset[TableName],
    where: str,
    earlier: Collection[TableName] = (),
) -> tuple[Record, ...]:
    """Create the logs that are claimed and not there, and give the records of all that were only claimed.

    It waits for transactions that are open on a table. Cuts are to be taken afterwards: a transaction that was open
    before is in the log in part. `lost_lobs` are tables whose LOB columns are left out, `earlier` those that a run
    before this one claimed: it may be that its statement still creates the log. Raises SourceError,
    SourceUnreachable while that is so.
    """
    there = read_logs(connection, where)
    done: list[Owned] = []
    for table in tables:
        mine = owned[table.name]
        if mine.log_id:
            continue
        facts = there.get(table.name)
        if facts is None:
            _create_one(connection, table, lost_lobs, where, is_ours=table.name in earlier)
        elif facts.is_being_made:
            raise _being_made(table.name, where)
        lobs = _lobs(table, lost_lobs)
        done.append(msgspec.structs.replace(mine, lob_bytes=_raise_threshold(connection, table, lobs, where)))
    there = read_logs(connection, where)
    return tuple(
        msgspec.structs.replace(
            one,
            log_id=there[one.table].log_id,
            created_scn=there[one.table].created_scn,
            floor_scn=there[one.table].purged_scn,
        ).record
        for one in done
        if one.table in there
    )


def drop(
    connection: pymysql.Connection, owned: Iterable[Owned], where: str
) -> tuple[tuple[TableName, ...], tuple[TableName, ...]]:
    """Drop the logs that are still the ones owned; the tables whose log was dropped, and those where it was not there.

    A log that was only claimed and is there was created by us. Raises SourceError.
    """
    there = read_logs(connection, where)
    dropped, missing = [], []
    for one in owned:
        facts = there.get(one.table)
        if facts is None or one.log_id not in (0, facts.log_id):
            missing.append(one.table)
            continue
        if facts.is_being_made:
            raise _being_made(one.table, where)
        try:
            query(connection, f"DROP MATERIALIZED VIEW LOG ON {one.table.quoted}", where=where)
        except SourceError as error:
            if error_number(error) != _NO_TABLE:
                raise
        dropped.append(one.table)
    return tuple(dropped), tuple(missing)


def _create_one(
    connection: pymysql.Connection,
    table: TableVersion,
    lost_lobs: frozenset[TableName],
    where: str,
    *,
    is_ours: bool,
) -> None:
    keyed = set(table.primary_key)
    listed = [
        quote_identifier(column.name)
        for column in logged_columns(table, table.name in lost_lobs)
        if column.name not in keyed
    ]
    columns = f" ({', '.join(listed)})" if listed else ""
    sql = (
        f"CREATE MATERIALIZED VIEW LOG ON {table.name.quoted}"
        f" WITH PRIMARY KEY, ROWID, SEQUENCE{columns} INCLUDING NEW VALUES"
    )
    try:
        query(connection, sql, where=where)
    except SourceError as error:
        if error_number(error) == _EXISTS and is_ours:
            raise _being_made(table.name, where) from error
        if error_number(error) == _EXISTS:
            raise _owned_by_another(table.name, "", where) from error
        raise


def _lobs(table: TableVersion, lost_lobs: frozenset[TableName]) -> int:
    if table.name in lost_lobs:
        return 0
    return sum(column.data_type in LOB_TYPES for column in table.columns)


def _raise_threshold(connection: pymysql.Connection, table: TableVersion, lobs: int, where: str) -> int:
    if not lobs:
        return 0
    for size in LOB_BYTES:
        sql = f"ALTER MATERIALIZED VIEW LOG ON {table.name.quoted} LOB_INROW_THRESHOLD = {size}"
        try:
            query(connection, sql, where=where)
        except SourceError as error:
            if error_number(error) not in _TOO_LONG:
                raise
            continue
        return size
    return 8192


def _being_made(table: TableName, where: str) -> SourceUnreachable:
    return SourceUnreachable(
        "the view log is still being made by an earlier run: it waits for transactions that are open on the table",
        where=f"{where}, {table}",
        cure="End those transactions, and try again; a run does so by itself.",
    )


def _owned_by_another(table: TableName, owner: str, where: str) -> SourceUnfit:
    who = f"project {owner} owns" if owner else "no project on this machine owns"
    return SourceUnfit(
        f"the table has a view log already, which {who}; a table has one log, and whoever reads it purges it",
        where=f"{where}, {table}",
        cure="Stop and delete that project, or leave the table out. `obsync source logs` lists the logs; one that "
        f"nobody needs goes with: DROP MATERIALIZED VIEW LOG ON {table.quoted}",
    )


def lob_limits(owned: Iterable[Owned]) -> Sequence[str]:
    """One sentence a table: how long a LOB value the application may write while the log is there."""
    return [
        f"{one.table}: a LOB value of more than {one.lob_bytes:,} bytes makes the application's write fail"
        for one in owned
        if one.lob_bytes
    ]

"""What a source says of its log, and whether a position fits it."""

import msgspec

from obsync_tui.engine.errors import LogGap
from obsync_tui.engine.values.jsonbinary import MYSQL57, JsonDialect
from obsync_tui.model.position import GtidSet


class SourceLog(msgspec.Struct, frozen=True):
    """A source's executed and purged GTID sets, its uuid, whether events end in a CRC32, and how it prints JSON.

    `lower_case` tells that it keeps names of databases and tables in lower case, however statements write them.
    """

    executed: str
    purged: str
    server_uuid: str
    checksum: bool
    json_dialect: JsonDialect = MYSQL57
    lower_case: bool = False


DECIDE = "Decide with `obsync project gap`, or start over with `obsync project reset`."
"""What to do about a gap."""


def reachable(position: GtidSet, log: SourceLog) -> GtidSet:
    """The nearest position from which the source's log is whole; the position itself when there is no gap.

    What it purged counts as read. Of a server whose history began anew nothing counts as read: the same numbers may
    stand for other transactions.
    """
    alien = position.missing_from(GtidSet.parse(log.executed))
    return position.without_servers_of(alien).union(GtidSet.parse(log.purged))


def check_history(position: GtidSet, executed: GtidSet, where: str) -> None:
    """LogGap when the position holds what the source, whose executed set was read afterwards, never had."""
    unknown = position.missing_from(executed)
    if unknown:
        raise LogGap(
            f"the checkpoint holds transactions that the source never had: {str(unknown)[:200]}",
            where=where,
            cure="This is another server, or its log began anew (RESET MASTER; on OceanBase CREATE BINLOG). Point the "
            f"data source to the right server. {DECIDE}",
        )


def check_position(position: GtidSet, log: SourceLog, where: str) -> None:
    """LogGap when the source never had, or no longer has, what follows the position."""
    check_history(position, GtidSet.parse(log.executed), where)
    lost = GtidSet.parse(log.purged).missing_from(position)
    if lost:
        raise LogGap(
            f"the source has purged transactions that were not read yet: {str(lost)[:200]}",
            where=where,
            cure=f"Nothing was skipped. {DECIDE} Keep the log longer (expire_logs_days, binlog_expire_logs_seconds).",
        )

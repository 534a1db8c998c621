"""Taking a cut on MySQL: a brief global read lock under which GTIDs, schemas and snapshots agree."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.err import MySQLError

from obsync_tui.engine.errors import SnapshotLost, SourceRefused, Stopped
from obsync_tui.engine.full.reader import Cut
from obsync_tui.engine.mysql.connection import query, translate

LOCK_WAIT_S = 5
_TRIES = 12
_PAUSE_S = 2.0
_RIGHT_MISSING = (ER.SPECIFIC_ACCESS_DENIED_ERROR, ER.ACCESS_DENIED_ERROR)

_LONG_QUERY = (
    "SELECT ID, TIME, STATE, LEFT(INFO, 120) FROM information_schema.PROCESSLIST WHERE COMMAND IN ('Query', 'Execute')"
    f" AND TIME >= {LOCK_WAIT_S} AND ID <> CONNECTION_ID() AND USER <> 'system user' ORDER BY TIME DESC LIMIT 1"
)


@contextmanager
def global_read_lock(connection: Connection, where: str, stopping: threading.Event) -> Iterator[None]:
    """Hold `FLUSH TABLES WITH READ LOCK`, never queueing for it longer than a few seconds.

    Raises SourceRefused without the right, SnapshotLost when long queries or locks stood in the way every time.
    """
    obstacle = _locked(connection, where)
    for _ in range(_TRIES - 1):
        if not obstacle:
            break
        if stopping.wait(_PAUSE_S):
            raise Stopped("stopped while waiting for a global read lock", where=where)
        obstacle = _locked(connection, where)
    if obstacle:
        raise SnapshotLost(
            f"no global read lock could be taken in {_TRIES} tries: {obstacle}",
            where=where,
            cure="End that query or wait for it; starting again tries again.",
        )
    try:
        yield
    finally:
        # A connection that broke has released the lock by itself.
        if connection.open:
            query(connection, "UNLOCK TABLES", where=where)


def _locked(connection: Connection, where: str) -> str:
    """Take the lock, or answer what stood in the way.

    A flush that waits for a long query blocks the tables of that query for everyone, even after it gave up. So it is
    not tried while one is running (without the right PROCESS others' queries are not seen).
    """
    long = query(connection, _LONG_QUERY, where=where)
    if long:
        thread_id, seconds, state, statement = long[0]
        return f"connection {thread_id} has been running a query for {seconds} s ({state or 'no state'}: {statement})"
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}")
            cursor.execute("FLUSH TABLES WITH READ LOCK")
    except MySQLError as error:
        if error.args[0] == ER.LOCK_WAIT_TIMEOUT:
            return f"a transaction or a lock held it up for {LOCK_WAIT_S} s"
        if error.args[0] in _RIGHT_MISSING:
            user = query(connection, "SELECT CURRENT_USER()", where=where)[0][0]
            name, _, host = str(user).rpartition("@")
            raise SourceRefused(
                "the user lacks the right RELOAD, without which no consistent start can be taken",
                where=where,
                cure=f"Run: GRANT RELOAD ON *.* TO '{name}'@'{host}'",
            ) from error
        raise translate(error, where) from error
    return ""


def cut_here(connection: Connection, cut_id: int, where: str) -> Cut:
    """The cut at this moment; exact while the global read lock is held."""
    executed, taken_s = query(
        connection, "SELECT @@global.gtid_executed, UNIX_TIMESTAMP(NOW(6))", where=where
    )[0]
    return Cut(cut_id, "".join(str(executed).split()).lower(), float(str(taken_s)))

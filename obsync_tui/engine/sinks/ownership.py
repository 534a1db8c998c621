"""Who may run a project: one process, told by the owner record in its checkpoint."""

import os
import socket
from time import time

import msgspec

from obsync_tui.engine.errors import ProjectOwned
from obsync_tui.engine.liveness import start_ticks
from obsync_tui.model.checkpoint import OWNER_KEY, Owner, Record

FRESH_S = 30.0
REWRITE_S = 10.0


def this_process(started_s: float) -> Owner:
    """This process as an owner, written now."""
    pid = os.getpid()
    return Owner(socket.gethostname(), pid, started_s, time(), start_ticks(pid))


def owner_record(owner: Owner) -> Record:
    """The owner record."""
    return Record(OWNER_KEY, msgspec.json.encode(owner))


def is_this_process(value: bytes | None) -> bool:
    """Whether the owner record is one of this process, whenever it was written."""
    if not value:
        return False
    owner = msgspec.json.decode(value, type=Owner)
    pid = os.getpid()
    return (owner.host, owner.pid, owner.start_ticks) == (socket.gethostname(), pid, start_ticks(pid))


def is_this_run(value: bytes | None, started_s: float) -> bool:
    """Whether the owner record is one of this run, whenever it was written."""
    return bool(
        value and is_this_process(value) and msgspec.json.decode(value, type=Owner).started_s == started_s
    )


def check_owner(value: bytes | None, take_over: bool) -> None:
    """ProjectOwned when another process wrote the record less than 30 s ago and may still live.

    An owner of this host whose process is gone does not count, so that a restart after a kill is immediate.
    """
    if not value or take_over:
        return
    owner = msgspec.json.decode(value, type=Owner)
    age_s = time() - owner.written_s
    if age_s >= FRESH_S:
        return
    if is_this_process(value):
        return
    if owner.host == socket.gethostname():
        if start_ticks(owner.pid) != owner.start_ticks or not owner.start_ticks:
            return
    raise ProjectOwned(
        f"process {owner.pid} on {owner.host} runs the project; it reported {max(age_s, 0):.0f} s ago",
        where="checkpoint",
        cure="Stop it there, or run with --take-over to replace it.",
    )

"""Checkpoint records: what is committed together with the messages it covers."""

import msgspec

POSITION_KEY = "position"
OWNER_KEY = "owner"
CUTS_KEY = "cuts"
TABLE_PREFIX = "table:"
SCHEMA_PREFIX = "schema:"
VIEW_LOG_PREFIX = "viewlog:"
PURGE_KEY = "purge"
RESYNC_KEY = "resync"
SCOPE_KEY = "scope"


class Record(msgspec.Struct, frozen=True):
    """One key of a project's checkpoint and its JSON value; None removes the key."""

    key: str
    value: bytes | None


class Owner(msgspec.Struct, frozen=True):
    """Who runs the project: times are UTC epoch seconds, `start_ticks` tells a reused pid apart."""

    host: str
    pid: int
    started_s: float
    written_s: float
    start_ticks: int = 0

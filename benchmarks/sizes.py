"""How much each case does."""

from __future__ import annotations

import msgspec


class Sizes(msgspec.Struct, frozen=True):
    """Rows per case, rounds, and how long the quiet cases look."""

    rounds: int = 3
    stream_rows: int = 600_000
    wide_rows: int = 200_000
    snapshot_rows: int = 1_000_000
    transaction_rows: int = 2_000_000
    tables: int = 1_000
    table_rows: int = 600_000
    topic_rows: int = 30_000
    idle_s: float = 30.0
    samples: int = 300
    history_s: int = 3700
    shared_rows: int = 500_000
    shared_samples: int = 200
    live_s: float = 120.0
    slow_s: float = 30.0
    written_rows: int = 200_000


WHOLE = Sizes()
QUICK = Sizes(
    rounds=1,
    stream_rows=60_000,
    wide_rows=20_000,
    snapshot_rows=100_000,
    transaction_rows=200_000,
    tables=100,
    table_rows=30_000,
    topic_rows=5_000,
    idle_s=5.0,
    samples=30,
    history_s=130,
    shared_rows=200_000,
    shared_samples=40,
    live_s=10.0,
    slow_s=5.0,
    written_rows=20_000,
)

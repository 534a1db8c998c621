"""Rate limits: of all connections of a full synchronization together, and of the stream."""

import threading
import time

_BATCH_BYTES = 1 << 20
_SMALLEST_BATCH_BYTES = 1 << 14


class _Bucket:
    """A token bucket that may go into debt; a rate of 0 is no limit."""

    def __init__(self, per_s: int) -> None:
        self.per_s = per_s
        self._debt = 0.0
        self._at_s = time.monotonic()

    def spend(self, amount: int) -> None:
        self.delay_s()
        self._debt += amount

    def delay_s(self) -> float:
        now_s = time.monotonic()
        # What was not used up to now is lost but for a quarter of a second's worth.
        self._debt = max(self._debt - (now_s - self._at_s) * self.per_s, -0.25 * self.per_s)
        self._at_s = now_s
        return self._debt / self.per_s if self.per_s and self._debt > 0 else 0.0


class Limits:
    """Rows and bytes per second of all who share them; 0 is no limit. Safe for threads, adjustable while running."""

    def __init__(self, rows_per_s: int, bytes_per_s: int) -> None:
        self._lock = threading.Lock()
        self._rows = _Bucket(rows_per_s)
        self._bytes = _Bucket(bytes_per_s)

    def adjust(self, rows_per_s: int, bytes_per_s: int) -> None:
        """Set both limits from now on; earlier debts are forgotten."""
        with self._lock:
            self._rows = _Bucket(rows_per_s)
            self._bytes = _Bucket(bytes_per_s)

    def spend(self, rows: int, size_bytes: int) -> None:
        """Count what was read."""
        with self._lock:
            self._rows.spend(rows)
            self._bytes.spend(size_bytes)

    def delay_s(self) -> float:
        """How long to wait before going on."""
        with self._lock:
            return max(self._rows.delay_s(), self._bytes.delay_s())

    def batch_bytes(self) -> int:
        """A batch's size: a tenth of a second's worth under a limit, so that the flow stays even."""
        per_s = self._bytes.per_s
        return min(max(per_s // 10, _SMALLEST_BATCH_BYTES), _BATCH_BYTES) if per_s else _BATCH_BYTES

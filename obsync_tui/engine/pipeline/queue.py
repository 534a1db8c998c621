"""Queues between two threads, bounded by count and bytes."""

import threading
from collections import deque
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


class BoundedQueue(Generic[Item]):
    """First in, first out; `put` waits while the queue is full, `get` while it is empty.

    An item larger than the whole bound passes alone. After `close` both end at once. Who has dealt with what it got
    may say so with `done`, for those who ask whether all is done.
    """

    def __init__(self, count: int, size_bytes: int) -> None:
        self._count = count
        self._size_bytes = size_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._held_bytes = 0
        self._undone = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item, size_bytes: int, timeout_s: float | None = None) -> bool:
        """Add an item; False when the queue stayed full for the time-out, or is closed."""
        deadline = None if timeout_s is None else monotonic() + timeout_s
        with self._changed:
            while not self._closed and self._full(size_bytes):
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left)
            if self._closed:
                return False
            self._items.append((item, size_bytes))
            self._held_bytes += size_bytes
            self._undone += 1
            self._changed.notify_all()
            return True

    def get(self, timeout_s: float | None = None) -> Item | None:
        """The oldest item; None after the time-out, or when the queue is closed and empty."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            item, size_bytes = self._items.popleft()
            self._held_bytes -= size_bytes
            self._changed.notify_all()
            return item

    def done(self) -> None:
        """An item that was got is dealt with."""
        with self._changed:
            self._undone -= 1

    @property
    def all_done(self) -> bool:
        """Whether nothing waits, and everything that was got is dealt with."""
        return self._undone == 0

    def waiting(self) -> tuple[list[Item], int]:
        """What waits now, and its size in bytes; takes no lock, which one that works could hold for its whole turn."""
        # The copy is one step of the interpreter.
        return [item for item, _ in self._items.copy()], self._held_bytes

    @property
    def held_bytes(self) -> int:
        """The size of what waits now."""
        return self._held_bytes

    def close(self) -> None:
        """Wake everybody; what is queued is dropped."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._held_bytes = 0
            self._changed.notify_all()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items

    @property
    def fill(self) -> float:
        """How full the queue is, 0 to 1."""
        return min(1.0, max(len(self._items) / self._count, self._held_bytes / self._size_bytes))

    def _full(self, size_bytes: int) -> bool:
        if not self._items:
            return False
        return len(self._items) >= self._count or self._held_bytes + size_bytes > self._size_bytes

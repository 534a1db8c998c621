"""Bounded queues: order, bounds, back-pressure, close."""

import threading
from time import monotonic

from obsync_tui.engine.pipeline.queue import BoundedQueue


def test_order_is_kept() -> None:
    queue: BoundedQueue[int] = BoundedQueue(10, 100)
    for i in range(5):
        assert queue.put(i, 1)
    assert [queue.get(0.1) for _ in range(6)] == [0, 1, 2, 3, 4, None]


def test_bytes_bound_as_count_does() -> None:
    queue: BoundedQueue[str] = BoundedQueue(10, 100)
    assert queue.put("a", 60) and not queue.put("b", 60, timeout_s=0.05)
    assert queue.fill == 0.6
    assert queue.get(0.1) == "a" and queue.put("b", 60, timeout_s=0.05)


def test_an_item_beyond_the_bound_passes_alone() -> None:
    queue: BoundedQueue[str] = BoundedQueue(10, 100)
    assert queue.put("huge", 5000, timeout_s=0.05)
    assert not queue.put("next", 1, timeout_s=0.05)
    assert queue.get(0.1) == "huge" and queue.put("next", 1)


def test_a_full_queue_holds_its_writer_until_there_is_room() -> None:
    queue: BoundedQueue[int] = BoundedQueue(2, 100)
    written: list[int] = []

    def write() -> None:
        for i in range(50):
            queue.put(i, 1)
            written.append(i)

    thread = threading.Thread(target=write)
    thread.start()
    read = []
    while len(read) < 50:
        item = queue.get(1.0)
        assert item is not None
        read.append(item)
        assert len(written) - len(read) <= 3
    thread.join()
    assert read == list(range(50))


def test_close_wakes_both_sides_and_drops() -> None:
    queue: BoundedQueue[int] = BoundedQueue(1, 100)
    queue.put(1, 1)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(queue.put(2, 1)))
    thread.start()
    begun = monotonic()
    queue.close()
    thread.join(2)
    assert results == [False] and monotonic() - begun < 2
    assert queue.get(5.0) is None and not queue.put(3, 1)

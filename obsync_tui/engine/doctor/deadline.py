"""Work that may never come back: done in threads of its own, waited for until a time, then left behind."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def within(limit_s: float, tasks: Sequence[Callable[[], _T]], *, at_once: int = 32) -> list[_T | None]:
    """The tasks' results in order, None for those that were not done within `limit_s` seconds.

    What a task raises is raised here. Threads that did not come back are daemons: they end with the process.
    """
    waiting: queue.SimpleQueue[tuple[int, Callable[[], _T]]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, _T | BaseException]] = queue.SimpleQueue()
    for number, task in enumerate(tasks):
        waiting.put((number, task))

    def work() -> None:
        while True:
            try:
                number, task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, task()))
            except BaseException as error:
                done.put((number, error))

    for _ in range(min(at_once, len(tasks))):
        threading.Thread(target=work, name="doctor", daemon=True).start()
    results: list[_T | None] = [None] * len(tasks)
    end_s = time.monotonic() + limit_s
    for _ in tasks:
        try:
            number, result = done.get(timeout=max(0.0, end_s - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(result, BaseException):
            raise result
        results[number] = result
    return results

"""Threads of a process that runs many projects, and how they share its cores.

Python's threads share one interpreter lock; a thread that waits in a call that never returns cannot be ended. So no
fixed number of threads is kept: each is lent, and one that does not come back is abandoned, counted and named.
"""

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import monotonic, time
from types import TracebackType

import msgspec

Work = Callable[[], None]
SWITCH_INTERVAL_S = 0.0005
"""For `sys.setswitchinterval` in a process with many projects: an event loop among busy threads answers in time."""
_LIGHT_BYTES = 16 << 10
_LIGHT = nullcontext()


class RunToken:
    """So many threads at once may do what costs CPU; others wait in the order in which they came.

    Take it for a batch: `with token.batch(size_bytes): …`, and inside that `with token.waiting(): …` around what waits
    for a server. One is best while batches are worked on under the interpreter lock, as the native kernel does too: a
    second holder adds no speed and doubles what everybody else waits for the lock.
    """

    def __init__(self, count: int = 1) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._queue: deque[tuple[threading.Lock, int]] = deque()
        self._holders: set[int] = set()

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._lock:
            if self._free:
                self._free -= 1
                self._holders.add(me)
                return
            turn = threading.Lock()
            turn.acquire()
            self._queue.append((turn, me))
        turn.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.forfeit(threading.get_ident())

    def batch(self, size_bytes: int) -> AbstractContextManager[None]:
        """The token for work on so much; what is done within a moment needs none, and waits for nobody."""
        return self if size_bytes > _LIGHT_BYTES else _LIGHT

    def forfeit(self, holder: int) -> bool:
        """Give a thread's turn to the next, whatever that thread does; whether it had one."""
        with self._lock:
            if holder not in self._holders:
                return False
            self._holders.remove(holder)
            if self._queue:
                turn, next_holder = self._queue.popleft()
                self._holders.add(next_holder)
                turn.release()
            else:
                self._free += 1
            return True

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let others work meanwhile, and come back in turn; nothing for a thread that does not hold the token."""
        if not self.forfeit(threading.get_ident()):
            yield
            return
        try:
            yield
        finally:
            self.__enter__()


class Abandoned(msgspec.Struct, frozen=True):
    """A thread that did not come back, and when that was noticed (UTC epoch seconds)."""

    name: str
    at_s: float


class Lent:
    """One thread on loan; `ended` is set when its work has returned or failed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ident = 0
        self.ended = threading.Event()


class ThreadPool:
    """Lends daemon threads, and counts those in use and those that did not come back; safe for threads."""

    def __init__(self, token: RunToken | None = None) -> None:
        self.token = token or RunToken()
        self._lock = threading.Lock()
        self._lent: dict[Lent, None] = {}
        self._abandoned: dict[Lent, Abandoned] = {}
        self._schedule: Schedule | None = None

    def lend(self, name: str, work: Work) -> Lent:
        """Run something on a thread of its own. What it raises goes to `threading.excepthook`."""
        lent = Lent(name)

        def run() -> None:
            lent.ident = threading.get_ident()
            try:
                work()
            finally:
                lent.ended.set()
                with self._lock:
                    self._lent.pop(lent, None)
                    self._abandoned.pop(lent, None)

        with self._lock:
            self._lent[lent] = None
        threading.Thread(target=run, name=name, daemon=True).start()
        return lent

    def collect(self, lent: Iterable[Lent], timeout_s: float) -> tuple[str, ...]:
        """Wait for threads that were asked to end; those that do not in time are abandoned. Answers their names."""
        deadline = monotonic() + timeout_s
        late = [one for one in lent if not one.ended.wait(max(0.0, deadline - monotonic()))]
        with self._lock:
            for one in late:
                if self._lent.pop(one, self) is not self:
                    self._abandoned[one] = Abandoned(one.name, time())
        for one in late:
            self.token.forfeit(one.ident)
        return tuple(one.name for one in late)

    @property
    def in_use(self) -> int:
        """Threads that work, without those that are abandoned."""
        return len(self._lent)

    @property
    def abandoned(self) -> tuple[Abandoned, ...]:
        """Threads that have not come back up to now."""
        with self._lock:
            return tuple(self._abandoned.values())

    @property
    def schedule(self) -> "Schedule":
        """What is to be done now and then, for all who share this pool."""
        with self._lock:
            if self._schedule is None:
                self._schedule = Schedule(self)
            return self._schedule


class Repeated:
    """Something done now and then; `cancel` ends it, and answers the thread that still does it, if any."""

    def __init__(self, name: str, work: Work, every_s: float) -> None:
        self.name = name
        self.work = work
        self.every_s = every_s
        self.cancelled = False
        self.lent: Lent | None = None

    def cancel(self) -> tuple[Lent, ...]:
        """Do it no more."""
        self.cancelled = True
        return (self.lent,) if self.lent is not None else ()


class Schedule:
    """One thread that sees when something is due, and lends a thread to do it: who hangs holds up nobody else."""

    def __init__(self, threads: ThreadPool) -> None:
        self._threads = threads
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Repeated]] = []
        self._numbers = itertools.count()
        self._running = False

    def every(self, seconds: float, name: str, work: Work) -> Repeated:
        """Do something now, and again so many seconds after each time it was done."""
        repeated = Repeated(name, work, seconds)
        self._put(repeated, 0.0)
        return repeated

    def _put(self, repeated: Repeated, delay_s: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (monotonic() + delay_s, next(self._numbers), repeated))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="schedule", daemon=True).start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > monotonic():
                    self._changed.wait(self._due[0][0] - monotonic() if self._due else None)
                _, _, repeated = heapq.heappop(self._due)
            if not repeated.cancelled:
                repeated.lent = self._threads.lend(repeated.name, lambda one=repeated: self._do(one))  # type: ignore[misc]

    def _do(self, repeated: Repeated) -> None:
        try:
            repeated.work()
        finally:
            repeated.lent = None
            if not repeated.cancelled:
                self._put(repeated, repeated.every_s)

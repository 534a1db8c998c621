"""When Python looks for objects that only refer to each other, and memory goes back to the system.

A message is a dict: hundreds of thousands are made in a second and none is part of a cycle, so looking by count has to
be rare. Full looks, which the count brings after millions of objects only, come by the clock: attempts and clients that
ended leave cycles behind.
"""

import ctypes
import gc
from time import monotonic

_YOUNG = 50_000
EVERY_S = 60.0


def keep_loaded() -> None:
    """Look no more at what is there now, the loaded code, and seldom at what is made from now on."""
    gc.freeze()
    gc.set_threshold(_YOUNG)


class Sweep:
    """Frees what nobody can reach, a minute after the last time."""

    def __init__(self) -> None:
        self._done_s = monotonic()

    def when_due(self) -> None:
        """To be called now and then; holds up every thread while it looks, tens of milliseconds."""
        if monotonic() - self._done_s >= EVERY_S:
            gc.collect()
            _give_back()
            self._done_s = monotonic()


def _give_back() -> None:
    """Have glibc's malloc return pages that are free amid used ones: it would keep them, more with each run."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # another C library
        return

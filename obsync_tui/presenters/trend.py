"""The last minute of a figure per project, kept by the console for its sparks."""

from collections import deque

BUCKET_S = 5
BUCKETS = 12


class Trend:
    """Averages over 5 s, the newest last; only the newest changes within 5 s, so a spark costs one cell a second."""

    def __init__(self) -> None:
        self._buckets: dict[str, deque[tuple[int, float, int]]] = {}

    def add(self, name: str, at_s: float, value: float) -> None:
        """Take a value in."""
        place = int(at_s // BUCKET_S)
        found = self._buckets.setdefault(name, deque(maxlen=BUCKETS))
        if found and found[-1][0] == place:
            _, total, count = found[-1]
            found[-1] = (place, total + value, count + 1)
        else:
            found.append((place, value, 1))

    def keep(self, names: set[str]) -> None:
        """Forget all others."""
        for name in self._buckets.keys() - names:
            del self._buckets[name]

    def values(self, name: str, now_s: float) -> list[float | None]:
        """One value for each 5 s of the last minute; None where there was none."""
        newest = int(now_s // BUCKET_S)
        found = {place: total / count for place, total, count in self._buckets.get(name, ())}
        return [found.get(place) for place in range(newest - BUCKETS + 1, newest + 1)]

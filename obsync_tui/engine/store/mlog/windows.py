"""How a backlog is read in pieces that fit in memory: bounds between which about so many rows lie."""

from collections.abc import Callable, Iterator, Mapping

WINDOW_ROWS = 100_000
SECOND = 1_000_000_000
# Rows by stretch of so many scns between two of them: (after, upto, width) -> {stretch: rows}.
Histogram = Callable[[int, int, int], Mapping[int, int]]


def windows(
    histogram: Histogram, after_scn: int, upto_scn: int, rows: int = WINDOW_ROWS
) -> Iterator[tuple[int, int]]:
    """Upper bounds of windows from `after_scn` to `upto_scn`, each with how many rows lie in it.

    A window has at most about `rows` unless a single scn has more: then it is that scn alone.
    """
    counted = 0
    bound = after_scn
    for second, count in sorted(histogram(after_scn, upto_scn, SECOND).items()):
        stretches = {second: count}
        width = SECOND
        if count > rows:
            start = max(second * SECOND - 1, after_scn)
            stretches = dict(histogram(start, min((second + 1) * SECOND - 1, upto_scn), 1))
            width = 1
        for stretch, number in sorted(stretches.items()):
            if counted and counted + number > rows:
                yield bound, counted
                counted = 0
            counted += number
            bound = min((stretch + 1) * width - 1, upto_scn)
    if counted and bound < upto_scn and counted > rows:
        yield bound, counted
        counted = 0
    yield upto_scn, counted

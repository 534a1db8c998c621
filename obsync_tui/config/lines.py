"""The line of a TOML file that holds a key, for error messages."""

import re
import tomllib

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def key_path(path: str) -> tuple[str | int, ...]:
    """The steps of a msgspec path: `$.objects.include[1]` is `("objects", "include", 1)`.

    It ends before a step that msgspec does not name (`[...]`, a value of a dictionary).
    """
    steps: list[str | int] = []
    for name, index in _STEP.findall(path.removeprefix("$")):
        if index == "...":
            break
        steps.append(name or int(index))
    return tuple(steps)


def line_of(text: str, path: tuple[str | int, ...]) -> int:
    """The line (from 1) where the statement starts that brings `path` into being; 1 when there is none.

    It is found by reading beginnings of the file with tomllib itself, so that multi-line values, inline tables and
    dotted keys need no second parser. `text` is valid TOML.
    """
    lines = text.split("\n")
    low, high = 0, len(lines)
    while high - low > 1:
        middle = (low + high) // 2
        if _holds(_beginning(lines, middle), path):
            high = middle
        else:
            low = middle
    return high if path and _holds(_beginning(lines, high), path) else 1


def _beginning(lines: list[str], count: int) -> object:
    """The document of the first `count` lines, and of as many more as end the statement they end in."""
    while True:
        try:
            return tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            if count >= len(lines):
                raise
            count += 1


def _holds(document: object, path: tuple[str | int, ...]) -> bool:
    for step in path:
        if isinstance(document, list):
            if not isinstance(step, int) or step >= len(document):
                return False
            document = document[step]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return False
    return True

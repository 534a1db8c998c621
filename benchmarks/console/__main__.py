"""python -m benchmarks.console: bytes a second, seconds to answers, memory, one line of JSON each.

Bytes are those that the console writes to a pseudo terminal of 80x24; the engine behind it is a fake that is fed.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.console.meter import Terminal

_FED = "benchmarks.console.fed"
_SETTLE_S = 3.0


def bytes_per_s(
    arguments: Sequence[str], seconds: float = 10.0, keys: bytes = b"", **variables: str
) -> float:
    """What a console of these arguments writes a second, once its first screen stands."""
    with Terminal(_FED, arguments, **variables) as it:
        it.during(_SETTLE_S)
        if keys:
            it.press(keys)
            it.during(1.0)
        return len(it.during(seconds)) / seconds


def screen_change(keys: bytes, arguments: Sequence[str] = (), **variables: str) -> tuple[float, int]:
    """Seconds to the first byte and all bytes of the answer to keys: the median of five, there and back."""
    with Terminal(_FED, ["--changing", "0", *arguments], **variables) as it:
        it.during(_SETTLE_S)
        answers = []
        for _ in range(5):
            answers.append(it.press(keys))
            it.press(b"\x1b")
        return statistics.median(seconds for seconds, _ in answers), max(len(found) for _, found in answers)


def memory_bytes(arguments: Sequence[str]) -> int:
    """Resident memory of the console (proc(5), status) once its first screen stands."""
    with Terminal(_FED, arguments) as it:
        it.during(_SETTLE_S)
        lines = Path(f"/proc/{it.pid}/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def main() -> None:
    rates = {
        "idle": ["--changing", "0"],
        "3 of 20 rows": ["--changing", "3"],
        "20 of 20 rows": ["--changing", "20"],
        "20 of 20 rows, truecolor theme": ["--changing", "20", "--theme", "textual-dark"],
        "20 of 20 rows, slow": ["--changing", "20", "--slow"],
    }
    for name, arguments in rates.items():
        truecolor = {"COLORTERM": "truecolor"} if "truecolor" in name else {}
        print(
            json.dumps({"bytes_per_s": name, "value": round(bytes_per_s(arguments, **truecolor))}), flush=True
        )
    followed = round(bytes_per_s(["--changing", "0"], keys=b"4"))
    print(json.dumps({"bytes_per_s": "log, 50 lines a second", "value": followed}), flush=True)
    for name, keys in (("help", b"?"), ("data sources", b"2"), ("a dialog", b"x")):
        for theme in ("ansi-dark", "textual-dark"):
            seconds, size = screen_change(keys, ["--theme", theme], COLORTERM="truecolor")
            print(
                json.dumps(
                    {"screen_change": name, "theme": theme, "bytes": size, "ms": round(seconds * 1000)}
                ),
                flush=True,
            )
    for rows in (20, 1000):
        seconds, size = screen_change(b"j", ["--rows", str(rows)])
        print(
            json.dumps({"key": "cursor down", "projects": rows, "bytes": size, "ms": round(seconds * 1000)}),
            flush=True,
        )
        print(json.dumps({"memory_bytes": rows, "value": memory_bytes(["--rows", str(rows)])}), flush=True)
    with Terminal(_FED) as it:
        print(json.dumps({"first_screen_s": round(it.first_frame_s, 2)}), flush=True)


if __name__ == "__main__":
    main()

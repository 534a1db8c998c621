"""What the server itself says of a value, and the JSON text that OMS's table 2A makes of it.

Written apart from the product: every value is asked for in a form of its own (HEX, CAST) and rendered in the plainest
way there is.
"""

from __future__ import annotations

import json
import re
import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Answer:
    """`select` asks the server for the column `{c}`, `text` makes JSON of what PyMySQL gives; None is NULL."""

    select: str
    text: Callable[[object], str]

    def json(self, value: object) -> str:
        """The JSON text of the answer."""
        return "null" if value is None else self.text(value)


def _number(value: object) -> str:
    # ZEROFILL and YEAR 0 print leading zeros, which a JSON number cannot have.
    return re.sub(r"^(-?)0+(?=\d)", r"\1", str(value))


def _plain(value: float) -> str:
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def _float64(value: object) -> str:
    return _plain(float(str(value)))


def _float32(value: object) -> str:
    """The decimal of fewest digits that is this float32, of those the nearest."""
    exact = float(str(value))
    bits = struct.pack("<f", exact)
    for digits in range(1, 10):
        text = f"{exact:.{digits}g}"
        try:
            if struct.pack("<f", float(text)) == bits:
                return _plain(float(text))
        except OverflowError:
            continue
    raise AssertionError(exact)


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _temporal(value: object) -> str:
    return f'"{_without_zeros(str(value))}"'


def _timestamp(value: object) -> str:
    text = _without_zeros(str(value))
    if text == "0000-00-00 00:00:00":
        return f'"{text}"'
    whole, _, fraction = text.partition(".")
    seconds = int(datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp())
    return f'"{seconds}.{fraction}"' if fraction else f'"{seconds}"'


def _text(value: object) -> str:
    return json.dumps(bytes.fromhex(str(value)).decode("utf-8"), ensure_ascii=False)


def _bytes(value: object) -> str:
    return f'"{b64encode(bytes.fromhex(str(value))).decode()}"'


def bit(bits: int) -> Answer:
    """BIT(bits): as many bytes as it takes, high bits first."""
    size_bytes = (bits + 7) // 8
    return Answer(
        "CAST({c} + 0 AS CHAR)",
        lambda value: f'"{b64encode(int(str(value)).to_bytes(size_bytes, "big")).decode()}"',
    )


NUMBER = Answer("CAST({c} AS CHAR)", _number)
FLOAT = Answer("{c} * 1e0", _float32)
DOUBLE = Answer("{c} * 1e0", _float64)
TEMPORAL = Answer("CAST({c} AS CHAR)", _temporal)
TIMESTAMP = Answer("CAST({c} AS CHAR)", _timestamp)
TEXT = Answer("HEX(CONVERT({c} USING utf8mb4))", _text)
JSON = Answer("HEX(CONVERT(CAST({c} AS CHAR) USING utf8mb4))", _text)
BYTES = Answer("HEX({c})", _bytes)

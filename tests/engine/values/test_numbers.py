"""Numbers as text: shortest, valid JSON, and read back by the servers as the same value."""

from __future__ import annotations

import json
import math
import random
import re
import struct
from decimal import Decimal

import pytest

from obsync_tui.engine.values.numbers import decimal_text, float32_text, float64_text, mysql_double_text
from tests.servers.mysql import MySQLServer

JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
FLOAT32_MAX = struct.unpack("<f", bytes.fromhex("ffff7f7f"))[0]
FLOAT32_TINIEST = 2.0**-149


def float32(value: float) -> float:
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded


def random_float32s(seed: int, count: int) -> list[float]:
    """Random bits, cents, few digits at any magnitude, whole numbers, powers of two."""
    rng = random.Random(seed)
    values = [
        0.0,
        -0.0,
        FLOAT32_MAX,
        -FLOAT32_MAX,
        FLOAT32_TINIEST,
        2.0**-126,
        16777215.0,
        16777216.0,
        16777217.0 + 1,
    ]
    values += [math.ldexp(1, power) for power in range(-149, 128)]
    while len(values) < count:
        values += [
            struct.unpack("<f", struct.pack("<I", rng.randrange(0x7F800000) | rng.getrandbits(1) << 31))[0],
            float32(rng.randrange(-(10**7), 10**7) / 100),
            float32(rng.randrange(1, 10 ** rng.randrange(1, 9)) * 10.0 ** rng.randrange(-44, 30)),
            float(rng.randrange(-(1 << 24), 1 << 24)),
        ]
    return values[:count]


def significant_digits(text: str) -> int:
    return len(re.split("[eE]", text)[0].replace(".", "").lstrip("-0").rstrip("0")) or 1


def test_float32_text_reads_back_and_is_shortest() -> None:
    values = random_float32s(seed=32, count=20000)
    for value in values:
        text = float32_text(value)
        assert JSON_NUMBER.fullmatch(text), text
        assert struct.pack("<f", float(text)) == struct.pack("<f", value), text
        for digits in range(1, significant_digits(text)):
            try:
                assert float32(float(f"{value:.{digits}g}")) != value, text
            except OverflowError:
                continue


def test_float64_text_reads_back() -> None:
    rng = random.Random(64)
    values = [0.0, -0.0, 1e16, 1e22, 5e-324, 1.7976931348623157e308]
    while len(values) < 20000:
        value = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
        values += [
            v for v in (value, rng.uniform(-1e6, 1e6), float(rng.randrange(10**9))) if math.isfinite(v)
        ]
    for value in values:
        text = float64_text(value)
        assert JSON_NUMBER.fullmatch(text), text
        assert struct.pack("<d", float(json.loads(text))) == struct.pack("<d", value) or text == "-0"


@pytest.mark.parametrize(
    ("value", "text32", "text64", "mysql"),
    [
        (0.0, "0", "0", "0"),
        (-0.0, "-0", "-0", "-0"),
        (1.0, "1", "1", "1"),
        (-2.5, "-2.5", "-2.5", "-2.5"),
        (16777216.0, "16777216", "16777216", "16777216"),
        (2.0**50, "1125899900000000", "1125899906842624", "1.125899906842624e15"),
        (2.0**64, "1.8446744e+19", "1.8446744073709552e+19", "1.8446744073709552e19"),
        (2.0**-20, "9.536743e-07", "9.5367431640625e-07", "0.00000095367431640625"),
        (2.0**-60, "8.6736174e-19", "8.673617379884035e-19", "8.673617379884035e-19"),
        (FLOAT32_TINIEST, "1e-45", "1.401298464324817e-45", "1.401298464324817e-45"),
        (FLOAT32_MAX, "3.4028235e+38", "3.4028234663852886e+38", "3.4028234663852886e38"),
    ],
)
def test_known_numbers(value: float, text32: str, text64: str, mysql: str) -> None:
    assert (float32_text(value), float64_text(value), mysql_double_text(value)) == (text32, text64, mysql)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_cannot_hold_is_refused(value: float) -> None:
    for text_of in (float32_text, float64_text, mysql_double_text):
        with pytest.raises(ValueError, match="is not a"):
            text_of(value)


def test_what_float32_cannot_hold_is_refused() -> None:
    for value in (0.1, 1e39, 16777217.0, 1e-46):
        with pytest.raises(ValueError, match="is not a finite float32"):
            float32_text(value)


@pytest.mark.parametrize("name", ["mysql57", "mysql80"])
def test_the_server_reads_the_same_float_back(name: str, request: pytest.FixtureRequest) -> None:
    server: MySQLServer = request.getfixturevalue(name)
    # The servers refuse the shortest text of the largest float32, which is a little larger as a double.
    values = [v for v in random_float32s(seed=57, count=4000) if abs(v) < FLOAT32_MAX]
    assert len(values) == 3998
    rows = ",".join(f"({i}, {float32_text(v)}, {float64_text(v)})" for i, v in enumerate(values))
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS numbers")
        cursor.execute("DROP TABLE IF EXISTS numbers.f")
        cursor.execute("CREATE TABLE numbers.f (i INT PRIMARY KEY, f FLOAT, d DOUBLE)")
        cursor.execute(f"INSERT INTO numbers.f VALUES {rows}")
        cursor.execute("SELECT f * 1e0, d * 1e0 FROM numbers.f ORDER BY i")
        read = cursor.fetchall()
    assert [row[0] for row in read] == values
    assert [row[1] for row in read] == values


def packed(digits: str, scale: int, *, negative: bool) -> bytes:
    """DECIMAL(len(digits), scale) as MySQL packs it, by its documented layout."""
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    first = len(whole) % 9
    groups = [whole[:first], *(whole[i : i + 9] for i in range(first, len(whole), 9))]
    groups += [fraction[i : i + 9] for i in range(0, len(fraction), 9)]
    data = b"".join(int(g).to_bytes((0, 1, 1, 2, 2, 3, 3, 4, 4, 4)[len(g)], "big") for g in groups if g)
    flip = 0xFF if negative else 0
    return bytes([data[0] ^ flip ^ 0x80]) + bytes(byte ^ flip for byte in data[1:])


def test_decimal_of_every_precision_and_scale() -> None:
    rng = random.Random(65)
    compared = 0
    for precision in range(1, 66):
        for scale in range(min(precision, 30) + 1):
            digits = "".join(rng.choices("0123456789", k=precision))
            negative = rng.random() < 0.5 and int(digits) > 0
            text = decimal_text(packed(digits, scale, negative=negative), precision, scale)
            assert Decimal(text) == Decimal(f"{'-' if negative else ''}{digits}e-{scale}")
            assert len(text.partition(".")[2]) == scale
            assert JSON_NUMBER.fullmatch(text)
            compared += 1
    assert compared == sum(min(p, 30) + 1 for p in range(1, 66))


def test_malformed_decimals_are_refused() -> None:
    for data, precision, scale in (
        (b"", 5, 2),
        (b"\x80\x00", 5, 2),
        (b"\x80\x00\x00\x00", 5, 2),
        (b"\x80", 2, 3),
    ):
        with pytest.raises(ValueError, match="DECIMAL"):
            decimal_text(data, precision, scale)
    with pytest.raises(ValueError, match="where 2 digits belong"):
        decimal_text(b"\x80\x01\x64", 5, 2)

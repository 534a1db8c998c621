"""Columns of every type of OceanBase's MySQL mode, each with a maker of random SQL literals."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.types import answers
from tests.types.answers import Answer
from tests.types.documents import document, geometry

Literal = Callable[[random.Random], str]
INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
DECIMALS = (
    "(1,0)", "(5,2)", "(10,0)", "(9,9)", "(18,9)", "(20,10) UNSIGNED", "(14,4) ZEROFILL", "(19,0)", "(30,30)",
    "(65,30)", "(65,0)", "(65,30) UNSIGNED",
)  # fmt: skip
GEOMETRIES = (
    "GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
)  # fmt: skip
CHARSETS = ("utf8mb4", "utf8", "latin1", "gbk", "gb18030", "utf16")
MEMBERS = ("", "a", "b'c", 'd"e', "back\\slash", "ü", "{brace}", "%s", "中文", " x", "a.b`c")


@dataclass(frozen=True)
class Kind:
    """A column type: its SQL, whether it is computed by the server, random literals, and how to ask for it."""

    sql: str
    literal: Literal | None
    answer: Answer
    nullable: bool | None = None


def _edge(edges: tuple[str, ...], other: Literal) -> Literal:
    return lambda rng: rng.choice(edges) if rng.random() < 0.4 else other(rng)


def _integers() -> Iterator[Kind]:
    for name, bits in INTEGERS.items():
        low, high, top = -(1 << bits - 1), (1 << bits - 1) - 1, (1 << bits) - 1

        def signed(rng: random.Random, low: int = low, high: int = high) -> str:
            return str(rng.randint(low, high) >> rng.randrange(high.bit_length()))

        def unsigned(rng: random.Random, top: int = top) -> str:
            return str(rng.randint(0, top) >> rng.randrange(top.bit_length()))

        yield Kind(name, _edge((str(low), str(high), "0", "-1"), signed), answers.NUMBER)
        yield Kind(
            f"{name} UNSIGNED", _edge((str(top), str(high), str(high + 1), "0"), unsigned), answers.NUMBER
        )
        yield Kind(f"{name}(12) ZEROFILL", _edge((str(top), "0", "7"), unsigned), answers.NUMBER)
    yield Kind("BOOL", lambda rng: rng.choice(("TRUE", "FALSE")), answers.NUMBER)
    yield Kind("YEAR", _edge(("0", "1901", "2155"), lambda rng: str(rng.randint(1901, 2155))), answers.NUMBER)


def _decimals() -> Iterator[Kind]:
    for shape in DECIMALS:
        precision, scale = map(int, shape[1 : shape.index(")")].split(","))
        unsigned = "UNSIGNED" in shape or "ZEROFILL" in shape

        def number(
            rng: random.Random, digits: int = precision, scale: int = scale, plus: bool = unsigned
        ) -> str:
            whole = str(rng.randrange(10 ** rng.randint(0, digits))).zfill(scale + 1)
            sign = "" if plus else rng.choice(("", "-"))
            return (
                f"{sign}{whole[: len(whole) - scale]}.{whole[len(whole) - scale :]}"
                if scale
                else sign + whole
            )

        most = "9" * (precision - scale) + ("." + "9" * scale if scale else "")
        edges = (most or "0", "0", "-0.0" if not unsigned else "0.0", most if unsigned else f"-{most}")
        yield Kind(f"DECIMAL{shape}", _edge(edges, number), answers.NUMBER)


def _float32(rng: random.Random) -> str:
    while True:
        value: float = struct.unpack("<f", rng.randbytes(4))[0]
        if math.isfinite(value):
            return repr(value)


def _float64(rng: random.Random) -> str:
    while True:
        value: float = struct.unpack("<d", rng.randbytes(8))[0]
        if math.isfinite(value):
            return repr(value)


def _short(rng: random.Random) -> str:
    return repr(round(rng.uniform(-10, 10) * 10 ** rng.randrange(8), rng.randrange(6)))


def _floats() -> Iterator[Kind]:
    f32 = (
        "3.402823466E+38",
        "-3.402823466E+38",
        "1.175494351E-38",
        "1.4E-45",
        "16777216",
        "16777217",
        "0.1",
        "-0.0",
        "0",
    )
    f64 = ("1.7976931348623157E+308", "-1.7976931348623157E+308", "2.2250738585072014E-308", "5E-324", "0.1", "1e15",
           "1e16", "9007199254740993", "-0.0", "123456789012345680")  # fmt: skip
    yield Kind("FLOAT", _edge(f32, lambda rng: rng.choice((_float32, _short))(rng)), answers.FLOAT)
    yield Kind("FLOAT UNSIGNED", _edge(("0", "3.4e38"), lambda rng: _short(rng).lstrip("-")), answers.FLOAT)
    yield Kind("FLOAT(7,3)", _edge(("9999.999", "-0.001"), _short), answers.FLOAT)
    yield Kind("FLOAT(30)", _edge(f64, _float64), answers.DOUBLE)
    yield Kind("DOUBLE", _edge(f64, lambda rng: rng.choice((_float64, _short))(rng)), answers.DOUBLE)
    yield Kind("DOUBLE(20,4)", _edge(("9999999999999999.9999", "-0.0001"), _short), answers.DOUBLE)
    yield Kind("DOUBLE ZEROFILL", _edge(("0", "1.5"), lambda rng: _short(rng).lstrip("-")), answers.DOUBLE)


def _bits() -> Iterator[Kind]:
    for bits in (1, 3, 8, 9, 16, 31, 33, 48, 63, 64):
        edges = ("0", "1", str((1 << bits) - 1))
        yield Kind(
            f"BIT({bits})", _edge(edges, lambda rng, n=bits: str(rng.getrandbits(n))), answers.bit(bits)
        )


def _date(rng: random.Random) -> str:
    return f"{rng.randint(0, 9999):04}-{rng.randint(0, 12):02}-{rng.randint(0, 31):02}"


def _clock(rng: random.Random) -> str:
    fraction = rng.choice(("", ".5", ".120", f".{rng.randrange(10**6):06}"))
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}{fraction}"


def _temporals() -> Iterator[Kind]:
    dates = ("'0000-00-00'", "'2024-00-00'", "'2024-02-31'", "'9999-12-31'", "'0001-01-01'", "'2024-05-00'")
    yield Kind("DATE", _edge(dates, lambda rng: f"'{_date(rng)}'"), answers.TEMPORAL)
    stamps = (
        "'0000-00-00 00:00:00'",
        "'1970-01-01 00:00:01'",
        "'2038-01-19 03:14:07'",
        "'2001-09-09 01:46:40'",
    )
    times = (
        "'-838:59:59'",
        "'838:59:59'",
        "'00:00:00'",
        "'-00:00:00.000001'",
        "'-00:00:01'",
        "'-00:00:00.999999'",
    )
    for fsp in range(7):
        suffix = f"({fsp})" if fsp else ""
        moments = tuple(f"{d[:-1]} 23:59:59{'.' + '9' * fsp if fsp else ''}'" for d in dates[1:]) + (
            stamps[0],
        )
        yield Kind(
            f"DATETIME{suffix}", _edge(moments, lambda rng: f"'{_date(rng)} {_clock(rng)}'"), answers.TEMPORAL
        )
        yield Kind(
            f"TIMESTAMP{suffix}",
            _edge(
                stamps,
                lambda rng: (
                    f"'{rng.randint(1971, 2037)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} {_clock(rng)}'"
                ),
            ),
            answers.TIMESTAMP,
        )
        yield Kind(
            f"TIME{suffix}",
            _edge(
                times,
                lambda rng: f"'{rng.choice(('', '-'))}{rng.randrange(36)}{_clock(rng).lstrip('0') or '0'}'",
            ),
            answers.TEMPORAL,
        )


def _repertoire(charset: str) -> str:
    """Characters that the charset holds, controls, quotes and braces among them."""
    ascii_text = "".join(map(chr, range(128))) + "{}\"'\\`%$"
    wide = "äß€ÿ中文字ключ한국\u2028\u00a0\ufeff\ue000"
    if charset in ("utf8mb4", "utf16", "gb18030"):
        return ascii_text + wide + "😀𝒳𠀀\U0010ffff"
    if charset == "utf8":
        return ascii_text + wide
    if charset == "gbk":
        pairs = bytes(
            b for high in range(0x81, 0xFF) for low in (0x40, 0x80, 0xA1, 0xFE) for b in (high, low)
        )
        return ascii_text + pairs.decode("gbk", "ignore")
    return ascii_text


def _text(charset: str, length: int) -> Literal:
    characters = _repertoire(charset)

    def literal(rng: random.Random) -> str:
        count = rng.choice((0, 1, length, rng.randint(0, length)))
        if charset == "latin1":
            return f"_latin1 x'{rng.randbytes(count).hex()}'"
        text = "".join(rng.choices(characters, k=count)) + rng.choice(("", "", " ", "\t"))
        return f"CONVERT(_utf8mb4 x'{text.encode().hex()}' USING {charset})"

    return literal


def _texts() -> Iterator[Kind]:
    for charset in CHARSETS:
        suffix = f" CHARACTER SET {charset}"
        for name, length in (("CHAR(12)", 12), ("VARCHAR(20)", 20), ("VARCHAR(300)", 300), ("TEXT", 400)):
            yield Kind(name + suffix, _text(charset, length), answers.TEXT)
        yield (
            Kind(f"ENUM({_members(MEMBERS)}){suffix}", _index(len(MEMBERS)), answers.TEXT)
            if charset != "latin1"
            else (Kind("ENUM('','é','x''y')" + suffix, _index(3), answers.TEXT))
        )
    yield Kind("CHAR(255) CHARACTER SET utf8mb4", _text("utf8mb4", 255), answers.TEXT)
    yield Kind("CHAR(0) CHARACTER SET utf8mb4", lambda rng: "''", answers.TEXT)
    yield Kind("VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", _text("utf8mb4", 64), answers.TEXT)
    yield Kind("TINYTEXT CHARACTER SET gbk", _text("gbk", 60), answers.TEXT)
    yield Kind("MEDIUMTEXT CHARACTER SET utf16", _text("utf16", 3000), answers.TEXT)
    yield Kind("LONGTEXT CHARACTER SET utf8mb4", _text("utf8mb4", 5000), answers.TEXT)


def _index(count: int) -> Literal:
    return lambda rng: str(rng.randint(1, count))


def _members(members: tuple[str, ...]) -> str:
    return ",".join("'" + m.replace("\\", "\\\\").replace("'", "''") + "'" for m in members)


def _sets() -> Iterator[Kind]:
    many = tuple(f"m{i}" for i in range(300))
    yield Kind(f"ENUM({_members(many)})", _index(300), answers.TEXT)
    # The error value, which is none of the members.
    yield Kind("ENUM('only','two')", lambda rng: rng.choice(("'only'", "'none of them'", "2")), answers.TEXT)
    named = tuple(member for member in MEMBERS if member)
    for count in (1, len(named)):
        yield Kind(
            f"SET({_members(named[:count])})", lambda rng, n=count: str(rng.getrandbits(n)), answers.TEXT
        )
    full = str((1 << 64) - 1)
    yield Kind(
        f"SET({_members(many[:64])})",
        _edge((full, str(1 << 63), "0"), lambda rng: str(rng.getrandbits(64))),
        answers.TEXT,
    )
    yield Kind("ENUM('é','b') CHARACTER SET binary", _index(2), answers.TEXT)
    yield Kind("SET('é','b') CHARACTER SET binary", lambda rng: str(rng.getrandbits(2)), answers.TEXT)
    yield Kind("SET('中','x') CHARACTER SET gbk", lambda rng: str(rng.getrandbits(2)), answers.TEXT)


def _blobs() -> Iterator[Kind]:
    lengths = {"BINARY(1)": 1, "BINARY(16)": 16, "BINARY(255)": 255, "VARBINARY(20)": 20, "VARBINARY(300)": 300,
               "TINYBLOB": 255, "BLOB": 700, "MEDIUMBLOB": 3000, "LONGBLOB": 70000}  # fmt: skip
    for sql, length in lengths.items():

        def literal(rng: random.Random, length: int = length) -> str:
            data = rng.randbytes(rng.choice((0, 1, rng.randint(0, min(length, 3000)), min(length, 3000))))
            tail = b"\0" * rng.randrange(3)
            return (
                f"x'{(data + tail)[:length].hex()}'"
                if rng.random() > 0.02
                else f"x'{rng.randbytes(length).hex()}'"
            )

        yield Kind(sql, literal, answers.BYTES)


def _structures() -> Iterator[Kind]:
    yield Kind("JSON", document, answers.JSON)
    yield Kind("JSON", document, answers.JSON, nullable=False)
    for name in GEOMETRIES:
        yield Kind(name, lambda rng, n=name: geometry(rng, n), answers.BYTES)


def _generated() -> Iterator[Kind]:
    for how in ("VIRTUAL", "STORED"):
        yield Kind(f"BIGINT AS (`id` * 3 - 7) {how}", None, answers.NUMBER)
        yield Kind(f"VARCHAR(40) CHARACTER SET gbk AS (CONCAT('值-', `id`)) {how}", None, answers.TEXT)
        yield Kind(f"JSON AS (JSON_OBJECT('id', `id`, 'x', 1.50)) {how}", None, answers.JSON)
        yield Kind(
            f"DATETIME(3) AS (TIMESTAMPADD(SECOND, `id`, '2024-01-01 00:00:00.25')) {how}",
            None,
            answers.TEMPORAL,
        )


def kinds() -> list[Kind]:
    """Every column type, once or in several shapes."""
    makers = (
        _integers,
        _decimals,
        _floats,
        _bits,
        _temporals,
        _texts,
        _sets,
        _blobs,
        _structures,
        _generated,
    )
    return [kind for maker in makers for kind in maker()]

"""Random JSON documents and geometries as SQL expressions."""

from __future__ import annotations

import random

SCALARS = (
    "NULL", "TRUE", "FALSE", "0", "-1", "32767", "-32769", "65536", "2147483648", "-9223372036854775808",
    "18446744073709551615", "1.5e0", "1e0", "1e20", "-2.5e-7", "1.7976931348623157e308", "12345678901234567890.1234567890",
    "-0.50", "DATE'2024-02-29'", "CAST('2024-05-01 08:00:01.012345' AS DATETIME(6))", "CAST('-12:34:56.7' AS TIME(6))",
    "TIMESTAMP'2024-05-01 00:00:00'", "b'101'", "x'00ff10'", "REPEAT(x'fe', 80)", "POINT(1, 2)", "'plain'", "''",
    "'quote \" and \\\\ and {brace}'", "'Ünïcødé 😀'", "CAST('line\\nbreak\\t\\0' AS CHAR)", "REPEAT('y', 200)",
)  # fmt: skip


def document(rng: random.Random) -> str:
    """A document of any binary type, opaque values included; now and then one of more than 64 KB."""
    if rng.random() < 0.03:
        return f"JSON_ARRAY(REPEAT('long', 20000), {_value(rng, 2)})"
    if rng.random() < 0.2:
        return f"JSON_EXTRACT(JSON_ARRAY({rng.choice(SCALARS)}), '$[0]')"
    return f"JSON_ARRAY({_value(rng, 3)})" if rng.random() < 0.5 else _object(rng, 3)


def _value(rng: random.Random, depth: int) -> str:
    if not depth or rng.random() < 0.4:
        return rng.choice(SCALARS)
    if rng.random() < 0.5:
        return f"JSON_ARRAY({', '.join(_value(rng, depth - 1) for _ in range(rng.randrange(5)))})"
    return _object(rng, depth)


def _object(rng: random.Random, depth: int) -> str:
    members = [
        f"'{rng.choice(('', 'k', 'Ω', 'long key '))}{rng.randrange(1000)}', {_value(rng, depth - 1)}"
        for _ in range(rng.randrange(5))
    ]
    return f"JSON_OBJECT({', '.join(members)})"


def _points(rng: random.Random, count: int) -> str:
    return ",".join(f"{rng.uniform(-80, 80)!r} {rng.randint(-80, 80)}" for _ in range(count))


def _ring(rng: random.Random) -> str:
    x, y = rng.randint(-70, 60), rng.randint(-70, 60)
    return f"({x} {y},{x + 9} {y},{x + 9} {y + 9},{x} {y + 9},{x} {y})"


def geometry(rng: random.Random, name: str) -> str:
    """A geometry of the type by name, of any type for GEOMETRY, with or without a spatial reference."""
    shapes = {
        "POINT": lambda: f"POINT({_points(rng, 1)})",
        "LINESTRING": lambda: f"LINESTRING({_points(rng, rng.randint(2, 6))})",
        "POLYGON": lambda: f"POLYGON({_ring(rng)})",
        "MULTIPOINT": lambda: f"MULTIPOINT({_points(rng, rng.randint(1, 4))})",
        "MULTILINESTRING": lambda: f"MULTILINESTRING(({_points(rng, 2)}),({_points(rng, 3)}))",
        "MULTIPOLYGON": lambda: f"MULTIPOLYGON(({_ring(rng)}))",
        "GEOMETRYCOLLECTION": lambda: (
            f"GEOMETRYCOLLECTION(POINT({_points(rng, 1)}),LINESTRING({_points(rng, 2)}))"
        ),
    }
    shape = shapes[rng.choice(list(shapes)) if name == "GEOMETRY" else name]()
    return f"ST_GeomFromText('{shape}', {rng.choice((0, 4326))})"

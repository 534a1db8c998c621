"""Binary JSON against the servers: what they store goes in, what they print must come out."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable

import pytest

from obsync_tui.engine.values.jsonbinary import MYSQL57, MYSQL80, OCEANBASE, JsonDialect, json_text
from tests.engine.values.binlog_images import inserted_documents, log_end
from tests.servers.mysql import MySQLServer

SQL_SCALARS = (
    "NULL", "true", "false", "0", "-1", "32767", "-32768", "32768", "65535", "65536", "-2147483648", "2147483647",
    "2147483648", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808", "18446744073709551615",
    "CAST(7 AS UNSIGNED)", "1e0", "-0e0", "1.5e0", "1e15", "1e16", "1e-15", "1e-16", "123456789012345e0",
    "999999999999999e0", "1234567890123456e0", "1.7976931348623157e308", "5e-324", "-2.2250738585072014e-308",
    "0.1", "-0.5", "0.00", "12345678901234567890.123456789", "CAST(1 AS DECIMAL(65,30))", "CAST(-1e64 AS DECIMAL(65,0))",
    "CAST(0.000000000000000000000000000001 AS DECIMAL(30,30))", "CAST(-123.456 AS DECIMAL(10,4))", "999999999.999999999",
    "DATE'2015-01-15'", "DATE'0001-01-01'", "DATE'9999-12-31'", "CAST('2015-01-15 23:24:25.12' AS DATETIME(6))",
    "TIMESTAMP'1970-01-01 00:00:01'", "CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))", "TIME'00:00:00'",
    "CAST('-23:59:59.999999' AS TIME(6))", "CAST('838:59:59' AS TIME)", "CAST('-12:00:00.5' AS TIME(1))",
    "b'101'", "x''", "x'00ff10'", "REPEAT(x'fe', 57)", "REPEAT(x'fe', 58)", "REPEAT(x'01', 400)", "CAST('ab' AS BINARY(5))",
    "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0,1.5 -2)')", "POINT(1, 2)", "''", "'a'",
    "'Ünïcødé €'", "'𝒳😀'", "CONCAT('\"', CHAR(92), '/', CHAR(0,1,8,9,10,12,13,27,31,127 USING utf8mb4))",
    "CONVERT(x'c285e280a8' USING utf8mb4)", "REPEAT('y', 127)", "REPEAT('y', 128)", "REPEAT('z', 16383)", "REPEAT('z', 16384)",
    "JSON_ARRAY()", "JSON_OBJECT()", "JSON_OBJECT('', '')",
)  # fmt: skip

COLUMN_TYPES = {
    "TINYINT": "-5", "BIGINT UNSIGNED": "18446744073709551615", "FLOAT": "0.1", "DOUBLE": "1e21", "DECIMAL(65,30)": "-1.5",
    "BIT(33)": "b'101010101010101010101010101010101'", "YEAR": "2019", "DATE": "'2020-02-29'", "TIME(6)": "'-20:01:02.000003'",
    "DATETIME(3)": "'2020-02-29 01:02:03.456'", "TIMESTAMP(6) NULL": "'2020-02-29 01:02:03.456789'", "CHAR(5)": "'ab'",
    "VARCHAR(9)": "'ü'", "BINARY(4)": "x'01'", "VARBINARY(9)": "x'0102'", "TINYBLOB": "x'03'", "BLOB": "x'04'",
    "MEDIUMBLOB": "x'05'", "LONGBLOB": "x'06'", "TEXT": "'text'", "ENUM('a','b')": "'b'", "SET('a','b')": "'a,b'", "JSON": "'[1]'",
    "GEOMETRY": "ST_GeomFromText('POINT(3 4)')",
}  # fmt: skip


def compare(server: MySQLServer, dialect: JsonDialect, expressions: list[str]) -> None:
    """Store every expression and hold our text against the server's."""
    since = log_end(server)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS jsonbinary")
        cursor.execute("DROP TABLE IF EXISTS jsonbinary.d")
        cursor.execute("CREATE TABLE jsonbinary.d (id INT PRIMARY KEY, doc JSON NOT NULL)")
        for i, expression in enumerate(expressions):
            cursor.execute(f"INSERT INTO jsonbinary.d SELECT {i}, {expression}")
        cursor.execute("SELECT id, doc FROM jsonbinary.d")
        printed: dict[int, str] = dict(cursor.fetchall())
    stored = inserted_documents(server, since)
    assert len(printed) == len(stored) == len(expressions)
    for i, expression in enumerate(expressions):
        assert json_text(stored[i], dialect) == printed[i], expression


def scalar_expressions() -> list[str]:
    """Every scalar by itself, in an array, in an object, and in a document of more than 64 KB."""
    alone = [f"JSON_EXTRACT(JSON_ARRAY({scalar}), '$[0]')" for scalar in SQL_SCALARS]
    everything = ", ".join(SQL_SCALARS)
    members = ", ".join(f"'k{i}', {scalar}" for i, scalar in enumerate(SQL_SCALARS))
    return [
        *alone,
        *(f"JSON_ARRAY({scalar})" for scalar in SQL_SCALARS),
        *(f"JSON_OBJECT('key', {scalar})" for scalar in SQL_SCALARS),
        f"JSON_ARRAY({everything})",
        f"JSON_OBJECT({members})",
        f"JSON_ARRAY(REPEAT('x', 70000), {everything})",
        f"JSON_OBJECT('pad', REPEAT('x', 70000), {members})",
        f"JSON_ARRAY({', '.join(['REPEAT(CHAR(10), 9000)'] * 8)}, JSON_ARRAY({everything}), 1)",
        f"JSON_OBJECT(REPEAT('k', 65535), JSON_OBJECT({members}))",
    ]


def random_expressions(seed: int, count: int) -> list[str]:
    """Nested documents made by the server's functions out of SQL values."""
    rng = random.Random(seed)

    def value(depth: int) -> str:
        if depth == 0 or rng.random() < 0.5:
            return rng.choice(SQL_SCALARS)
        if rng.random() < 0.5:
            return f"JSON_ARRAY({', '.join(value(depth - 1) for _ in range(rng.randrange(6)))})"
        keys = [
            f"CONCAT('{rng.choice(('', 'k', 'Ω', '😀', 'long key '))}', {rng.randrange(10**6)})"
            for _ in range(rng.randrange(6))
        ]
        return f"JSON_OBJECT({', '.join(f'{key}, {value(depth - 1)}' for key in keys)})"

    return [f"JSON_ARRAY({value(4)}, {value(4)})" for _ in range(count)]


def random_doubles(seed: int, documents: int, each: int) -> list[str]:
    """Documents of doubles: random bits, few digits at every magnitude, borders of the plain notation."""
    rng = random.Random(seed)
    makers: tuple[Callable[[], float], ...] = (
        lambda: struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0],
        lambda: (
            rng.choice((1, -1))
            * rng.randrange(1, 10 ** rng.randrange(1, 17))
            * 10.0 ** rng.randrange(-25, 25)
        ),
        lambda: rng.uniform(-1e17, 1e17),
        lambda: rng.choice((1, -1)) * 10.0 ** rng.randrange(-18, 20) * (1 + rng.randrange(-2, 3) * 2**-52),
        lambda: float(rng.randrange(-(10**6), 10**6)),
    )
    texts = []
    for _ in range(documents):
        numbers: list[float] = []
        while len(numbers) < each:
            number = rng.choice(makers)()
            # Subnormal and huge text is refused by the servers' parser in some spellings; those come as SQL scalars.
            if number == number and 1e-300 < abs(number) < 1e300:
                numbers.append(number)
        texts.append(f"CAST('{json.dumps(numbers)}' AS JSON)")
    return texts


SERVERS = [("mysql57", MYSQL57), ("mysql80", MYSQL80)]


@pytest.fixture(params=SERVERS, ids=[name for name, _ in SERVERS])
def peer(request: pytest.FixtureRequest) -> tuple[MySQLServer, JsonDialect]:
    name, dialect = request.param
    return request.getfixturevalue(name), dialect


def test_scalars_of_every_type_read_as_the_server_prints_them(peer: tuple[MySQLServer, JsonDialect]) -> None:
    expressions = scalar_expressions()
    assert len(expressions) == 3 * len(SQL_SCALARS) + 6
    compare(*peer, expressions)


def test_random_documents_read_as_the_server_prints_them(peer: tuple[MySQLServer, JsonDialect]) -> None:
    compare(*peer, random_expressions(seed=20190115, count=600))


def test_doubles_read_as_the_server_prints_them(peer: tuple[MySQLServer, JsonDialect]) -> None:
    compare(*peer, random_doubles(seed=5, documents=200, each=60))


def test_values_of_every_column_type_read_as_the_server_prints_them(
    peer: tuple[MySQLServer, JsonDialect],
) -> None:
    server, dialect = peer
    server.execute(
        "CREATE DATABASE IF NOT EXISTS jsonbinary",
        "DROP TABLE IF EXISTS jsonbinary.typed",
        f"CREATE TABLE jsonbinary.typed ({', '.join(f'c{i} {t}' for i, t in enumerate(COLUMN_TYPES))})",
        f"INSERT INTO jsonbinary.typed VALUES ({', '.join(COLUMN_TYPES.values())})",
    )
    compare(server, dialect, [f"JSON_ARRAY(c{i}) FROM jsonbinary.typed" for i in range(len(COLUMN_TYPES))])


def test_nesting_reads_to_the_servers_depth(peer: tuple[MySQLServer, JsonDialect]) -> None:
    arrays = f"CAST('{'[' * 100}{']' * 100}' AS JSON)"
    objects = f"""CAST('{'{"a": ' * 99}{{}}{"}" * 99}' AS JSON)"""
    compare(*peer, [arrays, objects])


def test_an_updated_document_with_holes_reads(mysql80: MySQLServer) -> None:
    """8.0 changes documents in place: values move, bytes between them are dead."""
    since = log_end(mysql80)
    with mysql80.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS jsonbinary")
        cursor.execute("DROP TABLE IF EXISTS jsonbinary.a, jsonbinary.b")
        cursor.execute("CREATE TABLE jsonbinary.a (id INT PRIMARY KEY, doc JSON NOT NULL)")
        cursor.execute("CREATE TABLE jsonbinary.b LIKE jsonbinary.a")
        cursor.execute(
            """INSERT INTO jsonbinary.a VALUES (1, '{"a": "long text here", "b": [1, 2, "three"], "c": 70000}')"""
        )
        cursor.execute(
            """UPDATE jsonbinary.a SET doc = JSON_REPLACE(doc, '$.a', 's', '$.b[2]', 'x', '$.c', 'y')"""
        )
        cursor.execute("""UPDATE jsonbinary.a SET doc = JSON_REPLACE(doc, '$.c', 'longer', '$.a', 'moved')""")
        cursor.execute("INSERT INTO jsonbinary.b SELECT id + 1, doc FROM jsonbinary.a")
        cursor.execute("SELECT doc FROM jsonbinary.b")
        printed = cursor.fetchone()
    assert printed == ('{"a": "moved", "b": [1, 2, "x"], "c": "longer"}',)
    assert json_text(inserted_documents(mysql80, since)[2]) == printed[0]


def test_an_empty_document_is_null(peer: tuple[MySQLServer, JsonDialect]) -> None:
    server, dialect = peer
    since = log_end(server)
    server.execute(
        "CREATE DATABASE IF NOT EXISTS jsonbinary",
        "DROP TABLE IF EXISTS jsonbinary.e",
        "CREATE TABLE jsonbinary.e (id INT PRIMARY KEY, doc JSON NOT NULL)",
        "INSERT IGNORE INTO jsonbinary.e SELECT 1, NULL",
    )
    assert inserted_documents(server, since) == {1: b""}
    assert json_text(b"", dialect) == "null"


def test_a_lone_surrogate_stays_one(mysql57: MySQLServer) -> None:
    since = log_end(mysql57)
    mysql57.execute(
        "CREATE DATABASE IF NOT EXISTS jsonbinary",
        "DROP TABLE IF EXISTS jsonbinary.s",
        "CREATE TABLE jsonbinary.s (id INT PRIMARY KEY, doc JSON NOT NULL)",
        "INSERT INTO jsonbinary.s VALUES (1, JSON_ARRAY(CONVERT(x'41EDA08042' USING utf8mb4)))",
    )
    assert json_text(inserted_documents(mysql57, since)[1]) == '["A\ud800B"]'


def test_the_dialects_differ_in_whole_doubles_and_long_base64() -> None:
    one = b"\x0b" + struct.pack("<d", 1.0)
    assert [json_text(one, d) for d in (MYSQL57, MYSQL80, OCEANBASE)] == ["1", "1.0", "1.0"]
    blob = b"\x0f\xfc\x3a" + bytes(58)
    line = '"base64:type252:' + "A" * 76
    assert [json_text(blob, d) for d in (MYSQL57, MYSQL80, OCEANBASE)] == [
        line + '\nAA=="',
        line + '\\nAA=="',
        line + 'AA=="',
    ]


GOOD = bytes.fromhex("00 0100 1200 0b00 0100 0c 0c00 61 05 68656c6c6f")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\x0d", "unknown type 13"),
        (b"\x04\x03", "unknown literal 3"),
        (b"\x04", "ends too early"),
        (b"\x05\x01", "ends too early"),
        (b"\x0b\x00", "ends too early"),
        (b"\x0c\x05abcd", "5 bytes at 2"),
        (b"\x0c\x80\x80\x80\x80\x80\x01", "more than five bytes"),
        (b"\x0c\x01\xff", "invalid start byte"),
        (b"\x02\x01\x00\x40\x00", "claims 64 bytes"),
        (b"\x02\xff\xff\x04\x00", "no room for its 65535 entries"),
        (b"\x02\x01\x00\x07\x00\x0c\x00\x00", "value outside of it"),
        (b"\x02\x01\x00\x07\x00\x0c\xff\x00", "value outside of it"),
        (b"\x0f\x0c\x04\x00\x00\x00\x00", "4 bytes instead of 8"),
        (b"\x0f\xf6\x02\x05\x02", "0 bytes instead of 3"),
        (b"\x0b" + struct.pack("<d", float("nan")), "nan is not a JSON number"),
        (GOOD[:5] + b"\xff" + GOOD[6:], "key outside of it"),
    ],
)
def test_a_malformed_document_is_refused_with_the_reason(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        json_text(data)


def test_every_truncation_of_a_document_is_refused() -> None:
    assert json_text(GOOD) == '{"a": "hello"}'
    for length in range(1, len(GOOD)):
        with pytest.raises(ValueError, match="binary JSON"):
            json_text(GOOD[:length])


def test_too_deep_a_document_is_refused() -> None:
    document = b"\x00\x00\x04\x00"
    for _ in range(100):
        document = struct.pack("<HHBH", 1, 7 + len(document), 2, 7) + document
    with pytest.raises(ValueError, match="deeper than 100"):
        json_text(b"\x02" + document)


def test_damaged_documents_end_in_text_or_in_a_value_error() -> None:
    rng = random.Random(3)
    document = bytes.fromhex(
        "02 0400 2c00 0c1000 0f1300 0f1d00 0b2400 026869 0c08 0000000000000000 f605 0502 800132 000000000000f83f"
    )
    assert json_text(document) == '["hi", "0000-00-00 00:00:00.000000", 1.50, 1.5]'
    refused = 0
    for _ in range(20000):
        damaged = bytearray(rng.choice((document, GOOD)))
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.choice(
                (0, 1, 2, 0x0B, 0x0F, 0x7F, 0x80, 0xF6, 0xFF, rng.randrange(256))
            )
        try:
            assert json_text(bytes(damaged))
        except ValueError:
            refused += 1
    assert 5000 < refused < 20000

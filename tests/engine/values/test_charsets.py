"""Character sets against the servers: every sequence of one and two bytes, and more where there is more."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from obsync_tui.engine.values.charsets import decoder, exact_codec, supported
from tests.servers.mysql import MySQLServer

SINGLE_BYTE = (
    "ascii", "latin1", "latin2", "latin5", "latin7", "greek", "hebrew", "tis620", "koi8r", "koi8u", "cp1250", "cp1251",
    "cp1256", "cp1257", "cp850", "cp852", "cp866", "hp8", "macce", "macroman",
)  # fmt: skip
UNICODE = ("utf8mb4", "utf8", "ucs2", "utf16", "utf16le", "utf32")

# Of all sequences asked: how many the server maps, and how many well-formed ones only we do.
# A case that a server maps to U+FFFD, which is no character, counts as one that only we map.
EXPECTED = {
    "ascii": (128, 0), "latin1": (256, 0), "latin2": (256, 0), "latin5": (256, 0), "latin7": (256, 0),
    "greek": (250, 3), "hebrew": (220, 0), "tis620": (247, 0), "koi8r": (256, 0), "koi8u": (256, 0),
    "cp1250": (251, 0), "cp1251": (255, 0), "cp1256": (248, 8), "cp1257": (244, 0), "cp850": (256, 0),
    "cp852": (256, 0), "cp866": (256, 0), "hp8": (255, 0), "macce": (256, 0), "macroman": (256, 0),
    "gb2312": (7573, 0), "gbk": (21919, 2149), "gb18030": (68475, 0), "big5": (13838, 42), "cp932": (21828, 1300),
    "sjis": (19103, 2725), "ujis": (15017, 0), "euckr": (17176, 0),
}  # fmt: skip


def single_bytes() -> list[bytes]:
    return [bytes([i]) for i in range(256)]


def one_and_two_bytes() -> list[bytes]:
    return single_bytes() + [i.to_bytes(2, "big") for i in range(0x8000, 0x10000)]


def four_bytes_of_gb18030() -> list[bytes]:
    """Every four-byte sequence of the basic plane, and a sample of the others with both ends of theirs."""
    rng = random.Random(18030)
    trails = [(b, c, d) for b in range(0x30, 0x3A) for c in range(0x81, 0xFF) for d in range(0x30, 0x3A)]
    low = [bytes((a, *trail)) for a in range(0x81, 0x85) for trail in trails]
    high = {bytes((rng.randrange(0x90, 0xE3), *rng.choice(trails))) for _ in range(5000)}
    return [*low, *sorted(high | {bytes.fromhex("90308130"), bytes.fromhex("e3329a35")})]


def code_points() -> Iterator[int]:
    """A sample of all planes, surrogates and what surrounds them in full."""
    yield from range(0, 0xD7F0, 5)
    yield from range(0xD7F0, 0xE010)
    yield from range(0xE010, 0x110000, 61)
    yield from (0xFFFD, 0xFFFF, 0x10000, 0x10FFFF)


def sequences(charset: str) -> list[bytes]:
    if charset in SINGLE_BYTE:
        return single_bytes()
    if charset == "utf32":
        return [point.to_bytes(4, "big") for point in sorted(set(code_points()))]
    if charset in ("utf8", "utf8mb4"):
        top = 0x10000 if charset == "utf8" else 0x110000
        return [
            chr(point).encode("utf-8", "surrogatepass") for point in sorted(set(code_points())) if point < top
        ]
    if charset in ("ucs2", "utf16", "utf16le"):
        top = 0x10000 if charset == "ucs2" else 0x110000
        codec = "utf-16-le" if charset == "utf16le" else "utf-16-be"
        return [
            chr(point).encode(codec, "surrogatepass") for point in sorted(set(code_points())) if point < top
        ]
    if charset == "gb18030":
        return one_and_two_bytes() + four_bytes_of_gb18030()
    if charset == "ujis":
        return one_and_two_bytes() + [
            bytes((0x8F, a, b)) for a in range(0xA1, 0xFF) for b in range(0xA1, 0xFF)
        ]
    return one_and_two_bytes()


def server_texts(server: MySQLServer, charset: str, asked: list[bytes]) -> dict[bytes, str | None]:
    """What the server converts each sequence to; None where it has no character or takes it for malformed."""
    texts: dict[bytes, str | None] = {}
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        cursor.execute("CREATE DATABASE IF NOT EXISTS charsets")
        cursor.execute("DROP TABLE IF EXISTS charsets.s")
        cursor.execute("CREATE TABLE charsets.s (b VARBINARY(4) PRIMARY KEY)")
        for at in range(0, len(asked), 8192):
            rows = ",".join(f"(x'{sequence.hex()}')" for sequence in asked[at : at + 8192])
            cursor.execute(f"INSERT INTO charsets.s VALUES {rows}")
        text = f"CONVERT(b USING {charset})"
        cursor.execute(
            f"SELECT b, CAST({text} AS BINARY), CAST(CONVERT({text} USING utf8mb4) AS BINARY) FROM charsets.s"
        )
        for sequence, kept, utf8 in cursor.fetchall():
            converted = None if utf8 is None or kept != sequence else utf8.decode("utf-8", "surrogatepass")
            # An answer of nothing, a question mark or U+FFFD says that the server has no character.
            has_none = not converted or ("?" in converted and b"?" not in sequence) or "\ufffd" in converted
            texts[sequence] = None if has_none and not is_replacement(charset, sequence) else converted
    return texts


def is_replacement(charset: str, sequence: bytes) -> bool:
    """Whether the sequence itself is U+FFFD or U+003F, so that such an answer is no complaint."""
    if charset in UNICODE or charset == "gb18030":
        codec = exact_codec(charset)
        name = codec.codec if codec else "gb18030"
        return sequence.decode(name, "replace") in ("?", "\ufffd") and sequence.decode(name, "ignore") != ""
    return False


@pytest.fixture(params=["mysql57", "mysql80"])
def server(request: pytest.FixtureRequest) -> MySQLServer:
    found: MySQLServer = request.getfixturevalue(request.param)
    return found


def compared(server: MySQLServer, charset: str) -> tuple[int, int]:
    """Hold our text of every sequence against the server's; how many it maps, how many only we do."""
    asked = sequences(charset)
    decode = decoder(charset)
    assert decode is not None
    texts = server_texts(server, charset, asked)
    assert len(texts) == len(asked)
    mapped = ours_only = 0
    for sequence, expected in texts.items():
        if expected is not None:
            assert decode(sequence) == expected, sequence.hex()
            mapped += 1
            continue
        try:
            text = decode(sequence)
        except UnicodeDecodeError:
            continue
        assert "\ufffd" not in text, sequence.hex()
        ours_only += 1
    return mapped, ours_only


@pytest.mark.parametrize("charset", EXPECTED)
def test_text_is_the_servers(server: MySQLServer, charset: str) -> None:
    assert compared(server, charset) == EXPECTED[charset]


@pytest.mark.parametrize("charset", UNICODE)
def test_unicode_is_the_servers(server: MySQLServer, charset: str) -> None:
    """Surrogates are the one thing that servers differ in; we keep them all."""
    mapped, ours_only = compared(server, charset)
    assert mapped + ours_only == len(sequences(charset)) > 12000
    assert ours_only in (0, 0x800)


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        ("latin1", b"\x80 \x81\x8d\x8f\x90\x9d \xe9", "\u20ac \x81\x8d\x8f\x90\x9d é"),
        ("gbk", bytes.fromhex("d6d0 a2e3 41 a140 b9fa"), "中€A\ue4c6国"),
        ("big5", bytes.fromhex("a4a4 f9d6 a3e1 41"), "中碁€A"),
        ("gb18030", bytes.fromhex("a8bc 8135f437 41 95328236"), "\u1e3f\ue7c7A\U00020000"),
        ("sjis", bytes.fromhex("815f 5c 8740 b1"), "\\\\①ｱ"),
        ("ujis", bytes.fromhex("a1c0 f5a1 8ff5a1 fefe 41"), "\\\ue000\ue3ac\ue3abA"),
        ("utf8mb4", bytes.fromhex("41 eda080 f09f9880"), "A\ud800😀"),
        ("ucs2", bytes.fromhex("0041 d83d de00 d83d"), "A😀\ud83d"),
        ("utf16", bytes.fromhex("0041 d83d de00 dc00"), "A😀\udc00"),
        ("utf32", bytes.fromhex("00000041 0001f600"), "A😀"),
        ("greek", bytes.fromhex("a1 a2 a4 c1"), "\u02bd\u02bc€Α"),
    ],
)
def test_longer_text_is_read(charset: str, data: bytes, text: str) -> None:
    decode = decoder(charset)
    assert decode is not None
    assert decode(data) == text
    codec = exact_codec(charset)
    if codec is not None:
        assert str(data, *codec) == text


@pytest.mark.parametrize(
    ("charset", "data"),
    [
        ("utf8mb4", "ff"), ("utf8mb4", "41eda0"), ("utf8mb4", "c080"), ("utf8mb4", "f4908080"),
        ("ascii", "80"), ("tis620", "a0"), ("gbk", "80"), ("gbk", "41d6"), ("gbk", "8120"), ("gb18030", "ff"),
        ("gb18030", "81308130ff"), ("big5", "8140"), ("big5", "a1"), ("sjis", "81"), ("sjis", "87"), ("sjis", "fd41"), ("ujis", "8f"),
        ("ujis", "8ff5"), ("ujis", "f5"), ("ujis", "f520"), ("euckr", "c920"), ("gb2312", "d6"), ("cp932", "81"),
        ("ucs2", "004100"), ("utf16", "d8"), ("utf16le", "41"), ("utf32", "004100"), ("utf32", "00110000"),
    ],
)  # fmt: skip
def test_what_no_character_set_holds_is_refused(charset: str, data: str) -> None:
    decode = decoder(charset)
    assert decode is not None
    with pytest.raises(UnicodeDecodeError):
        decode(bytes.fromhex(data))


def test_supported_character_sets() -> None:
    assert all(supported(charset) for charset in (*EXPECTED, *UNICODE, "utf8mb3", "binary"))
    assert decoder("binary") is None
    assert exact_codec("binary") is None
    assert exact_codec("utf8mb4") == ("utf-8", "surrogatepass")
    assert exact_codec("sjis") is None
    for charset in ("armscii8", "dec8", "eucjpms", "geostd8", "keybcs2", "swe7", "nonsense"):
        assert not supported(charset)
        with pytest.raises(ValueError, match=f"character set {charset} is not supported"):
            decoder(charset)
        assert exact_codec(charset) is None

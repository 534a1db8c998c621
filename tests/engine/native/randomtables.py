"""Random tables with row images and result rows as a server writes them, hostile texts included."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from obsync_tui.engine.rowplan.request import Routing
from obsync_tui.engine.store.store import BinlogShape, TextShape, WireShape
from obsync_tui.engine.values.jsonbinary import MYSQL80
from obsync_tui.engine.values.rowimage import decimal_bytes
from obsync_tui.model.project import HashFunction, KeyForm
from obsync_tui.model.table import Column, TableName, TableVersion

_PIECES = (
    *(
        "plain text ",
        'a "quoted" one',
        "back\\slash",
        "\x00\x01\x08\t\n\x0b\x0c\r\x1f",
        "\x7f",
        "\u0080é",
        "ñ",
    ),
    *("日本語", "\uffff", "😀", "\U0010ffff", "\ud800", "\udfff", "\ud83d\ude00", "{}", "%s", "", "x" * 300),
)
_INTEGERS = {"tinyint": (1, 1), "smallint": (2, 2), "mediumint": (9, 3), "int": (3, 4), "bigint": (8, 8)}
_BLOBS = {"tinyblob": 1, "blob": 2, "mediumblob": 3, "longblob": 4}
_TEXTS = {"tinytext": 1, "text": 2, "mediumtext": 3, "longtext": 4}
_CHARSETS = (
    "utf8mb4",
    "utf8",
    "ascii",
    "latin1",
    "gbk",
    "gb18030",
    "utf16",
    "cp1251",
    "koi8u",
    "sjis",
    "hp8",
)
Make = Callable[[], bytes]


@dataclass(frozen=True)
class Kind:
    """A column, its wire type and metadata, and makers of one value as the log and a result set hold it."""

    column: Column
    wire: int
    metadata: int
    image: Make
    result: Make


class RandomTables:
    """A seed's tables and values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self) -> str:
        """Text of any characters."""
        return "".join(self.random.choice(_PIECES) for _ in range(self.random.choice((0, 1, 1, 2, 5))))

    def characters(self, charset: str) -> bytes:
        """Bytes that the character set holds."""
        if charset in ("utf8mb4", "utf8"):
            return self.text().encode("utf-8", "surrogatepass")
        if charset == "utf16":
            return self.text().encode("utf-16-be", "surrogatepass")
        if charset == "ascii":
            return self.text().encode("ascii", "ignore")
        codec = {"latin1": "cp1252", "koi8u": "koi8-u", "hp8": "hp-roman8", "sjis": "shift_jis"}.get(
            charset, charset
        )
        return (self.text() + self.random.choice(("", "é", "я", "漢", "ｱ"))).encode(codec, "ignore")

    def counted(self, value: bytes, prefix: int) -> bytes:
        """The value behind its length; nothing in place of what is too long for it."""
        value = value if len(value) < 256**prefix else b""
        return len(value).to_bytes(prefix, "little") + value

    def kind(self, name: str, nullable: bool) -> Kind:
        """A random column."""
        makers = (
            self._integer,
            self._float,
            self._decimal,
            self._time,
            self._string,
            self._lob,
            self._member,
        )
        return self.random.choice(makers)(name, nullable)

    def _integer(self, name: str, nullable: bool) -> Kind:
        if self.random.random() < 0.1:
            column = Column(name, "year", "year(4)", nullable)
            return Kind(
                column,
                13,
                0,
                lambda: self.random.randbytes(1),
                lambda: self.random.choice((b"0000", b"2024")),
            )
        data_type = self.random.choice(list(_INTEGERS))
        wire, size = _INTEGERS[data_type]
        unsigned, zerofill = self.random.random() < 0.5, self.random.random() < 0.2
        suffix = (" unsigned" if unsigned else "") + (" zerofill" if zerofill else "")
        column = Column(name, data_type, f"{data_type}(9){suffix}", nullable, unsigned=unsigned)

        def image() -> bytes:
            edge = self.random.choice((b"\0" * size, b"\xff" * size, b"\0" * (size - 1) + b"\x80"))
            return self.random.choice((edge, self.random.randbytes(size)))

        def result() -> bytes:
            number = int.from_bytes(image(), "little", signed=not unsigned)
            return b"%09d" % number if zerofill else b"%d" % number

        return Kind(column, wire, 0, image, result)

    def number(self) -> float:
        """A double of any size, often one that people write."""
        choice = self.random.random()
        if choice < 0.4:
            return round(self.random.uniform(-1e6, 1e6), self.random.randrange(8))
        if choice < 0.6:
            return self.random.choice(
                (0.0, -0.0, 1e15, -1e16, 1e22, 5e-324, 1e-4, 1e-5, 0.1, 123456789012345680.0)
            )
        while True:
            value: float = struct.unpack("<d", self.random.randbytes(8))[0]
            if abs(value) < float("inf"):
                return value

    def _float(self, name: str, nullable: bool) -> Kind:
        def float32() -> float:
            while True:
                raw = self.random.choice(
                    (struct.pack("<f", self.random.randrange(1 << 24) / 100), self.random.randbytes(4))
                )
                value: float = struct.unpack("<f", raw)[0]
                if abs(value) < float("inf"):
                    return value

        if self.random.random() < 0.5:
            column = Column(name, "float", "float", nullable)
            return Kind(column, 4, 4, lambda: struct.pack("<f", float32()), lambda: b"%r" % float32())
        column = Column(name, "double", "double", nullable)
        return Kind(column, 5, 8, lambda: struct.pack("<d", self.number()), lambda: b"%.17g" % self.number())

    def _decimal(self, name: str, nullable: bool) -> Kind:
        precision = self.random.randrange(1, 66)
        scale = self.random.randrange(min(30, precision) + 1)
        zerofill = self.random.random() < 0.2
        declared = f"decimal({precision},{scale}){' unsigned zerofill' if zerofill else ''}"
        column = Column(name, "decimal", declared, nullable, precision=precision, scale=scale)

        def digits(count: int) -> str:
            shown = self.random.randrange(count + 1)
            return "".join(self.random.choice("0123456789") for _ in range(shown)).rjust(count, "0")

        def image() -> bytes:
            whole, fraction = digits(precision - scale), digits(scale)
            lead = len(whole) % 9
            groups = [whole[:lead], *(whole[i : i + 9] for i in range(lead, len(whole), 9))]
            groups += [fraction[i : i + 9] for i in range(0, scale, 9)]
            sizes = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
            data = bytearray(b"".join(int(g).to_bytes(sizes[len(g)], "big") for g in groups if g))
            assert len(data) == decimal_bytes(precision, scale)
            data[0] ^= 0x80
            return bytes(data) if self.random.random() < 0.5 else bytes(byte ^ 0xFF for byte in data)

        def result() -> bytes:
            whole = digits(precision - scale)
            text = (whole if zerofill else whole.lstrip("0")) or "0"
            return f"{text}.{digits(scale)}".rstrip(".").encode() if scale else text.encode()

        return Kind(column, 246, precision << 8 | scale, image, result)

    def _time(self, name: str, nullable: bool) -> Kind:
        data_type = self.random.choice(("date", "time", "datetime", "timestamp"))
        fsp = 0 if data_type == "date" else self.random.randrange(7)
        units = 10**fsp
        scaled = lambda: self.random.choice((0, self.random.randrange(units))) * (10 if fsp % 2 else 1)  # noqa: E731
        fraction_bytes = (fsp + 1) // 2
        wire, size, base = {
            "date": (10, 3, 0),
            "time": (19, 3, 0x800000),
            "datetime": (18, 5, 0x8000000000),
            "timestamp": (17, 4, 0),
        }[data_type]

        def image() -> bytes:
            if data_type == "date":
                return self.random.choice((0, self.random.randrange(10_000 << 9))).to_bytes(3, "little")
            fraction = scaled()
            packed = self.random.choice(
                (0, self.random.randrange({3: 838 << 12, 5: 10_000 * 13 << 22, 4: 1 << 32}[size]))
            )
            whole = (packed + base) << (8 * fraction_bytes) | fraction
            if data_type == "time" and self.random.random() < 0.3:
                whole = (base << (8 * fraction_bytes + 1)) - whole
            return whole.to_bytes(size + fraction_bytes, "big")

        def result() -> bytes:
            point = f".{self.random.randrange(units):0{fsp}}" if fsp else ""
            text = {
                "date": f"{self.random.randrange(10000):04}-02-03",
                "time": f"{self.random.choice(('', '-'))}{self.random.randrange(839):02}:10:00{point}",
                "datetime": self.random.choice(("0000-00-00 00:00:00", "2024-05-10 10:20:30")) + point,
                "timestamp": self.random.choice(
                    ("0", f"{self.random.randrange(1 << 32)}{point}", f"0{point}")
                ),
            }
            return text[data_type].encode()

        return Kind(Column(name, data_type, data_type, nullable, fsp=fsp), wire, fsp, image, result)

    def _string(self, name: str, nullable: bool) -> Kind:
        length = self.random.choice((3, 40, 255, 256, 500))
        if self.random.random() < 0.3:
            data_type = self.random.choice(("binary", "varbinary"))
            column = Column(name, data_type, f"{data_type}({length})", nullable, length=length)
            value = lambda: self.random.randbytes(self.random.randrange(min(length, 255) + 1))  # noqa: E731
        else:
            data_type, charset = self.random.choice(("char", "varchar")), self.random.choice(_CHARSETS)
            column = Column(
                name, data_type, f"{data_type}({length})", nullable, charset=charset, length=length
            )
            value = lambda: self.characters(charset)  # noqa: E731
        metadata = length if data_type.startswith("var") else self._packed(254, length)
        wire = 15 if data_type.startswith("var") else 254
        return Kind(column, wire, metadata, lambda: self.counted(value(), 1 if length < 256 else 2), value)

    def _packed(self, real_type: int, length: int) -> int:
        return (real_type ^ (length & 0x300) >> 4) << 8 | length & 0xFF

    def _lob(self, name: str, nullable: bool) -> Kind:
        choice = self.random.random()
        if choice < 0.3:
            data_type = self.random.choice(list(_BLOBS))
            column, width = Column(name, data_type, data_type, nullable), _BLOBS[data_type]
            value = lambda: self.random.randbytes(self.random.randrange(200))  # noqa: E731
            return Kind(column, 252, width, lambda: self.counted(value(), width), value)
        if choice < 0.6:
            data_type, charset = self.random.choice(list(_TEXTS)), self.random.choice(_CHARSETS)
            column, width = Column(name, data_type, data_type, nullable, charset=charset), _TEXTS[data_type]
            value = lambda: self.characters(charset)  # noqa: E731
            return Kind(column, 252, width, lambda: self.counted(value(), width), value)
        if choice < 0.8:
            documents = (b"\x04\x00", b"\x05\x07\x00", b'\x0c\x03a"b', b"\x02\x00\x00\x04\x00", b"")
            image = lambda: self.counted(self.random.choice(documents), 4)  # noqa: E731
            texts = (b'{"a": "b"}', '"ñ"'.encode(), b"null")
            return Kind(
                Column(name, "json", "json", nullable), 245, 4, image, lambda: self.random.choice(texts)
            )
        bits = self.random.randrange(1, 65)
        value = lambda: self.random.randbytes((bits + 7) // 8)  # noqa: E731
        return Kind(
            Column(name, "bit", f"bit({bits})", nullable, length=bits),
            16,
            bits // 8 << 8 | bits % 8,
            value,
            value,
        )

    def _member(self, name: str, nullable: bool) -> Kind:
        members = tuple(
            f"m{i}" + self.random.choice(("", "é", '"', "\\", "漢"))
            for i in range(self.random.choice((1, 3, 40)))
        )
        if self.random.random() < 0.5:
            column = Column(name, "enum", "enum", nullable, charset="utf8mb4", members=members)
            index = lambda: self.random.randrange(len(members) + 1).to_bytes(1, "little")  # noqa: E731
            return Kind(column, 254, 247 << 8 | 1, index, lambda: self.random.choice(members).encode())
        column = Column(name, "set", "set", nullable, charset="utf8mb4", members=members)
        size = {1: 1, 3: 1, 40: 8}[len(members)]
        mask = lambda: self.random.randrange(1 << len(members)).to_bytes(size, "little")  # noqa: E731
        return Kind(column, 254, 248 << 8 | size, mask, lambda: ",".join(members[:2]).encode())

    def table(self) -> tuple[TableVersion, tuple[Kind, ...]]:
        """A table of one to twenty columns, keyed or not."""
        kinds = tuple(
            self.kind(f"c{i}", self.random.random() < 0.5)
            for i in range(self.random.choice((1, 3, 8, 9, 20)))
        )
        key = tuple(k.column.name for k in kinds[: self.random.randrange(3)] if not k.column.nullable)
        return TableVersion(TableName("shop", "odd"), tuple(k.column for k in kinds), primary_key=key), kinds

    def routing(self, table: TableVersion) -> Routing:
        """Any key's form, any hash."""
        key = tuple(map(table.column_index, table.primary_key))
        columns = range(len(table.columns))
        hashed = key or tuple(self.random.sample(columns, 1))
        if self.random.random() < 0.3:
            hashed = tuple(self.random.sample(columns, min(2, len(columns))))
        fixed = self.random.choice((None, None, None, 2))
        form, function = self.random.choice(list(KeyForm)), self.random.choice(list(HashFunction))
        return Routing(form, key, hashed, 3, fixed, function)

    def shape(self, kinds: tuple[Kind, ...], checksum: bool) -> BinlogShape:
        """The wire shape of the log."""
        return BinlogShape(bytes(k.wire for k in kinds), tuple(k.metadata for k in kinds), checksum, MYSQL80)

    def row(self, kinds: tuple[Kind, ...], shape: WireShape) -> bytes:
        """One image or result row."""
        nulls = [k.column.nullable and self.random.random() < 0.3 for k in kinds]
        if isinstance(shape, TextShape):
            return b"".join(
                b"\xfb" if null else _encoded(k.result()) for k, null in zip(kinds, nulls, strict=True)
            )
        bitmap = sum(1 << i for i, null in enumerate(nulls) if null).to_bytes((len(kinds) + 7) // 8, "little")
        return bitmap + b"".join(k.image() for k, null in zip(kinds, nulls, strict=True) if not null)


def _encoded(value: bytes) -> bytes:
    if len(value) < 251:
        return bytes([len(value)]) + value
    return b"\xfc" + len(value).to_bytes(2, "little") + value

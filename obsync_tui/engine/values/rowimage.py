"""Texts of values as they lie in a binlog row image.

Formats: MySQL internals, `log_event_print_value`, `my_datetime_packed_from_binary`, `decimal2bin`. Fractions lose
their trailing zeros. Dates and clock times repeat, so their texts are kept in bounded tables.
"""

from collections.abc import Callable

from obsync_tui.model.table import UNPRINTED

_KEPT = 1 << 17
_UNKNOWN = "shown with ? in the server's catalog; run the project again: a row that holds it then tells it"
_DIGITS_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


class _Texts(dict[int, str]):
    """Texts by packed value, made at first use, emptied when there are too many."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[int], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, packed: int) -> str:
        if len(self) >= _KEPT:
            self.clear()
        text = self[packed] = self._make(packed)
        return text


def _date(packed: int) -> str:
    return f"{packed >> 9:04}-{(packed >> 5) & 15:02}-{packed & 31:02}"


def _datetime_date(packed: int) -> str:
    return f"{(packed >> 5) // 13:04}-{(packed >> 5) % 13:02}-{packed & 31:02} "


def _clock(packed: int) -> str:
    return f"{packed >> 12:02}:{(packed >> 6) & 63:02}:{packed & 63:02}"


DATES = _Texts(_date)
DATETIME_DATES = _Texts(_datetime_date)
CLOCKS = _Texts(_clock)
FRACTIONS = {scale: tuple(f"{i:0{scale}}" for i in range(10**scale)) for scale in (1, 2, 3)}


def fraction_text(value: int, fraction_bytes: int) -> str:
    """The fraction kept in 1, 2 or 3 bytes (units of 1/100, 1/10,000, 1/1,000,000) as `.123`, or nothing."""
    return f".{value:0{2 * fraction_bytes}}".rstrip("0") if value else ""


def datetime_text(image: bytes) -> str:
    """DATETIME: 5 bytes and 0 to 3 of fraction, big endian."""
    packed = int.from_bytes(image[:5], "big") - 0x8000000000
    text = DATETIME_DATES[packed >> 17] + CLOCKS[packed & 0x1FFFF]
    if len(image) > 5:
        return text + fraction_text(int.from_bytes(image[5:], "big"), len(image) - 5)
    return text


def timestamp_text(image: bytes) -> str:
    """TIMESTAMP as unix seconds: 4 bytes, unsigned so that it passes 2038, and 0 to 3 of fraction, big endian."""
    seconds = int.from_bytes(image[:4], "big")
    if not seconds:
        return "0000-00-00 00:00:00"
    if len(image) > 4:
        return f"{seconds}{fraction_text(int.from_bytes(image[4:], 'big'), len(image) - 4)}"
    return str(seconds)


def time_text(image: bytes) -> str:
    """TIME: 3 bytes and 0 to 3 of fraction, big endian, offset so that it sorts; negative is the complement."""
    fraction_bits = 8 * (len(image) - 3)
    packed = int.from_bytes(image, "big") - (0x800000 << fraction_bits)
    sign = ""
    if packed < 0:
        sign, packed = "-", -packed
    text = sign + CLOCKS[packed >> fraction_bits & 0x3FFFFF]
    if fraction_bits:
        return text + fraction_text(packed & ((1 << fraction_bits) - 1), len(image) - 3)
    return text


def year_text(value: int) -> str:
    """YEAR: one byte, 0 or years since 1900."""
    return str(value + 1900 if value else 0)


def decimal_bytes(precision: int, scale: int) -> int:
    """How many bytes a packed DECIMAL takes."""
    whole = precision - scale
    return (whole // 9 + scale // 9) * 4 + _DIGITS_BYTES[whole % 9] + _DIGITS_BYTES[scale % 9]


def _fraction_digits(scale: int) -> Callable[[int], str]:
    """A function from a fraction to its digits, leading zeros kept; a table where it is small."""
    if scale in FRACTIONS:
        return FRACTIONS[scale].__getitem__
    return f"%0{scale}d".__mod__


def decimal_reader(precision: int, scale: int) -> Callable[[bytes], str]:
    """A function from a packed DECIMAL(precision, scale) to its digits, trailing zeros kept."""
    whole = precision - scale
    sizes = [_DIGITS_BYTES[whole % 9]] + [4] * (whole // 9)
    whole_groups = len(sizes)
    sizes += [4] * (scale // 9) + [_DIGITS_BYTES[scale % 9]]
    widths = [9] * (scale // 9) + [scale % 9]
    top = 1 << (8 * decimal_bytes(precision, scale) - 1)
    ones = 2 * top - 1

    if sum(1 for size in sizes if size) == 2 and whole_groups == 1 and scale < 9:
        shift, mask = 8 * sizes[-1], (1 << 8 * sizes[-1]) - 1
        digits = _fraction_digits(scale)

        def short(image: bytes) -> str:
            packed = int.from_bytes(image, "big") ^ top
            if packed & top:
                packed ^= ones
                return f"-{packed >> shift}.{digits(packed & mask)}"
            return f"{packed >> shift}.{digits(packed & mask)}"

        return short

    def read(image: bytes) -> str:
        packed = int.from_bytes(image, "big") ^ top
        sign = ""
        if packed & top:
            packed ^= ones
            sign = "-"
        raw = packed.to_bytes(len(image), "big")
        at, number = 0, 0
        for size in sizes[:whole_groups]:
            number = number * 1_000_000_000 + int.from_bytes(raw[at : at + size], "big")
            at += size
        if not scale:
            return f"{sign}{number}"
        digits = ""
        for size, width in zip(sizes[whole_groups:], widths, strict=True):
            if width:
                digits += f"{int.from_bytes(raw[at : at + size], 'big'):0{width}}"
                at += size
        return f"{sign}{number}.{digits}"

    return read


def set_reader(members: tuple[str, ...]) -> Callable[[int], str]:
    """A function from a SET's bit mask to its members joined by commas; ValueError for an unknown bit or member."""
    known = sum(1 << i for i, member in enumerate(members) if UNPRINTED not in member)

    def read(mask: int) -> str:
        if mask & ~known:
            if mask >> len(members):
                raise ValueError(f"SET value {mask:#x} has bits beyond its {len(members)} members")
            raise ValueError(f"SET value {mask:#x} has a member {_UNKNOWN}")
        return ",".join([member for i, member in enumerate(members) if mask >> i & 1])

    return read


def enum_reader(members: tuple[str, ...]) -> Callable[[int], str]:
    """A function from an ENUM's index to its member; 0 is the empty error value; ValueError for one not known."""
    texts = {i: text for i, text in enumerate(("", *members)) if UNPRINTED not in text}

    def read(index: int) -> str:
        text = texts.get(index)
        if text is None:
            if index > len(members):
                raise ValueError(f"ENUM index {index} is beyond its {len(members)} members")
            raise ValueError(f"ENUM member {index} is {_UNKNOWN}")
        return text

    return read

"""DECIMAL and temporal values in a row image, from the text that the server prints."""

from __future__ import annotations

from collections.abc import Callable

_GROUP_DIGITS = 9
_BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)

Encode = Callable[[bytes], bytes]


def decimal_encoder(precision: int, scale: int) -> Encode:
    """DECIMAL(precision, scale): groups of nine digits from the point outwards, the first bit inverted."""
    whole = precision - scale

    def encode(text: bytes) -> bytes:
        negative = text[:1] == b"-"
        left, _, right = text.lstrip(b"-").partition(b".")
        left_digits = left.decode().lstrip("0").rjust(whole, "0")
        right_digits = right.decode().ljust(scale, "0")
        packed = bytearray(_whole_part(left_digits, whole) + _fraction(right_digits))
        packed[0] ^= 0x80
        return bytes(byte ^ 0xFF for byte in packed) if negative else bytes(packed)

    return encode


def _whole_part(digits: str, count: int) -> bytes:
    if not count:
        return b""
    first = count % _GROUP_DIGITS
    groups = [digits[:first]] if first else []
    groups += [digits[at : at + _GROUP_DIGITS] for at in range(first, count, _GROUP_DIGITS)]
    return b"".join(_group(group) for group in groups)


def _fraction(digits: str) -> bytes:
    return b"".join(_group(digits[at : at + _GROUP_DIGITS]) for at in range(0, len(digits), _GROUP_DIGITS))


def _group(digits: str) -> bytes:
    return int(digits).to_bytes(_BYTES_OF_DIGITS[len(digits)], "big")


def encode_year(text: bytes) -> bytes:
    """YEAR: 0 is 0000."""
    year = int(text)
    return bytes([year - 1900 if year else 0])


def encode_date(text: bytes) -> bytes:
    """DATE in three bytes, zero dates too."""
    year, month, day = text.split(b"-")
    return (int(day) | int(month) << 5 | int(year) << 9).to_bytes(3, "little")


def datetime_encoder(digits: int) -> Encode:
    """DATETIME2 with so many fractional digits."""
    tail = _fraction_encoder(digits)

    def encode(text: bytes) -> bytes:
        day, _, clock = text.partition(b" ")
        year, month, date = day.split(b"-")
        clock, _, fraction = clock.partition(b".")
        hour, minute, second = clock.split(b":")
        ymd = (int(year) * 13 + int(month)) << 5 | int(date)
        hms = int(hour) << 12 | int(minute) << 6 | int(second)
        return ((ymd << 17 | hms) + 0x8000000000).to_bytes(5, "big") + tail(fraction)

    return encode


def timestamp_encoder(digits: int) -> Encode:
    """TIMESTAMP2 from `seconds.fraction` since 1970."""
    tail = _fraction_encoder(digits)

    def encode(text: bytes) -> bytes:
        seconds, _, fraction = text.partition(b".")
        return int(seconds).to_bytes(4, "big") + tail(fraction)

    return encode


def time_encoder(digits: int) -> Encode:
    """TIME2; a negative time is the complement of all its bits."""
    size = (digits + 1) // 2

    def encode(text: bytes) -> bytes:
        negative = text[:1] == b"-"
        clock, _, fraction = text.lstrip(b"-").partition(b".")
        hour, minute, second = clock.split(b":")
        number = int(hour) << 12 | int(minute) << 6 | int(second)
        number = number << (8 * size) | _hundredths(fraction, size)
        middle = 0x800000 << (8 * size)
        return (middle - number if negative else middle + number).to_bytes(3 + size, "big")

    return encode


def _fraction_encoder(digits: int) -> Encode:
    size = (digits + 1) // 2
    return lambda fraction: _hundredths(fraction, size).to_bytes(size, "big")


def _hundredths(fraction: bytes, size: int) -> int:
    """The fraction in units of its last pair of digits."""
    return int(fraction.ljust(2 * size, b"0")[: 2 * size]) if size else 0

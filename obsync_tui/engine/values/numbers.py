"""Numbers as text: floats in their shortest form, MySQL's own form of a double, packed DECIMAL."""

from struct import Struct

_pack_float32 = Struct("<f").pack
_unpack_float32 = Struct("<f").unpack
_FLOAT32_MIN_NORMAL = 2.0**-126

# Bytes that hold 0–9 decimal digits in packed DECIMAL.
_BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def float64_text(value: float) -> str:
    """The shortest decimal text that reads back as the same double, a valid JSON number.

    A whole number carries no ".0"; ValueError for infinity and NaN, which JSON cannot hold.
    """
    text = repr(value)
    if text[-2:] == ".0":
        return text[:-2]
    if text[-1] in "fn":
        raise ValueError(f"{text} is not a JSON number")
    return text


def float32_text(value: float) -> str:
    """The shortest decimal text that reads back as the same float32, a valid JSON number.

    `value` is a float32 widened to a double. Of the decimals with n digits only the nearest is tried: three
    powers of two take a ninth digit that a farther one would save. ValueError for infinity, NaN and what
    float32 cannot hold.
    """
    # Six digits always survive the way through a float32, so most values people write end at the first try.
    if -_FLOAT32_MIN_NORMAL < value < _FLOAT32_MIN_NORMAL and value:
        return float64_text(float(_text_by_search(value)))
    text = f"{value:.6g}"
    try:
        if _unpack_float32(_pack_float32(float(text)))[0] != value:
            text = f"{value:.7g}"
            if _unpack_float32(_pack_float32(float(text)))[0] != value:
                text = _text_by_search(value)
    except OverflowError:  # rounded up past the largest float32
        text = _text_by_search(value)
    # float64_text chooses where the exponent begins, and refuses infinity.
    return float64_text(float(text)) if "e" in text or text[-1] == "f" else text


def _text_by_search(value: float) -> str:
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        try:
            if _unpack_float32(_pack_float32(float(text)))[0] == value:
                return text
        except OverflowError:
            continue
    raise ValueError(f"{value!r} is not a finite float32")


def mysql_double_text(value: float) -> str:
    """A double as MySQL prints it, a whole number without ".0" (`my_gcvt`, strings/dtoa.cc).

    Plain notation from 1e-15 to below 1e15 and for longer numbers that have a fraction, else `1.5e20`.
    """
    text = repr(value)
    if "e" not in text and -1e15 < value < 1e15:
        return text[:-2] if text[-2:] == ".0" else text
    if text[-1] in "fn":
        raise ValueError(f"{text} is not a JSON number")
    sign = ""
    if text[0] == "-":
        sign, text = "-", text[1:]
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).rstrip("0")
    if -14 <= point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if 0 < point < len(digits):
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if 0 < point <= 15:
        return sign + digits.ljust(point, "0")
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{sign}{mantissa}e{point - 1}"


def decimal_text(data: bytes, precision: int, scale: int) -> str:
    """A packed DECIMAL(`precision`, `scale`) as MySQL prints it, all `scale` digits kept (decimal.cc).

    ValueError when `data` is not as long as the type asks or holds more than nine digits in a group.
    """
    whole_digits = precision - scale
    if not 0 <= scale <= precision or precision == 0:
        raise ValueError(f"DECIMAL({precision},{scale}) is not a type")
    groups = [(_BYTES_OF_DIGITS[whole_digits % 9], whole_digits % 9)]
    groups += [(4, 9)] * (whole_digits // 9)
    whole_groups = len(groups)
    groups += [(4, 9)] * (scale // 9)
    groups.append((_BYTES_OF_DIGITS[scale % 9], scale % 9))
    size_bytes = sum(size for size, _ in groups)
    if len(data) != size_bytes:
        raise ValueError(f"DECIMAL({precision},{scale}) has {len(data)} bytes instead of {size_bytes}")
    negative = data[0] < 0x80
    flip = 0xFF if negative else 0
    plain = bytes([data[0] ^ flip ^ 0x80]) + bytes(byte ^ flip for byte in data[1:])
    parts: list[str] = []
    at = 0
    for size, digits in groups:
        part = str(int.from_bytes(plain[at : at + size], "big")).zfill(digits) if digits else ""
        if len(part) != digits:
            raise ValueError(f"DECIMAL({precision},{scale}) has {part} where {digits} digits belong")
        parts.append(part)
        at += size
    text = "".join(parts[:whole_groups]).lstrip("0") or "0"
    if scale:
        text = f"{text}.{''.join(parts[whole_groups:])}"
    return f"-{text}" if negative else text

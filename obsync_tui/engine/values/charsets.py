"""Text of MySQL's character sets, decoded to what the server itself converts it to."""

from codecs import charmap_decode, register_error
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

Decoder = Callable[[bytes], str]
"""Bytes of one value to its text; UnicodeDecodeError, a ValueError, for what the character set does not hold."""


class Codec(NamedTuple):
    """A codec and an error handler of Python: `str(data, codec, errors)` is exactly the value's text."""

    codec: str
    errors: str = "strict"


class _SingleByte(NamedTuple):
    """A codec of Python and the bytes that the server maps otherwise."""

    codec: str
    own: Mapping[int, str] = MappingProxyType({})


class _MultiByte(NamedTuple):
    """A codec, and characters that the server maps otherwise, each made by one byte sequence of the codec."""

    codec: Codec
    swaps: Mapping[str, str] = MappingProxyType({})


def supported(charset: str) -> bool:
    """Whether values of this character set, by MySQL's name, can be read; `binary` can, as bytes."""
    return charset == "binary" or charset in _UNICODE or charset in _SINGLE_BYTE or charset in _MULTI_BYTE


def decoder(charset: str) -> Decoder | None:
    """The decoder of a character set by MySQL's name, None for `binary`, which is not text.

    Lone surrogates, which servers let in, stay in the text: it then cannot be encoded as UTF-8. Well-formed
    sequences that the server stores and prints as "?" are read by the character set's later standard.
    ValueError when the character set is not supported.
    """
    if charset == "binary":
        return None
    if charset in _UNICODE:
        name, errors = _UNICODE[charset]
        return lambda data: str(data, name, errors)
    if charset in _SINGLE_BYTE:
        # Five times as fast as the codec by its name.
        table = _table(_SINGLE_BYTE[charset])
        return lambda data: charmap_decode(data, "strict", table)[0]
    if charset in _MULTI_BYTE:
        return _multi_byte_decoder(_MULTI_BYTE[charset])
    raise ValueError(f"character set {charset} is not supported")


def exact_codec(charset: str) -> Codec | None:
    """The codec to call in place of `decoder` to save a call: there is one for Unicode's encodings, else None."""
    return _UNICODE.get(charset)


def single_bytes(charset: str) -> tuple[str | None, ...] | None:
    """The text of each byte of a single-byte character set, None for a byte without one; None for other sets."""
    if charset not in _SINGLE_BYTE:
        return None
    return tuple(None if text == "\ufffe" else text for text in _table(_SINGLE_BYTE[charset]))


def is_ascii_superset(charset: str) -> bool:
    """Whether bytes below 0x80 that stand alone are ASCII in a multi-byte character set."""
    return charset in _MULTI_BYTE


def _table(charset: _SingleByte) -> str:
    """The character of each byte; U+FFFE says to charmap_decode that there is none."""
    table = bytes(range(256)).decode(charset.codec, "replace").replace("\ufffd", "\ufffe")
    return "".join(charset.own.get(byte, character) for byte, character in enumerate(table))


def _multi_byte_decoder(charset: _MultiByte) -> Decoder:
    name, errors = charset.codec
    swaps = tuple(charset.swaps)
    table = str.maketrans(dict(charset.swaps))

    def decode(data: bytes) -> str:
        if data.isascii():
            return str(data, "ascii")
        text = str(data, name, errors)
        for character in swaps:
            if character in text:
                return text.translate(table)
        return text

    return decode


_Rescue = Callable[[bytes], tuple[str, int]]
"""The up to three bytes at an error to the character they are and how many of them make it."""


def _rescued(errors: str, rescue: _Rescue) -> str:
    """Register an error handler under the name `errors` that reads one character where a codec fails."""

    def handler(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        try:
            text, width = rescue(error.object[error.start : error.start + 3])
        except UnicodeDecodeError:
            raise error from None
        end = error.start + width
        if len(text) != 1 or end > len(error.object):
            raise error
        return text, end

    register_error(errors, handler)
    return errors


def _by_codec(codec: str, width: int) -> _Rescue:
    return lambda data: (str(data[:width], codec), width)


def _ujis_user_defined(data: bytes) -> tuple[str, int]:
    """Rows F5–FE of JIS X 0208 and, behind 8F, of JIS X 0212 are U+E000–U+E757."""
    page, width = 0xE000, 2
    if data[0] == 0x8F:
        page, width = 0xE3AC, 3
    if len(data) < width:
        return "", 0
    row, cell = data[width - 2 : width]
    if not (0xF5 <= row <= 0xFE and 0xA1 <= cell <= 0xFE):
        return "", 0
    return chr(page + (row - 0xF5) * 94 + cell - 0xA1), width


_UTF8 = Codec("utf-8", "surrogatepass")
_UNICODE = {
    "utf8mb4": _UTF8,
    "utf8mb3": _UTF8,
    "utf8": _UTF8,
    # A pair of surrogates in ucs2 is read as the character that its writer meant.
    "ucs2": Codec("utf-16-be", "surrogatepass"),
    "utf16": Codec("utf-16-be", "surrogatepass"),
    "utf16le": Codec("utf-16-le", "surrogatepass"),
    "utf32": Codec("utf-32-be", "surrogatepass"),
}
_SINGLE_BYTE = {
    "ascii": _SingleByte("ascii"),
    # C1 controls stand in the five holes of cp1252.
    "latin1": _SingleByte("cp1252", {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}),
    "latin2": _SingleByte("iso8859-2"),
    "latin5": _SingleByte("iso8859-9"),
    "latin7": _SingleByte("iso8859-13"),
    "greek": _SingleByte("iso8859-7", {0xA1: "\u02bd", 0xA2: "\u02bc"}),
    "hebrew": _SingleByte("iso8859-8", {0xAF: "\u203e"}),
    "tis620": _SingleByte("tis-620"),
    "koi8r": _SingleByte("koi8-r"),
    "koi8u": _SingleByte("koi8-u", {0x95: "\u2022"}),
    "cp1250": _SingleByte("cp1250"),
    "cp1251": _SingleByte("cp1251"),
    "cp1256": _SingleByte("cp1256"),
    "cp1257": _SingleByte("cp1257"),
    "cp850": _SingleByte("cp850"),
    "cp852": _SingleByte("cp852"),
    "cp866": _SingleByte("cp866", {0xFC: "\u207f", 0xFD: "\u00b2"}),
    "hp8": _SingleByte("hp-roman8"),
    "macce": _SingleByte("mac_latin2"),
    "macroman": _SingleByte("mac_roman"),
}
_MULTI_BYTE = {
    "gb2312": _MultiByte(Codec("gb2312")),
    "gbk": _MultiByte(Codec("gbk", _rescued("obsync.gbk", _by_codec("gb18030", 2)))),
    # The server follows GB 18030-2005, which swapped these two.
    "gb18030": _MultiByte(Codec("gb18030"), {"\ue7c7": "\u1e3f", "\u1e3f": "\ue7c7"}),
    "big5": _MultiByte(Codec("big5", _rescued("obsync.big5", _by_codec("cp950", 2)))),
    "cp932": _MultiByte(Codec("cp932")),
    "sjis": _MultiByte(Codec("shift_jis", _rescued("obsync.sjis", _by_codec("cp932", 2))), {"\uff3c": "\\"}),
    "ujis": _MultiByte(Codec("euc_jp", _rescued("obsync.ujis", _ujis_user_defined)), {"\uff3c": "\\"}),
    "euckr": _MultiByte(Codec("cp949")),
}

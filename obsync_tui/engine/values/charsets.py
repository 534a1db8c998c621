"""Text of MySQL's character sets, decoded to what the server itself converts it to."""

import codecs
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

Decoder = Callable[[bytes], str]
"""Bytes of one value to its text; UnicodeDecodeError, a ValueError, for what the character set does not hold."""


class Codec(NamedTuple):
    """A codec and an error handler of Python: `str(data, codec, errors)` is exactly the value's text."""

    codec: str
    errors: str = "strict"


class _Charset(NamedTuple):
    """`swaps` are characters that the server maps otherwise, each made by one byte sequence of the codec."""

    codec: Codec
    swaps: Mapping[str, str] = MappingProxyType({})


def supported(charset: str) -> bool:
    """Whether values of this character set, by MySQL's name, can be read; `binary` can, as bytes."""
    return charset == "binary" or charset in _CHARSETS


def decoder(charset: str) -> Decoder | None:
    """The decoder of a character set by MySQL's name, None for `binary`, which is not text.

    Lone surrogates, which servers let in, stay in the text: it then cannot be encoded as UTF-8. Well-formed
    sequences that the server stores and prints as "?" are read by the character set's later standard.
    ValueError when the character set is not supported.
    """
    if charset == "binary":
        return None
    codec, swaps = _known(charset)
    name, errors = codec
    if not swaps:
        return lambda data: str(data, name, errors)
    table = str.maketrans(dict(swaps))
    rare = tuple(swaps)

    def decode(data: bytes) -> str:
        text = str(data, name, errors)
        for character in rare:
            if character in text:
                return text.translate(table)
        return text

    return decode


def exact_codec(charset: str) -> Codec | None:
    """The codec to call directly in place of `decoder`, None when there is none.

    ValueError when the character set is not supported.
    """
    if charset == "binary":
        return None
    codec, swaps = _known(charset)
    return None if swaps else codec


def _known(charset: str) -> _Charset:
    try:
        return _CHARSETS[charset]
    except KeyError:
        raise ValueError(f"character set {charset} is not supported") from None


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

    codecs.register_error(errors, handler)
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


_UTF8 = _Charset(Codec("utf-8", "surrogatepass"))
_CHARSETS = {
    "utf8mb4": _UTF8,
    "utf8mb3": _UTF8,
    "utf8": _UTF8,
    # A pair of surrogates in ucs2 is read as the character that its writer meant.
    "ucs2": _Charset(Codec("utf-16-be", "surrogatepass")),
    "utf16": _Charset(Codec("utf-16-be", "surrogatepass")),
    "utf16le": _Charset(Codec("utf-16-le", "surrogatepass")),
    "utf32": _Charset(Codec("utf-32-be", "surrogatepass")),
    "ascii": _Charset(Codec("ascii")),
    # cp1252 with C1 controls in its five holes.
    "latin1": _Charset(Codec("cp1252", _rescued("obsync.latin1", _by_codec("latin-1", 1)))),
    "latin2": _Charset(Codec("iso8859-2")),
    "latin5": _Charset(Codec("iso8859-9")),
    "latin7": _Charset(Codec("iso8859-13")),
    "greek": _Charset(Codec("iso8859-7"), {"\u2018": "\u02bd", "\u2019": "\u02bc"}),
    "hebrew": _Charset(Codec("iso8859-8"), {"\u00af": "\u203e"}),
    "tis620": _Charset(Codec("tis-620")),
    "koi8r": _Charset(Codec("koi8-r")),
    "koi8u": _Charset(Codec("koi8-u"), {"\u2219": "\u2022"}),
    "cp1250": _Charset(Codec("cp1250")),
    "cp1251": _Charset(Codec("cp1251")),
    "cp1256": _Charset(Codec("cp1256")),
    "cp1257": _Charset(Codec("cp1257")),
    "cp850": _Charset(Codec("cp850")),
    "cp852": _Charset(Codec("cp852")),
    "cp866": _Charset(Codec("cp866"), {"\u2116": "\u207f", "\u00a4": "\u00b2"}),
    "hp8": _Charset(Codec("hp-roman8")),
    "macce": _Charset(Codec("mac_latin2")),
    "macroman": _Charset(Codec("mac_roman")),
    "gb2312": _Charset(Codec("gb2312")),
    "gbk": _Charset(Codec("gbk", _rescued("obsync.gbk", _by_codec("gb18030", 2)))),
    # The server follows GB 18030-2005, which swapped these two.
    "gb18030": _Charset(Codec("gb18030"), {"\ue7c7": "\u1e3f", "\u1e3f": "\ue7c7"}),
    "big5": _Charset(Codec("big5", _rescued("obsync.big5", _by_codec("cp950", 2)))),
    "cp932": _Charset(Codec("cp932")),
    "sjis": _Charset(Codec("shift_jis", _rescued("obsync.sjis", _by_codec("cp932", 2))), {"\uff3c": "\\"}),
    "ujis": _Charset(Codec("euc_jp", _rescued("obsync.ujis", _ujis_user_defined)), {"\uff3c": "\\"}),
    "euckr": _Charset(Codec("cp949")),
}

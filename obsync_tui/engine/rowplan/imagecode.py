"""Code that walks one row image: raw values first, then their texts."""

import struct
from collections.abc import Iterator, Sequence

from obsync_tui.engine.formats.plan import Image
from obsync_tui.engine.rowplan.code import ColumnCode, Quoting
from obsync_tui.model.table import Column

Line = tuple[str, str]
_LETTER = {Image.BEFORE: "b", Image.AFTER: "a"}


def raw(image: Image, column: int) -> str:
    """The variable of a column's raw value."""
    return f"r{_LETTER[image]}{column}"


def text(image: Image, column: int) -> str:
    """The variable of a column's plain text."""
    return f"t{_LETTER[image]}{column}"


def fragment(image: Image, column: int) -> str:
    """The variable of a nullable column's JSON."""
    return f"j{_LETTER[image]}{column}"


def json_expression(code: ColumnCode, variable: str) -> str:
    """An f-string's inside that writes the text as JSON."""
    match code.quoting:
        case Quoting.PLAIN:
            return f"{{{variable}}}"
        case Quoting.QUOTED:
            return f'"{{{variable}}}"'
        case Quoting.ESCAPED:
            return f"{{quote({variable})}}"


def _runs(columns: Sequence[Column], codes: Sequence[ColumnCode]) -> Iterator[tuple[int, int]]:
    start = 0
    for i in range(len(columns) + 1):
        if i == len(columns) or not codes[i].fixed:
            if i > start:
                yield start, i
            if i < len(columns):
                yield i, i + 1
            start = i + 1


def binlog_image(
    columns: Sequence[Column], codes: Sequence[ColumnCode], image: Image, names: dict[str, object]
) -> Iterator[Line]:
    """Walk a binlog row image: the NULL bitmap, then the values that are there."""
    width = (len(columns) + 7) // 8
    yield "", f"nulls = from_bytes(buf[p:p + {width}], 'little')" if width > 1 else "nulls = buf[p]"
    yield "", f"p += {width}"
    forbidden = sum(1 << i for i, column in enumerate(columns) if not column.nullable)
    if forbidden:
        yield "", f"if nulls & {forbidden}: raise null_in(nulls & {forbidden})"
    for first, last in _runs(columns, codes):
        if codes[first].fixed:
            yield from _fixed_run(columns, codes, image, first, last, names)
        else:
            yield from _variable(columns, codes, image, first)


def _unpack(variables: list[str], tokens: str, names: dict[str, object]) -> str:
    packing = struct.Struct("<" + tokens)
    name = f"unpack_{tokens}"
    names[name] = packing.unpack_from
    return f"{', '.join(variables)}, = {name}(buf, p); p += {packing.size}"


def _fixed_run(
    columns: Sequence[Column],
    codes: Sequence[ColumnCode],
    image: Image,
    first: int,
    last: int,
    names: dict[str, object],
) -> Iterator[Line]:
    span = range(first, last)
    nullable = sum(1 << i for i in span if columns[i].nullable)
    together = _unpack([raw(image, i) for i in span], "".join(codes[i].fixed for i in span), names)
    label = columns[first].name
    if not nullable:
        yield label, together
        return
    yield "", f"if not nulls & {nullable}:"
    yield label, f"    {together}"
    yield "", "else:"
    for i in span:
        alone = _unpack([raw(image, i)], codes[i].fixed, names)
        if columns[i].nullable:
            yield "", f"    if nulls & {1 << i}: {raw(image, i)} = None"
            yield columns[i].name, f"    else: {alone}"
        else:
            yield columns[i].name, f"    {alone}"


def _variable(columns: Sequence[Column], codes: Sequence[ColumnCode], image: Image, i: int) -> Iterator[Line]:
    indent = ""
    if columns[i].nullable:
        yield "", f"if nulls & {1 << i}: {raw(image, i)} = None"
        yield "", "else:"
        indent = "    "
    for line in codes[i].read:
        yield columns[i].name, indent + line.format(r=raw(image, i))


def text_image(
    columns: Sequence[Column], codes: Sequence[ColumnCode], image: Image, names: dict[str, object]
) -> Iterator[Line]:
    """Walk a text-protocol row: length-encoded values, 251 for NULL."""
    names["longer"] = _longer
    if any(code.ascii for code in codes):
        # Latin-1 keeps every byte's place, and a slice of it that is ASCII is a plain ASCII string.
        yield "", "s = str(buf, 'latin-1')"
    for i, column in enumerate(columns):
        variable, piece = raw(image, i), "s" if codes[i].ascii else "buf"
        yield column.name, "n = buf[p]"
        yield column.name, f"if n < 251: q = p + 1 + n; {variable} = {piece}[p + 1:q]; p = q"
        if column.nullable:
            yield column.name, f"elif n == 251: {variable} = None; p += 1"
        else:
            yield column.name, f"elif n == 251: raise null_in({1 << i})"
        yield column.name, f"else: {variable}, p = longer(buf, {piece}, p)"


def _longer(buf: bytes, pieces: bytes | str, p: int) -> tuple[bytes | str, int]:
    width = {252: 2, 253: 3, 254: 8}[buf[p]]
    start = p + 1 + width
    end = start + int.from_bytes(buf[p + 1 : start], "little")
    return pieces[start:end], end


def converted(
    columns: Sequence[Column],
    codes: Sequence[ColumnCode],
    image: Image,
    used: dict[tuple[Image, int], bool],
    names: dict[str, object],
) -> Iterator[Line]:
    """Set the texts and JSON fragments of the columns in use; the flag says whether the plain text is needed."""
    for i, column in enumerate(columns):
        if (image, i) not in used:
            continue
        code, as_text, source = codes[i], text(image, i), raw(image, i)
        helper = f"h{i}"
        if code.reader is not None:
            names[helper] = code.reader
        assign = f"{as_text} = {code.text.format(r=source, h=helper)}"
        if not column.nullable:
            yield column.name, assign
            continue
        if not used[image, i] and (code.quoting is not Quoting.QUOTED or code.text == "{r}"):
            expression = code.text.format(r=source, h=helper)
            if code.quoting is Quoting.QUOTED:
                expression = f"f'\"{{{source}}}\"'"
            if code.quoting is Quoting.ESCAPED:
                expression = f"quote({expression})"
            yield column.name, f"{fragment(image, i)} = 'null' if {source} is None else {expression}"
            continue
        yield "", f"if {source} is None:"
        yield "", f"    {fragment(image, i)} = 'null'" + (f"; {as_text} = 'null'" if used[image, i] else "")
        yield "", "else:"
        yield column.name, f"    {assign}"
        inside = json_expression(code, as_text)
        yield column.name, f"    {fragment(image, i)} = f{inside!r}"

"""Code that writes messages: value, key and partition of each, from a row's texts."""

import codecs
from collections.abc import Iterator
from json.encoder import encode_basestring

from obsync_tui.engine.formats.plan import (
    Image,
    Joined,
    Literal,
    MessagePlan,
    Operation,
    RecordKind,
    Value,
    Variable,
)
from obsync_tui.engine.rowplan.code import ColumnCode, Quoting
from obsync_tui.engine.rowplan.imagecode import fragment, json_expression, raw, text
from obsync_tui.engine.rowplan.request import PlanRequest
from obsync_tui.model.project import HashFunction, KeyForm

VALUE_ERRORS = "json-surrogate"
_VALUE_ENCODING = f"'utf-8', '{VALUE_ERRORS}'"
_KEY_ENCODING = "'utf-8', 'surrogatepass'"
_CONSTANT = {Variable.COMMIT_S: "{commit_s}", Variable.GTID: "{gtid}", Variable.GNO: "{gno}"}
KEY_IMAGE = {
    RecordKind.INSERT: Image.AFTER,
    RecordKind.ROW: Image.AFTER,
    RecordKind.UPDATE: Image.AFTER,
    RecordKind.DELETE: Image.BEFORE,
}


def _escape_surrogates(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write lone surrogates, which MySQL lets into utf8 text, as JSON escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(f"\\u{ord(c):04x}" for c in error.object[error.start : error.end]), error.end


codecs.register_error(VALUE_ERRORS, _escape_surrogates)


def literal_source(value: str) -> str:
    """The text as the inside of an f-string literal, braces doubled."""
    return value.replace("{", "{{").replace("}", "}}")


class MessageCode:
    """The emission part of one request's function."""

    def __init__(self, request: PlanRequest, codes: tuple[ColumnCode, ...]) -> None:
        self._request = request
        self._codes = codes
        self._plans = dict(request.plans)
        self._hoisted: list[str] = []
        self._lines = list(self._all()) if request.emit else []

    def hoisted(self) -> list[str]:
        """Lines that run once per call: texts that are the same for all rows of a group."""
        return self._hoisted

    def emission(self) -> list[tuple[int, str]]:
        """Lines that run per row, with their indentation."""
        return self._lines

    def used(self) -> dict[tuple[Image, int], bool]:
        """The columns whose texts are needed, and whether the plain text is needed when NULL."""
        used: dict[tuple[Image, int], bool] = {}
        routing = self._request.routing
        for kind, plan in self._plans.items():
            keys = {*routing.key_columns, *routing.hash_columns}
            for column in sorted(keys):
                used[KEY_IMAGE[kind], column] = True
            for operation in plan.operations:
                if isinstance(operation, Value):
                    used.setdefault((operation.image, operation.column), False)
                elif isinstance(operation, Joined):
                    for part in operation.parts:
                        if isinstance(part, int):
                            used[operation.image, part] = True
        if self._request.careful:
            for image in (Image.BEFORE, Image.AFTER):
                for column in self._request.cut_columns:
                    used[image, column] = True
        return used

    def _all(self) -> Iterator[tuple[int, str]]:
        kind = self._request.kind
        if kind is RecordKind.UPDATE:
            yield from self._update()
        elif self._request.careful:
            yield 0, f"if keep({self._cut_key(KEY_IMAGE[kind])}):"
            for indent, line in self._message(kind):
                yield indent + 1, line
        else:
            yield from self._message(kind)

    def _update(self) -> Iterator[tuple[int, str]]:
        routing, careful = self._request.routing, self._request.careful
        columns = sorted({*routing.key_columns, *routing.hash_columns})
        if careful:
            yield (
                0,
                f"keep_old = keep({self._cut_key(Image.BEFORE)}); keep_new = keep({self._cut_key(Image.AFTER)})",
            )
        if columns or careful:
            changed = [self._changed(i) for i in columns]
            if careful:
                changed.append("keep_old != keep_new")
            yield 0, f"if {' or '.join(changed)}:"
            for kind, flag in ((RecordKind.DELETE, "keep_old"), (RecordKind.INSERT, "keep_new")):
                if careful:
                    yield 1, f"if {flag}:"
                for indent, line in self._message(kind):
                    yield indent + 1 + careful, line
            yield 0, "elif keep_new:" if careful else "else:"
            for indent, line in self._message(RecordKind.UPDATE):
                yield indent + 1, line
        else:
            yield from self._message(RecordKind.UPDATE)

    def _changed(self, column: int) -> str:
        # -0.0 and 0.0 are equal numbers with different texts, and so different keys.
        variable = text if self._codes[column].fixed in ("f", "d") else raw
        return f"{variable(Image.BEFORE, column)} != {variable(Image.AFTER, column)}"

    def _cut_key(self, image: Image) -> str:
        parts = []
        for i in self._request.cut_columns:
            data_type, plain = self._request.table.columns[i].data_type, text(image, i)
            # Character and binary keys are compared by their stored bytes, all others by their text.
            if data_type in ("char", "varchar", "binary", "varbinary"):
                parts.append(f"{raw(image, i)}, ")
            elif data_type == "timestamp":
                # The full read has 0 for the zero timestamp.
                parts.append(f"b'0' if '-' in str({plain}) else str({plain}).encode(), ")
            else:
                parts.append(f"str({plain}).encode(), ")
        return "(" + "".join(parts) + ")"

    def _message(self, kind: RecordKind) -> Iterator[tuple[int, str]]:
        image = KEY_IMAGE[kind]
        if kind is not RecordKind.ROW:
            yield 0, "sequence += 1"
        joined: list[str] = []
        value = self._value(self._plans[kind], joined)
        for line in joined:
            yield 0, line
        yield 0, f"v = {value}.encode({_VALUE_ENCODING})"
        key = self._key(image)
        yield 0, f"k = {key}"
        yield 0, f"lanes[{self._partition(image, has_key=key != 'None')}].append({{'key': k, 'value': v}})"
        yield 0, "n = len(v); size += n"
        yield 0, "if n > largest: largest = n"

    def _partition(self, image: Image, has_key: bool) -> str:
        routing = self._request.routing
        if routing.fixed_partition is not None:
            return str(routing.fixed_partition)
        if routing.hash is HashFunction.MURMUR2:
            # A message without key would go anywhere: its hash columns' text keeps the order.
            return f"murmur2({'k' if has_key else self._texts(routing.hash_columns, image)}, {routing.partitions})"
        same = routing.key is KeyForm.PRIMARY_KEY and routing.hash_columns == routing.key_columns
        return f"crc32({'k' if same else self._texts(routing.hash_columns, image)}) % {routing.partitions}"

    def _texts(self, columns: tuple[int, ...], image: Image) -> str:
        inside = "\x01".join(f"{{{text(image, i)}}}" for i in columns)
        return f"f{inside!r}.encode({_KEY_ENCODING})"

    def _key(self, image: Image) -> str:
        routing = self._request.routing
        if routing.key is KeyForm.NONE or not routing.key_columns:
            return "None"
        if routing.key is KeyForm.PRIMARY_KEY:
            return self._texts(routing.key_columns, image)
        inside = ",".join(self._json(image, i) for i in routing.key_columns)
        return f"f{'[' + inside + ']'!r}.encode({_VALUE_ENCODING})"

    def _json(self, image: Image, column: int) -> str:
        if self._request.table.columns[column].nullable:
            return f"{{{fragment(image, column)}}}"
        return json_expression(self._codes[column], text(image, column))

    def _value(self, plan: MessagePlan, joined: list[str]) -> str:
        pieces: list[str] = []
        constant: list[str] = []
        for operation in plan.operations:
            if isinstance(operation, Variable) and operation in _CONSTANT:
                constant.append(_CONSTANT[operation])
            elif isinstance(operation, Literal):
                constant.append(literal_source(operation.text))
            else:
                pieces.append(self._constant(constant))
                constant = []
                pieces.append(self._varying(operation, joined))
        pieces.append(self._constant(constant))
        return "f" + repr("".join(pieces))

    def _constant(self, parts: list[str]) -> str:
        inside = "".join(parts)
        if not any(name in parts for name in _CONSTANT.values()):
            return inside
        name = f"g{len(self._hoisted)}"
        self._hoisted.append(f"{name} = f{inside!r}")
        return f"{{{name}}}"

    def _varying(self, operation: Operation, joined: list[str]) -> str:
        if isinstance(operation, Value):
            return self._json(operation.image, operation.column)
        if isinstance(operation, Joined):
            return self._joined(operation, joined)
        return "{sequence}"

    def _joined(self, operation: Joined, joined: list[str]) -> str:
        escaped = any(
            isinstance(part, int) and self._codes[part].quoting is Quoting.ESCAPED for part in operation.parts
        )
        inside = "".join(
            f"{{{text(operation.image, part)}}}"
            if isinstance(part, int)
            else literal_source(part if escaped else encode_basestring(part)[1:-1])
            for part in operation.parts
        )
        if not escaped:
            return f'"{inside}"'
        # An f-string inside another may not hold quotes before Python 3.12: a line of its own.
        name = f"x{len(joined)}"
        joined.append(f"{name} = quote(f{inside!r})")
        return f"{{{name}}}"

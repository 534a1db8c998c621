"""How commands print: tables and JSON without anything that acts on a terminal, one sentence for an error."""

import json
import os
import sys
from collections.abc import Sequence

import msgspec

from obsync_tui.api.errors import RemoteError
from obsync_tui.config.files import encode_hook
from obsync_tui.model.errors import ConfigError, EngineError
from obsync_tui.model.secret import SecretReference
from obsync_tui.terminal.sanitizer import visible

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def show(text: str) -> None:
    """Print lines of foreign text."""
    print(visible(text, keep="\n\t"))


def show_json(value: object) -> None:
    """Print a struct, or a list of them, as ASCII JSON."""
    document = msgspec.to_builtins(value, enc_hook=encode_hook)
    print(json.dumps(document, indent=2))


def show_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and what they stand for, a line each, aligned."""
    width = max(len(name) for name, _ in pairs)
    for name, text in pairs:
        print(f"{visible(name):<{width}}  {visible(text)}")


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns under a header; nothing when there are none."""
    if not rows:
        return
    cells = [list(header), *([visible(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def show_error(error: EngineError) -> None:
    """Print an error as one sentence on standard error: where, what, cure."""
    note(str(error))
    if isinstance(error, RemoteError) and error.where.removeprefix("env:") in os.environ:
        note(
            "this shell sees the variable, the engine does not: obsync source seal NAME keeps its value for it"
        )


def note(text: str) -> None:
    """Print a line for the person, not for a program, on standard error."""
    try:
        print(f"obsync: {visible(text)}", file=sys.stderr, flush=True)
    except OSError:
        drop(sys.stderr.fileno())


def drop(descriptor: int) -> None:
    """Send what is written to a broken output nowhere, so that the interpreter can end in peace."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def complete(value: object) -> Json:
    """A configuration struct as plain data under its file's keys: defaults included, sealed secrets masked."""
    if isinstance(value, msgspec.Struct):
        config = type(value).__struct_config__
        tag: dict[str, Json] = {str(config.tag_field): str(config.tag)} if config.tag_field else {}
        fields = msgspec.structs.fields(value)
        return tag | {field.encode_name: complete(getattr(value, field.name)) for field in fields}
    if isinstance(value, SecretReference):
        return "sealed:***" if value.startswith("sealed:") else str(value)
    if isinstance(value, dict):
        return {str(key): complete(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [complete(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


def show_complete(value: msgspec.Struct, *, as_json: bool) -> None:
    """Print a configuration struct with all its defaults, as TOML or JSON."""
    document = complete(value)
    if as_json:
        print(json.dumps(document, indent=2))
    elif isinstance(document, dict):
        import tomli_w

        show(tomli_w.dumps({key: item for key, item in document.items() if item is not None}).rstrip())


def confirm(name: str, given: str | None, consequence: str) -> None:
    """Go on only when the person types the name, or gave it with `--yes`; ConfigError otherwise."""
    typed = given
    if typed is None:
        print(f"{consequence}\nType {name} to go on: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().strip()
    if typed != name:
        raise ConfigError(
            "not confirmed, nothing was changed", where=name, cure=f"Type {name}, or give --yes {name}."
        )


def open_standard_streams() -> None:
    """Let closed standard streams lead nowhere: else the first files opened, state.db among them, get their numbers."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))
